package swap

import (
	"fmt"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// stopMargin is how much longer than it says a worker may take to stop.
const stopMargin = 30 * time.Second

// handOver stops the workers of one stack and then starts those of the other: two releases
// must never both take jobs.
func (f Facts) handOver(from, to target.Color) (Decision, bool) {
	if old, there := f.Seen.Stacks[from]; there {
		if !old.Spec.HoldWorkers {
			held := old.Spec
			held.HoldWorkers = true
			return Decision{Do: PutStack, Stack: held}, true
		}
		for _, i := range old.Instances {
			c := old.Spec.Definition.Components[i.Component]
			switch limit := c.StopTimeout() + stopMargin; {
			case !i.Running || !c.Worker():
			case f.waited() >= limit:
				return Decision{Stop: fmt.Sprintf("component %q of release %s did not stop within %s, so that the workers of the other release were not started", i.Component, old.Spec.Definition.Release, limit)}, true
			default:
				return Decision{Wait: true}, true
			}
		}
	}
	if st, there := f.Seen.Stacks[to]; there && st.Spec.HoldWorkers {
		free := st.Spec
		free.HoldWorkers = false
		return Decision{Do: PutStack, Stack: free}, true
	}
	return Decision{}, false
}

// workersWatched judges the workers that took over: one that ends is a breach, and all must
// have held their health before the swap may end.
func (f Facts) workersWatched() (Decision, bool) {
	st := f.Seen.Stacks[f.Record.Swap.To]
	for _, i := range st.Instances {
		if st.Spec.Definition.Components[i.Component].Worker() && (i.Restarts > 0 || i.Permanent) {
			return f.bad(instanceGap(st, i, "ended after it took over").String()), true
		}
	}
	limit := seconds(f.Want.Policy.StartTimeoutSeconds)
	switch gap := f.missing(st, working); {
	case gap == nil:
		return Decision{}, false
	case f.waited() < limit:
		return Decision{Wait: true}, true
	default:
		return f.bad(gap.within(limit)), true
	}
}
