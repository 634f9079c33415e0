package decide

import (
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/swap/judge"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// RollBack is the swap whose way back a rollback is, or why there can be none: the one that is
// under way, or where none is, one of its own from what serves to the fallback.
func RollBack(f Facts, reason string) (w *target.Swap, refusal string) {
	switch w = f.Record.Swap; {
	case w != nil && w.Phase == target.PhaseRollingBack:
		return w, ""
	case w != nil && !w.Phase.Finished():
		w, refusal = f.backInFlight()
	default:
		w, refusal = f.backFromLive()
	}
	if refusal == "" {
		w.Requested, w.Reason, w.FailedIn = true, reason, w.Phase
	}
	return w, refusal
}

func (f Facts) backInFlight() (*target.Swap, string) {
	w := f.swap()
	if f.Reached() == 0 {
		return nil, "release " + w.Release + " has no traffic yet"
	}
	if gap := judge.Dead(f.Seen.Stacks[w.From]); gap != nil {
		return nil, "what served before is not healthy: " + gap.String()
	}
	return w, ""
}

func (f Facts) backFromLive() (*target.Swap, string) {
	serving, last := f.Seen.Serving, f.Record.Swap
	bad, fallback := f.Seen.Stacks[serving].Spec, f.Seen.Stacks[serving.Other()]
	switch gap := judge.Dead(fallback); {
	case serving == "":
		return nil, "nothing serves in it"
	case !f.provenIn(serving.Other()):
		return nil, "no fallback stands any more"
	case gap != nil:
		return nil, "the fallback is not healthy: " + gap.String()
	}
	w := &target.Swap{
		ID: f.NewID, Release: bad.Definition.Release, Fingerprint: bad.Fingerprint,
		From: serving.Other(), FromRelease: fallback.Spec.Definition.Release, To: serving, StartedAt: f.Now,
	}
	if last != nil && last.To == w.To {
		w.SwitchedAt, w.Probed = last.SwitchedAt, last.Probed
	}
	return w, ""
}
