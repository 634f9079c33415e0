package swap

import (
	"fmt"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

const (
	// switchLimit is how long the router may refuse a stack that looks healthy, and how long
	// the front door may go on answering with another release after the switch.
	switchLimit = 30 * time.Second
	// stopLimit is how long the workers of a stack may take to stop.
	stopLimit = time.Minute
)

// switching moves the traffic, once everything is proven.
func (f Facts) switching() Decision {
	w := f.Record.Swap
	if d, more := f.keepUp(); more {
		return d
	}
	gap := f.missing(f.Seen.Stacks[w.To], false)
	switch {
	case !w.Reuse && w.TestedSuite != f.Suite:
		return Decision{Next: target.PhaseTesting, Note: "the test suite changed"}
	case gap != nil && times(w, target.PhaseVerifying) >= maxVerifications:
		return Decision{Fail: "the candidate lost its health again and again: " + gap.String()}
	case gap != nil:
		return Decision{Next: target.PhaseVerifying, Note: "the candidate lost its health before the switch"}
	case f.waited() >= switchLimit:
		return Decision{Fail: fmt.Sprintf("the router did not take the candidate within %s%s", switchLimit, f.trouble())}
	}
	return Decision{Do: Serve, Color: w.To}
}

// settling does everything that follows from the switch. Each step is told from what is
// seen, so it can be resumed anywhere.
func (f Facts) settling() Decision {
	w := f.Record.Swap
	if w.SwitchedAt == nil { // the answer was lost with a run, or after the drain
		switched := *w
		switched.SwitchedAt = &f.Now
		return Decision{Swap: &switched}
	}
	if !w.Probed {
		if f.waited() >= switchLimit {
			return f.bad(fmt.Sprintf("the front door did not answer with release %s within %s after the switch%s", w.Release, switchLimit, f.trouble()))
		}
		return Decision{Do: Probe}
	}
	if to := f.Seen.Stacks[w.To].Spec; w.Reuse && !f.superseded() {
		to.Capacity = atLeast(to.Capacity, f.Seen.Stacks[w.From].Spec.Capacity)
		if want := f.inPlace(to); !target.Same(want, f.Seen.Stacks[w.To].Spec) {
			return Decision{Do: PutStack, Stack: want}
		}
	}
	for _, next := range []func() (Decision, bool){
		func() (Decision, bool) { return f.handOver(w.From, w.To) },
		f.keepFallback,
		func() (Decision, bool) { return f.tidy("") },
	} {
		if d, more := next(); more {
			return d
		}
	}
	return Decision{Next: target.PhaseLive}
}

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
			switch {
			case !i.Running || !old.Spec.Definition.Components[i.Component].Worker():
			case f.waited() >= stopLimit:
				return Decision{Stop: fmt.Sprintf("component %q of release %s did not stop within %s, so that the workers of the other release were not started", i.Component, old.Spec.Definition.Release, stopLimit)}, true
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

// keepFallback sets the old stack's deadline, or removes it where none is wanted.
func (f Facts) keepFallback() (Decision, bool) {
	w, p := f.Record.Swap, f.Want.Policy
	old, there := f.Seen.Stacks[w.From]
	if !there {
		return Decision{}, false
	}
	switch {
	case p.FallbackUntilNextRelease && old.RetireAt != nil:
		return Decision{Do: RetireStack, Color: w.From}, true
	case p.FallbackUntilNextRelease:
		return Decision{}, false
	case p.FallbackWindowSeconds == 0:
		return f.remove(w.From), true
	}
	at := w.SwitchedAt.Add(time.Duration(p.FallbackWindowSeconds) * time.Second)
	if old.RetireAt == nil || !old.RetireAt.Equal(at) {
		return Decision{Do: RetireStack, Color: w.From, At: &at}, true
	}
	return Decision{}, false
}

// bad decides what to do with a release that serves and should not: back, once, if what
// served before is healthy.
func (f Facts) bad(why string) Decision {
	w := f.Record.Swap
	old, there := f.Seen.Stacks[w.From]
	changed := *w
	switch {
	case there && unhealthy(old) == nil && times(w, target.PhaseRollingBack) == 0:
		changed.Reason = why
		return Decision{Swap: &changed, Next: target.PhaseRollingBack, Note: why}
	case f.superseded(): // the release that is wanted is the way out
		return Decision{Next: target.PhaseLive, Note: why + "; it stays until the next release, since nothing healthy stands behind it"}
	}
	return Decision{Stop: why + ". It was not rolled back, since nothing healthy stands behind it"}
}

// rollingBack sends the traffic to From and removes To.
func (f Facts) rollingBack() Decision {
	w := f.Record.Swap
	if f.Seen.Serving != w.From {
		if gap := unhealthy(f.Seen.Stacks[w.From]); gap != nil || f.waited() >= switchLimit {
			return Decision{Next: target.PhaseSwitching, Note: "not rolled back: the fallback lost its health"}
		}
		return Decision{Do: Serve, Color: w.From}
	}
	if d, more := f.handOver(w.To, w.From); more {
		return d
	}
	if _, there := f.Seen.Stacks[w.To]; there {
		return f.remove(w.To)
	}
	if d, more := f.tidy(""); more {
		return d
	}
	return Decision{Next: target.PhaseRolledBack}
}

// aborting removes the candidate of a swap that failed before its switch. A fallback in its
// seat stays what it is.
func (f Facts) aborting() Decision {
	w := f.Record.Swap
	st, there := f.Seen.Stacks[w.To]
	switch d, more := f.tidy(""); {
	case f.Seen.Serving == w.To && f.seated():
		return Decision{Next: target.PhaseSwitching, Note: "the switch was made after all"}
	case more:
		return d
	case there && st.Spec.SwapID == w.ID:
		return Decision{Do: DeleteStack, Color: w.To}
	}
	return Decision{Next: target.PhaseFailed}
}

// trouble is why the last effect did not work, for people.
func (f Facts) trouble() string {
	if f.Trouble == nil {
		return ""
	}
	return fmt.Sprintf(" (%v)", f.Trouble)
}

// times is how often a swap has entered a phase.
func times(w *target.Swap, p target.Phase) int {
	n := 0
	for _, s := range w.Steps {
		if s.Phase == p {
			n++
		}
	}
	return n
}

// atLeast is the higher of two capacities, by component.
func atLeast(a, b map[string]int) map[string]int {
	out := map[string]int{}
	for name, n := range a {
		out[name] = max(n, b[name])
	}
	return out
}
