package awstarget

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// lateTags is a table that is being changed when it is tagged, and shows the tags it had for some time.
type lateTags struct {
	clock *wait.Fake
	lag   time.Duration

	calls  []string
	tagged time.Time
	has    []map[string]string
	shows  []map[string]string
}

func (l *lateTags) RoundTrip(r *http.Request) (*http.Response, error) {
	var in struct{ Tags []map[string]string }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return nil, err
	}
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	l.calls = append(slices.DeleteFunc(l.calls, func(c string) bool { return c == operation }), operation)
	status, out := http.StatusOK, map[string]any{}
	switch {
	case operation == "ListTagsOfResource":
		if out["Tags"] = l.shows; !l.tagged.IsZero() && !l.clock.Now().Before(l.tagged.Add(l.lag)) {
			out["Tags"] = l.has
		}
	case l.has == nil:
		l.has = []map[string]string{}
		status, out["__type"] = http.StatusBadRequest, errTableBusy
	default:
		l.has, l.tagged = in.Tags, l.clock.Now()
	}
	b, err := json.Marshal(out)
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body: io.NopCloser(strings.NewReader(string(b))), Request: r,
	}, err
}

func TestTagsOfATableAreWaitedFor(t *testing.T) {
	t.Parallel()
	for name, lag := range map[string]time.Duration{"shown after a minute": time.Minute, "never shown": time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock := wait.NewFake(time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC))
			began := clock.Now()
			d, way := New(Settings{DefaultTags: map[string]string{"team": "platform"}}, Options{Clock: clock}), &lateTags{clock: clock, lag: lag}
			n := &noun{target: d, clients: clientsOf(way, d.pace, 1), known: true}
			arn := "arn:aws:dynamodb:eu-central-1:123456789012:table/rows"
			if err := n.retagTable(t.Context(), "table", "rows", &arn); err != nil {
				t.Fatal(err)
			}
			waited := clock.Now().Sub(began)
			if least, most := min(lag, appearLag), min(lag, appearLag)+20*time.Second; waited < least || waited > most {
				t.Errorf("waited for %s, want %s to %s", waited, least, most)
			}
			if diff := cmp.Diff([]string{"TagResource", "ListTagsOfResource"}, way.calls); diff != "" {
				t.Errorf("last calls (-want +got):\n%s", diff)
			}
			if want := tagList(n.tags("table"), func(k, v string) map[string]string { return map[string]string{"Key": k, "Value": v} }); !cmp.Equal(want, way.has) {
				t.Errorf("the table has the tags %v, want %v", way.has, want)
			}
		})
	}
}
