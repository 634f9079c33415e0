package decide

import (
	"fmt"
	"slices"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/swap/judge"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// stopMargin is how much longer than it says a worker may take to stop: who counts and stops it may need
// a minute to begin.
const stopMargin = 90 * time.Second

// handOver stops the workers of one stack and then starts those of the other: two releases
// must never both take jobs.
func (f Facts) handOver(from, to target.Color) *Decision {
	return first(f.holdWorkers(from, true), f.stopped(from), f.holdWorkers(to, false))
}

// holdWorkers keeps the workers of a stack stopped, or lets them run.
func (f Facts) holdWorkers(c target.Color, hold bool) *Decision {
	st, there := f.Seen.Stacks[c]
	if !there {
		return nil
	}
	st.Spec.HoldWorkers = hold
	return f.put(st.Spec)
}

// stopped waits until no worker of a stack runs, or is to. Those that somebody else has started stop when
// the stack is put again.
func (f Facts) stopped(c target.Color) *Decision {
	st := f.Seen.Stacks[c]
	for _, name := range target.SortedKeys(st.Spec.Definition.Components) {
		worker := st.Spec.Definition.Components[name]
		runs := slices.ContainsFunc(st.Of(name), func(i target.InstanceStatus) bool { return i.Running })
		switch limit := worker.StopTimeout() + stopMargin; {
		case !worker.Worker() || !runs && st.Scale[name] == 0:
		case f.waited() >= limit:
			return stop(fmt.Sprintf("component %q of release %s did not stop within %s, so that the workers of the other release were not started", name, st.Spec.Definition.Release, limit))
		default:
			return first(f.putAgain(c), wait())
		}
	}
	return nil
}

// workers changes the workers over once the release has all of the traffic, and judges those
// that took over: one that ends is a breach, and all must have held their health before the
// swap may end.
func (f Facts) workers(percent int) *Decision {
	w := f.Record.Swap
	if percent < 100 {
		return nil
	}
	if d := f.handOver(w.From, w.To); d != nil {
		return d
	}
	st := f.Seen.Stacks[w.To]
	if gap := judge.Ended(st); gap != nil {
		return f.bad(gap.String())
	}
	return f.gate(st, judge.Working, f.bad)
}
