package awstarget

import (
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/rdsdata"
	"github.com/aws/aws-sdk-go-v2/service/rdsdata/types"
)

// TestAQueryWakesAPausedCluster has a cluster that is paused, whose first statements end in one error or
// the other.
func TestAQueryWakesAPausedCluster(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		lag  time.Duration
		code string // of the refusals, and of the outcome where they last
		want bool
	}{
		{"resuming", 3 * wakes, "DatabaseResumingException", true},
		{"too slow at first", wakes / 2, "StatementTimeoutException", true},
		{"too slow", 2 * wakes, "StatementTimeoutException", false},
	} {
		var began time.Time
		var n *noun
		n = scripted(t, func(any) (any, error) {
			if n.target.now().Before(began.Add(c.lag)) {
				return nil, refused(c.code)
			}
			return &rdsdata.ExecuteStatementOutput{Records: [][]types.Field{{&types.FieldMemberStringValue{Value: "open"}}}}, nil
		})
		began = n.target.now()
		got, err := dataAPI{target: n.target, rdsdata: n.clients.rdsdata, cluster: "c", secret: "s"}.query(t.Context(), "SELECT 'open'")
		if answered := slices.Equal(got, []string{"open"}); answered != c.want || !c.want && !coded(err, c.code) {
			t.Errorf("%s: got %q, error %v", c.name, got, err)
		}
	}
}
