package awstarget_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget/awstest"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// swap counts the calls of a swap of the first slot, in a process of its own: those of the looks,
// which are as many as the swap takes long, apart from those that bring it about.
func (p *platform) swap(b *testing.B) {
	for b.Loop() {
		p.release++
		calls := awstest.NewCalls(http.DefaultTransport)
		run := &looking{calls: calls, Target: p.lab.client(b, func(_ *awstarget.Settings, o *awstarget.Options) {
			o.Transport = func(http.RoundTripper) http.RoundTripper { return calls }
		})}
		want := target.Slot{
			Environment: p.slots[0].Environment, Name: p.slots[0].Name, Definition: served(p.slots[0].Name),
			Policy: target.Policy{StartTimeoutSeconds: 60, MinimumHealthySeconds: 1, DrainSeconds: 1, FallbackWindowSeconds: 3600},
		}
		want.Definition.Release = fmt.Sprint("benchmark-", p.release)
		if _, err := provision.New(run, "me", provision.Options{}).UpdateSlot(b.Context(), want); err != nil {
			b.Fatal(err)
		}
		report(b, run.others())
		b.ReportMetric(float64(len(calls.Made())), "calls-with-looks")
		b.ReportMetric(float64(run.looks), "looks")
		b.ReportMetric(float64(len(run.seen))/float64(run.looks), "calls/look")
	}
}

// looking is a client that tells the calls of looks from the others. Looks are one after the other.
type looking struct {
	*awstarget.Target
	calls *awstest.Calls
	looks int
	seen  []string
}

func (l *looking) during(f func()) {
	before := len(l.calls.Made())
	f()
	l.seen = append(l.seen, l.calls.Made()[before:]...)
}

func (l *looking) Observe(ctx context.Context, id target.SlotID) (obs target.Observation, err error) {
	l.looks++
	l.during(func() { obs, err = l.Target.Observe(ctx, id) })
	return obs, err
}

func (l *looking) Measure(ctx context.Context, id target.SlotID, from time.Time) (m map[target.Color]target.Measurement, err error) {
	l.during(func() { m, err = l.Target.Measure(ctx, id, from) })
	return m, err
}

// others are the calls that are not of looks.
func (l *looking) others() []string {
	count := map[string]int{}
	for _, call := range l.seen {
		count[call]++
	}
	var rest []string
	for _, call := range l.calls.Made() {
		if count[call]--; count[call] < 0 {
			rest = append(rest, call)
		}
	}
	return rest
}
