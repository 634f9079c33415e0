package awstarget

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go/middleware"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// shelf answers queries with a hundred rows on two pages, and counts the calls by operation.
type shelf struct {
	mu    sync.Mutex
	calls map[string]int
}

func (s *shelf) RoundTrip(r *http.Request) (*http.Response, error) {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	s.mu.Lock()
	s.calls[operation]++
	s.mu.Unlock()
	var in struct{ ExclusiveStartKey map[string]any }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return nil, err
	}
	type value map[string]string
	out := map[string]any{}
	if operation == "Query" {
		first := 0
		if in.ExclusiveStartKey == nil {
			out["LastEvaluatedKey"] = map[string]value{rowID: {"S": "49"}}
		} else {
			first = 50
		}
		var items []map[string]value
		for i := range 50 {
			items = append(items, map[string]value{rowKind: {"S": "slot"}, rowID: {"S": fmt.Sprint(first + i)}, rowVersion: {"N": "1"}, rowDocument: {"S": "{}"}})
		}
		out["Items"] = items
	}
	b, err := json.Marshal(out)
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body: io.NopCloser(strings.NewReader(string(b))), Request: r,
	}, err
}

func TestARefreshReadsTheRowsOfAKindOnce(t *testing.T) {
	t.Parallel()
	d, rows := New(Settings{}, Options{}), &shelf{calls: map[string]int{}}
	config := aws.Config{
		Region: "eu-central-1", HTTPClient: &http.Client{Transport: rows}, Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
		APIOptions: []func(*middleware.Stack) error{d.session.share},
	}
	table := newClients(signedIn{config: config}, "eu-central-1", Settings{}, d.pace).table("rows")
	ctx := d.recently(target.AllowRecent(t.Context()))
	read := func(want int) {
		t.Helper()
		var all sync.WaitGroup
		for i := range 110 {
			all.Go(func() {
				r, err := table.get(ctx, key{"slot", fmt.Sprint(i)})
				if err != nil || (r.version == 1) != (i < 100) || r.key != (key{"slot", fmt.Sprint(i)}) {
					t.Errorf("row %d is %+v (%v)", i, r, err)
				}
			})
		}
		all.Wait()
		if rows.calls["Query"] != want || rows.calls["BatchGetItem"] > 0 {
			t.Errorf("the calls are %v, want %d queries", rows.calls, want)
		}
	}
	read(2)
	read(2)
	if _, err := table.save(t.Context(), row{key: key{"slot", "1"}}, guard{}); err != nil {
		t.Fatal(err)
	}
	read(4)
}
