package decide

import (
	"fmt"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/swap/judge"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

const (
	// switchLimit is how long the router may refuse a stack that looks healthy, and how long
	// the front door may go on answering with another release after the switch.
	switchLimit = 30 * time.Second
	// maxVerifications is how often a candidate may have to pass the health gate.
	maxVerifications = 5
)

// Reached is the part of the traffic, in percent, that the swap's stack carries.
func (f Facts) Reached() int {
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

// Step is the share that the swap is to have, or to be watched with: how many of the policy's
// steps it has passed, the share in percent, and how long it is held. The policy may change
// meanwhile: those steps are passed that ask for less than the share that is reached, and the
// one that asks for just as much if it was held.
func (f Facts) Step() (passed, percent int, hold time.Duration) {
	w, p, reached := f.Record.Swap, f.Want.Policy, f.Reached()
	var steps []target.TrafficStep
	if !w.Reuse && w.From != "" {
		steps = p.Steps
	}
	for passed < len(steps) && (steps[passed].Percent < reached || steps[passed].Percent == reached && passed < w.StepsPassed) {
		passed++
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
func (f Facts) switching() *Decision {
	_, percent, _ := f.Step()
	reached := f.Reached()
	if reached == 0 {
		return first(f.proven(), f.refused(fail), f.move(percent))
	}
	if gap := f.sick(); gap != nil {
		return f.bad(gap.String())
	}
	switch reached {
	case 100:
		return f.confirmed()
	case percent:
		return f.watch("")
	}
	return first(f.well(), f.refused(f.bad), f.move(percent))
}

// refused gives a share up that the router did not take for long.
func (f Facts) refused(otherwise func(string) *Decision) *Decision {
	if f.waited() < switchLimit {
		return nil
	}
	return otherwise(fmt.Sprintf("the router did not take the candidate within %s%s", switchLimit, f.trouble()))
}

// move gives the swap's stack its share, or everything.
func (f Facts) move(percent int) *Decision {
	w := f.swap()
	if !w.Reuse {
		if d := f.freeze(w.From); d != nil {
			return d
		}
	}
	if percent < 100 {
		return &Decision{Do: SetTraffic, Traffic: target.Traffic{Color: w.From, Percent: percent, StickyBy: f.Want.Policy.StickyBy}}
	}
	if m, measured := f.Recent[w.From]; measured && w.Baseline == nil {
		w.Baseline = &m
		return &Decision{Swap: w}
	}
	return &Decision{Do: SetTraffic, Traffic: target.Traffic{Color: w.To}}
}

// proven leads back to a gate that a candidate without traffic does not pass any more.
func (f Facts) proven() *Decision {
	w := f.Record.Swap
	if d := f.keepUp(); d != nil {
		return d
	}
	if !w.Reuse && !f.tested() {
		return enter(target.PhaseTesting, "the test suite changed")
	}
	lost := f.missing(f.Seen.Stacks[w.To], judge.Routed)
	if lost == nil && !w.Reuse && f.renewed() {
		lost = &judge.Gap{What: "an instance was started, or lost its health, after the test"}
	}
	switch {
	case !f.approved():
		return enter(target.PhaseAwaitingApproval, "approval is asked for now")
	case lost != nil && times(w, target.PhaseVerifying) >= maxVerifications:
		return fail("the candidate lost its health again and again: " + lost.String())
	case lost != nil:
		return enter(target.PhaseVerifying, "the candidate lost its health before the switch")
	}
	return nil
}

// confirmed makes sure of a switch that was made: that it was to its end, when, and that the front
// door answers with the release.
func (f Facts) confirmed() *Decision {
	w := f.swap()
	switch {
	case w.SwitchedAt == nil && f.Moved == nil && f.waited() < switchLimit: // the run that began it may have died half-way
		return &Decision{Do: SetTraffic, Traffic: target.Traffic{Color: w.To}}
	case w.SwitchedAt == nil: // the answer was lost with a run, or after the drain
		w.SwitchedAt = &f.Now
		return &Decision{Swap: w}
	case w.Probed:
		return f.watch("")
	}
	if d := f.breach(100); d != nil {
		return d
	}
	if f.waited() >= switchLimit {
		return f.bad(fmt.Sprintf("the front door did not answer with release %s within %s after the switch%s", w.Release, switchLimit, f.trouble()))
	}
	return &Decision{Do: Probe}
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
