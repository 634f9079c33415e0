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
	// maxVerifications is how often a candidate may have to pass the health gate.
	maxVerifications = 5
)

// reached is the part of the traffic, in percent, that the swap's stack carries.
func (f Facts) reached() int {
	w := f.Record.Swap
	switch {
	case !f.seated():
		return 0
	case f.Seen.Serving == w.To:
		return 100 - f.Seen.Percent
	case f.Seen.Serving == w.From:
		return f.Seen.Percent
	}
	return 0
}

// step is the share that the swap is to have, or to be watched with: how many of the policy's
// steps it has passed, the share in percent, and how long it is held. The policy may change
// meanwhile: those steps are passed that ask for less than the share that is reached.
func (f Facts) step() (passed, percent int, hold time.Duration) {
	w, p, reached := f.Record.Swap, f.Want.Policy, f.reached()
	var steps []target.TrafficStep
	if !w.Reuse && w.From != "" {
		steps = p.Steps
	}
	passed = min(w.StepsPassed, len(steps))
	for passed < len(steps) && steps[passed].Percent < reached {
		passed++
	}
	for passed > 0 && steps[passed-1].Percent > reached {
		passed--
	}
	switch {
	case passed < len(steps):
		return passed, steps[passed].Percent, seconds(steps[passed].HoldSeconds)
	case w.Reuse:
		return passed, 100, 0
	}
	return passed, 100, seconds(p.BakeSeconds)
}

// switching moves the next share of the traffic, the first one once everything is proven.
func (f Facts) switching() Decision {
	w := f.Record.Swap
	passed, percent, _ := f.step()
	reached := f.reached()
	if reached == 0 {
		if d, more := f.proven(); more {
			return d
		}
	} else if gap := f.sick(); gap != nil {
		return f.bad(gap.String())
	}
	if reached == 100 {
		return f.confirmed(passed)
	}
	if reached == percent {
		return f.watch(passed)
	}
	if f.waited() >= switchLimit {
		why := fmt.Sprintf("the router did not take the candidate within %s%s", switchLimit, f.trouble())
		if reached == 0 {
			return Decision{Fail: why}
		}
		return f.bad(why)
	}
	old, there := f.Seen.Stacks[w.From]
	if d, more := f.freeze(old); more && !w.Reuse {
		return d
	}
	if percent < 100 {
		return Decision{Do: SetTraffic, Traffic: target.Traffic{Color: w.From, Percent: percent, StickyBy: f.Want.Policy.StickyBy}}
	}
	if m, measured := f.Recent[w.From]; there && measured && w.Baseline == nil {
		changed := *w
		changed.Baseline = &m
		return Decision{Swap: &changed}
	}
	return Decision{Do: SetTraffic, Traffic: target.Traffic{Color: w.To}}
}

// proven leads back to a gate that a candidate without traffic does not pass any more.
func (f Facts) proven() (Decision, bool) {
	w := f.Record.Swap
	if d, more := f.keepUp(); more {
		return d, true
	}
	if !w.Reuse && !f.tested() {
		return Decision{Next: target.PhaseTesting, Note: "the test suite changed"}, true
	}
	lost := f.missing(f.Seen.Stacks[w.To], routed)
	if lost == nil && !w.Reuse && f.renewed() {
		lost = &gap{what: "an instance was started, or lost its health, after the test"}
	}
	switch {
	case !f.approved():
		return Decision{Next: target.PhaseAwaitingApproval, Note: "approval is asked for now"}, true
	case lost != nil && times(w, target.PhaseVerifying) >= maxVerifications:
		return Decision{Fail: "the candidate lost its health again and again: " + lost.String()}, true
	case lost != nil:
		return Decision{Next: target.PhaseVerifying, Note: "the candidate lost its health before the switch"}, true
	}
	return Decision{}, false
}

// confirmed makes sure of a switch that was made: when it was, and that the front door
// answers with the release.
func (f Facts) confirmed(passed int) Decision {
	w := f.Record.Swap
	switch {
	case w.SwitchedAt == nil: // the answer was lost with a run, or after the drain
		switched := *w
		switched.SwitchedAt = &f.Now
		return Decision{Swap: &switched}
	case w.Probed:
		return f.watch(passed)
	case f.waited() >= switchLimit:
		return f.bad(fmt.Sprintf("the front door did not answer with release %s within %s after the switch%s", w.Release, switchLimit, f.trouble()))
	}
	return Decision{Do: Probe}
}

// watch begins the watch of a share.
func (f Facts) watch(passed int) Decision {
	changed := *f.Record.Swap
	changed.StepsPassed, changed.WatchedFrom = passed, nil
	return Decision{Swap: &changed, Next: target.PhaseWatching}
}

// freeze keeps a stack from getting smaller than it is: without traffic it would shrink and
// be no fallback.
func (f Facts) freeze(st target.StackStatus) (Decision, bool) {
	want := st.Spec
	want.Capacity = nil
	for name, n := range size(st) {
		if n = max(n, st.Spec.Capacity[name]); n > 0 {
			if want.Capacity == nil {
				want.Capacity = map[string]int{}
			}
			want.Capacity[name] = n
		}
	}
	return Decision{Do: PutStack, Stack: want}, !target.Same(want, st.Spec)
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
