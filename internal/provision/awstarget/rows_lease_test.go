package awstarget

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// canceller cancels transactions for the reasons of its conditions, one answer after the other and the last
// for ever, and says that each row is at version 5.
type canceller struct {
	reasons [][2]string // none for a transaction that is carried out
	tokens  map[string]bool
	sent    int
}

func (c *canceller) RoundTrip(r *http.Request) (*http.Response, error) {
	var in struct{ ClientRequestToken string }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return nil, err
	}
	status, out := http.StatusOK, map[string]any{}
	if _, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), "."); operation == "BatchGetItem" {
		out["Responses"] = map[string]any{"rows": []map[string]map[string]string{{
			rowKind: {"S": "stacks/production"}, rowID: {"S": "oms"}, rowVersion: {"N": "5"}, rowDocument: {"S": "{}"},
		}}}
	} else {
		now := c.reasons[min(c.sent, len(c.reasons)-1)]
		c.sent++
		c.tokens[in.ClientRequestToken] = true
		if now != [2]string{} {
			status = http.StatusBadRequest
			out["__type"] = "TransactionCanceledException"
			out["CancellationReasons"] = []map[string]string{{"Code": now[0]}, {"Code": now[1]}}
		}
	}
	b, err := json.Marshal(out)
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body: io.NopCloser(strings.NewReader(string(b))), Request: r,
	}, err
}

// clientsOf are clients whose requests go another way, and are sent so often at most without a pause.
func clientsOf(way http.RoundTripper, pace wait.Options, attempts int) *clients {
	return newClients(signedIn{config: aws.Config{
		Region: "eu-central-1", HTTPClient: &http.Client{Transport: way}, Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
		Retryer: func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.MaxAttempts = attempts
				o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
			})
		},
	}}, "eu-central-1", Settings{}, pace)
}

// A state is written under a lease whose row gets heartbeats meanwhile. Only the conditions of the two
// rows say that the lease is lost, or that the state has changed.
func TestACancelledTransactionIsReadByItsReasons(t *testing.T) {
	t.Parallel()
	const none, failed, conflict = "None", "ConditionalCheckFailed", "TransactionConflict"
	for name, c := range map[string]struct {
		reasons [][2]string
		want    error // nil for none
		sent    int
	}{
		"a heartbeat was in the way twice":      {[][2]string{{conflict, none}, {conflict, none}, {}}, nil, 3},
		"there were too many calls":             {[][2]string{{none, "ThrottlingError"}, {}}, nil, 2},
		"other writes are in the way for ever":  {[][2]string{{none, conflict}}, target.ErrUnavailable, 5},
		"the lease is lost":                     {[][2]string{{failed, none}}, target.ErrLeaseLost, 1},
		"the lease is lost after a conflict":    {[][2]string{{conflict, none}, {failed, failed}}, target.ErrLeaseLost, 2},
		"somebody else changes it all the time": {[][2]string{{none, failed}}, target.ErrConflict, 20},
		"DynamoDB does not understand it":       {[][2]string{{none, "ValidationError"}}, errAny, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock := wait.NewFake(time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC))
			d := New(Settings{}, Options{Clock: clock})
			way := &canceller{reasons: c.reasons, tokens: map[string]bool{}}
			id := target.SlotID{Environment: target.EnvironmentID{Region: "eu", Name: "production"}, Name: "oms"}
			w := &slotWork{noun: &noun{target: d, table: clientsOf(way, d.pace, 1).table("rows")}, id: id}
			err := w.change(t.Context(), func(*slotState) error { return nil })
			known := errors.Is(err, target.ErrConflict) || errors.Is(err, target.ErrUnavailable) || errors.Is(err, target.ErrLeaseLost)
			if other := errors.Is(c.want, errAny); other && (err == nil || known) || !other && !errors.Is(err, c.want) {
				t.Errorf("got error %v, want %v", err, c.want)
			}
			if way.sent != c.sent || len(way.tokens) != c.sent {
				t.Errorf("it was sent %d times with %d tokens, want %d", way.sent, len(way.tokens), c.sent)
			}
		})
	}
}

// errAny is an error that is none of those which callers know.
var errAny = errors.New("any")
