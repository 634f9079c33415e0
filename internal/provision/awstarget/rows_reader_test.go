package awstarget

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// tableOf answers BatchGetItem: every row whose id is even is there, and the first call leaves a
// row unread.
type tableOf struct {
	t     *testing.T
	calls int
	most  int
}

func (s *tableOf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	type keys struct {
		Keys []map[string]map[string]string
	}
	var in struct{ RequestItems map[string]keys }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		s.t.Error(err)
	}
	asked := in.RequestItems["rows"].Keys
	s.calls++
	s.most = max(s.most, len(asked))
	var out struct {
		Responses       map[string][]map[string]map[string]string
		UnprocessedKeys map[string]keys
	}
	if s.calls == 1 {
		out.UnprocessedKeys = map[string]keys{"rows": {asked[:1]}}
		asked = asked[1:]
	}
	out.Responses = map[string][]map[string]map[string]string{}
	for _, k := range asked {
		if id := k[rowID]["S"]; (id[len(id)-1]-'0')%2 == 0 {
			out.Responses["rows"] = append(out.Responses["rows"], map[string]map[string]string{
				rowKind: k[rowKind], rowID: k[rowID], rowVersion: {"N": "1"}, rowDocument: {"S": "document of " + id},
			})
		}
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	if err := json.NewEncoder(w).Encode(out); err != nil {
		s.t.Error(err)
	}
}

func TestRowsThatAreAskedForTogetherAreReadTogether(t *testing.T) {
	t.Parallel()
	answers := &tableOf{t: t}
	server := httptest.NewServer(answers)
	defer server.Close()
	r := &reader{table: "rows", pace: wait.Options{First: time.Millisecond}, client: dynamodb.New(dynamodb.Options{
		Region: "eu-central-1", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
	})}
	r.working = true // as if a call were under way
	const rows = 230
	var asking sync.WaitGroup
	for i := range 2 * rows { // each by two
		asking.Go(func() {
			k := key{"slot", fmt.Sprint(i % rows)}
			got, err := r.get(t.Context(), k)
			if err != nil || got.key != k || (got.version == 1) != (i%2 == 0) || (got.document == "document of "+k.id) != (i%2 == 0) {
				t.Errorf("row %s is %+v (%v)", k, got, err)
			}
		})
	}
	_, err := wait.Until(t.Context(), wait.Options{First: time.Millisecond}, func(context.Context) (status, bool, error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		n := 0
		for _, w := range r.waiting {
			n += len(w)
		}
		return status(fmt.Sprint(n)), n == 2*rows, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	r.work(t.Context())
	asking.Wait()
	if answers.calls != 4 || answers.most != maxReads { // three, and the row that was left
		t.Errorf("%d calls of at most %d rows", answers.calls, answers.most)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.get(ctx, key{"slot", "1"}); !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v of a context that has ended", err)
	}
	if got, err := r.get(t.Context(), key{"slot", "2"}); err != nil || got.document != "document of 2" {
		t.Errorf("a later one got %+v (%v)", got, err)
	}
}
