package swap

import (
	"context"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// beginRollback records the intent and the hold in one write.
func (r *run) beginRollback(ctx context.Context, by, reason string) error {
	last := r.record.Swap
	seen, err := r.observe(ctx)
	if err != nil {
		return err
	}
	r.last = r.facts(seen)
	var w *target.Swap
	switch {
	case last != nil && last.Phase == target.PhaseRollingBack:
		r.mine, r.fingerprint = last.ID, last.Fingerprint
		return nil
	case last != nil && !last.Phase.Finished():
		w, err = r.backInFlight()
	default:
		w, err = r.backFromLive(by)
	}
	if err != nil {
		return err
	}
	w.Requested, w.Reason, w.FailedIn = true, reason, w.Phase
	r.record.Swap, r.mine, r.fingerprint = w, w.ID, w.Fingerprint
	r.hold(by, reason)
	return r.enter(ctx, target.PhaseRollingBack, reason)
}

// backInFlight is the swap that is under way, if it can go back.
func (r *run) backInFlight() (*target.Swap, error) {
	id, f, w := r.want.ID(), r.last, *r.record.Swap
	if f.reached() == 0 {
		return nil, &NoFallbackError{id, "release " + w.Release + " has no traffic yet"}
	}
	if gap := dead(f.Seen.Stacks[w.From]); gap != nil {
		return nil, &NoFallbackError{id, "what served before is not healthy: " + gap.String()}
	}
	return &w, nil
}

// backFromLive is a swap of its own, from what serves to the fallback.
func (r *run) backFromLive(by string) (*target.Swap, error) {
	id, seen, last := r.want.ID(), r.last.Seen, r.record.Swap
	good := seen.Serving.Other()
	bad, standing := seen.Stacks[seen.Serving], seen.Stacks[good]
	passed, now := r.record.Passed[good], r.clock.Now()
	switch gap := dead(standing); {
	case seen.Serving == "":
		return nil, &NoFallbackError{id, "nothing serves in it"}
	case passed.SwapID == "" || passed.SwapID != standing.Spec.SwapID:
		return nil, &NoFallbackError{id, "no fallback stands any more"}
	case gap != nil:
		return nil, &NoFallbackError{id, "the fallback is not healthy: " + gap.String()}
	}
	w := &target.Swap{
		ID: newID(now), Release: bad.Spec.Definition.Release, Fingerprint: bad.Spec.Fingerprint,
		From: good, FromRelease: standing.Spec.Definition.Release, To: seen.Serving,
		By: by, Host: host(), StartedAt: now,
	}
	if last != nil && last.To == w.To {
		w.SwitchedAt, w.Probed = last.SwitchedAt, last.Probed
	}
	return w, nil
}
