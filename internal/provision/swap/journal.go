package swap

import (
	"context"
	"crypto/rand"
	"strings"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// save writes the record. A write whose answer was lost is repeated: nothing may be done on
// a record that may not be stored.
func (r *run) save(ctx context.Context) error {
	rec, err := insist(ctx, r.Machine, "record", r.want.ID(), func() (target.SlotRecord, error) {
		return r.driver.PutSlot(ctx, r.record, r.lease.get())
	})
	if err == nil {
		r.record = rec
	}
	return err
}

// enter records a phase.
func (r *run) enter(ctx context.Context, p target.Phase, note string) error {
	w, now := r.record.Swap, r.clock.Now()
	w.Phase, w.PhaseAt = p, now
	w.Steps = append(w.Steps, target.Step{Phase: p, At: now, Note: note})
	if p.Finished() {
		w.EndedAt = &now
	}
	r.since = now
	return r.save(ctx)
}

// abort records that the swap can't go on; its candidate is removed next.
func (r *run) abort(ctx context.Context, why string) error {
	w := r.record.Swap
	w.Reason, w.FailedIn = why, w.Phase
	return r.enter(ctx, target.PhaseAborting, why)
}

// advance records what a decision changes once its effect is done.
func (r *run) advance(ctx context.Context, d Decision, seen target.Observation) error {
	if d.Swap != nil {
		swap := *d.Swap
		r.record.Swap = &swap
	}
	w := r.record.Swap
	switch {
	case d.Do == Begin:
		w.By, r.mine = r.by, w.ID
	case d.Next == target.PhaseRollingBack:
		r.hold(r.by, w.Reason)
	case d.Next == target.PhaseSwitching && w.Phase == target.PhaseRollingBack:
		r.record.Hold = nil // it was not rolled back after all
	case d.Next == target.PhaseLive:
		if r.record.Passed == nil {
			r.record.Passed = map[target.Color]target.Passed{}
		}
		r.record.Passed[w.To] = target.Passed{
			SwapID: seen.Stacks[w.To].Spec.SwapID, Release: w.Release, Fingerprint: w.Fingerprint, At: r.clock.Now(),
		}
		r.record.Hold, r.record.Meta.Ready = nil, true
	}
	switch {
	case d.Next != "":
		return r.enter(ctx, d.Next, d.Note)
	case d.Swap != nil:
		return r.save(ctx)
	}
	return nil
}

// hold keeps the swap's release from coming again by itself.
func (r *run) hold(by, reason string) {
	w := r.record.Swap
	r.record.Hold = &target.Hold{
		Release: w.Release, Fingerprint: w.Fingerprint, Retry: r.record.Asked.Retry,
		By: by, At: r.clock.Now(), Reason: reason,
	}
}

// beginRollback records the intent and the hold in one write.
func (r *run) beginRollback(ctx context.Context, by, reason string) error {
	id, last := r.want.ID(), r.record.Swap
	if last != nil && last.Phase == target.PhaseRollingBack {
		r.mine, r.fingerprint = last.ID, last.Fingerprint
		return nil
	}
	seen, err := r.observe(ctx)
	if err != nil {
		return err
	}
	good := seen.Serving.Other()
	bad, standing := seen.Stacks[seen.Serving], seen.Stacks[good]
	passed, now := r.record.Passed[good], r.clock.Now()
	switch gap := unhealthy(standing); {
	case seen.Serving == "":
		return &NoFallbackError{id, "nothing serves in it"}
	case passed.SwapID == "" || passed.SwapID != standing.Spec.SwapID:
		return &NoFallbackError{id, "no fallback stands any more"}
	case gap != nil:
		return &NoFallbackError{id, "the fallback is not healthy: " + gap.String()}
	}
	w := &target.Swap{
		ID: newID(now), Phase: target.PhaseRollingBack, Requested: true,
		Release: bad.Spec.Definition.Release, Fingerprint: bad.Spec.Fingerprint,
		From: good, FromRelease: standing.Spec.Definition.Release, To: seen.Serving,
		By: by, StartedAt: now, PhaseAt: now, Reason: reason,
		Steps: []target.Step{{Phase: target.PhaseRollingBack, At: now, Note: reason}},
	}
	if last != nil && last.To == w.To {
		w.SwitchedAt, w.Probed = last.SwitchedAt, last.Probed
	}
	r.record.Swap, r.mine, r.fingerprint = w, w.ID, w.Fingerprint
	r.hold(by, reason)
	return r.save(ctx)
}

// newID is sortable by time and unique.
func newID(now time.Time) string {
	return now.UTC().Format("20060102-150405") + "-" + strings.ToLower(rand.Text()[:6])
}
