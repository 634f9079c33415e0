package swap

import (
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// bad decides what to do with a release that carries traffic and should not: back, if what
// served before can answer, else it stays degraded.
func (f Facts) bad(why string) Decision {
	w := f.Record.Swap
	changed := *w
	if dead(f.Seen.Stacks[w.From]) == nil {
		changed.Reason, changed.FailedIn = why, w.Phase
		return Decision{Swap: &changed, Next: target.PhaseRollingBack, Note: why, Hold: true}
	}
	changed.Reason = why + ". It was not rolled back, since nothing healthy stands behind it"
	changed.FailedIn = w.Phase
	return Decision{Swap: &changed, Next: target.PhaseDegraded, Note: changed.Reason}
}

// replaced makes way for another release while this one carries traffic: back to what served
// before, without a hold, or where that can't answer, on from here.
func (f Facts) replaced() Decision {
	w := f.Record.Swap
	switch {
	case dead(f.Seen.Stacks[w.From]) == nil && times(w, target.PhaseRollingBack) == 0:
		changed := *w
		changed.Reason, changed.FailedIn = f.meanwhile(), w.Phase
		return Decision{Swap: &changed, Next: target.PhaseRollingBack, Note: changed.Reason}
	case f.reached() == 100:
		return f.begin(true, f.meanwhile())
	case f.waited() >= switchLimit:
		return Decision{Stop: "neither release can answer all requests, so that no other one could be begun" + f.trouble()}
	}
	return Decision{Do: SetTraffic, Traffic: target.Traffic{Color: w.To}}
}

// rollingBack sends the traffic to From and removes To. If From can't take it any more, the
// release goes on being watched, stays degraded, or stays what it was.
func (f Facts) rollingBack() Decision {
	w := f.Record.Swap
	if f.Seen.Serving != w.From || f.Seen.Percent > 0 {
		const note = "not rolled back: the fallback lost its health"
		switch gaveUp := dead(f.Seen.Stacks[w.From]) != nil || f.waited() >= switchLimit; {
		case !gaveUp:
			return Decision{Do: SetTraffic, Traffic: target.Traffic{Color: w.From}}
		case times(w, target.PhasePreparing) == 0: // it was live before it was to go
			return Decision{Next: target.PhaseLive, Note: note}
		case w.Requested, f.superseded():
			return Decision{Next: target.PhaseWatching, Note: note}
		}
		changed := *w
		changed.Reason = w.Reason + ". It was " + note
		return Decision{Swap: &changed, Next: target.PhaseDegraded, Note: note}
	}
	if d, more := f.handOver(w.To, w.From); more {
		return d
	}
	if _, there := f.Seen.Stacks[w.To]; there {
		return f.remove(w.To)
	}
	if d, more := f.free(w.From, f.Seen.Stacks[w.From].Spec.Definition); more {
		return d
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
	if f.reached() > 0 {
		return Decision{Next: target.PhaseSwitching, Note: "the switch was made after all"}
	}
	if d, more := f.tidy(""); more {
		return d
	}
	if st, there := f.Seen.Stacks[w.To]; there && st.Spec.SwapID == w.ID {
		return Decision{Do: DeleteStack, Color: w.To}
	}
	if d, more := f.free(f.Seen.Serving, f.Seen.Stacks[f.Seen.Serving].Spec.Definition); more {
		return d
	}
	return Decision{Next: target.PhaseFailed}
}
