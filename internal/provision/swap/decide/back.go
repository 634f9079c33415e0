package decide

import (
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/swap/judge"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// bad decides what to do with a release that carries traffic and should not: back, if what
// served before can answer, else it stays degraded.
func (f Facts) bad(why string) *Decision {
	if judge.Dead(f.Seen.Stacks[f.Record.Swap.From]) == nil {
		d := f.leave(target.PhaseRollingBack, why)
		d.Hold = true
		return d
	}
	return f.leave(target.PhaseDegraded, why+". It was not rolled back, since nothing healthy stands behind it")
}

// leave ends the way to live for a reason.
func (f Facts) leave(p target.Phase, why string) *Decision {
	w := f.swap()
	w.Reason, w.FailedIn, w.Requested = why, w.Phase, false
	return &Decision{Swap: w, Next: p, Note: why}
}

// replaced makes way for another release while this one carries traffic: back to what served
// before, without a hold, or where that can't answer, on from here.
func (f Facts) replaced() *Decision {
	w := f.Record.Swap
	switch {
	case judge.Dead(f.Seen.Stacks[w.From]) == nil && times(w, target.PhaseRollingBack) == 0:
		return f.leave(target.PhaseRollingBack, f.meanwhile())
	case f.Reached() == 100:
		return f.begin(true, f.meanwhile())
	case f.waited() >= switchLimit:
		return stop("neither release can answer all requests, so that no other one could be begun" + f.trouble())
	}
	return &Decision{Do: SetTraffic, Traffic: target.Traffic{Color: w.To}}
}

// rollingBack sends the traffic to From and removes To.
func (f Facts) rollingBack() *Decision {
	w := f.Record.Swap
	if f.Seen.Serving != w.From || f.Seen.Percent > 0 {
		return f.sendBack()
	}
	return first(
		f.handOver(w.To, w.From),
		f.remove(w.To),
		f.free(w.From, f.Seen.Stacks[w.From].Spec.Definition),
		f.endTasks(all),
		enter(target.PhaseRolledBack, ""),
	)
}

// sendBack moves the traffic back. If From can't take it any more, the release goes on being
// watched, stays degraded, or stays what it was.
func (f Facts) sendBack() *Decision {
	const note = "not rolled back: the fallback lost its health"
	w := f.swap()
	switch gaveUp := judge.Dead(f.Seen.Stacks[w.From]) != nil || f.waited() >= switchLimit; {
	case !gaveUp:
		return &Decision{Do: SetTraffic, Traffic: target.Traffic{Color: w.From}}
	case w.WasLive():
		return enter(target.PhaseLive, note)
	case w.Requested, f.Superseded():
		return f.again(note)
	}
	w.Reason += ". It was " + note
	return &Decision{Swap: w, Next: target.PhaseDegraded, Note: note}
}

// aborting removes the candidate of a swap that failed before its switch. A fallback in its
// seat stays what it is.
func (f Facts) aborting() *Decision {
	w, serving := f.Record.Swap, f.Seen.Serving
	if f.Reached() > 0 {
		return enter(target.PhaseSwitching, "the switch was made after all")
	}
	tidy := f.endTasks(all)
	if st, there := f.Seen.Stacks[w.To]; tidy == nil && there && st.Spec.SwapID == w.ID {
		return &Decision{Do: DeleteStack, Color: w.To}
	}
	return first(tidy, f.free(serving, f.Seen.Stacks[serving].Spec.Definition), enter(target.PhaseFailed, ""))
}
