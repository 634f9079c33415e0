package swap

import (
	"context"
	"errors"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/swap/decide"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/swap/lease"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// run is one holder's work on one slot.
type run struct {
	*Machine
	lease              *lease.Lease
	want               target.Slot
	fingerprint, suite string
	record             target.SlotRecord
	// before is the policy that was asked for before this run.
	before target.Policy
	// rollback says that nothing but a rollback is asked for.
	rollback bool
	// held is called while somebody else has the slot, nil where there is nothing to do then.
	held func(context.Context) (stay bool, err error)
	// mine is the swap whose end is the end of this run: the one that it began or resumed.
	mine string
	// since is when this run last got something done, started the task that it started last,
	// watched when it began the watch that it is in, moved when it set the share that is not
	// watched yet, last what it decided from last.
	since   time.Time
	started string
	watched *time.Time
	moved   *time.Time
	last    decide.Facts
	// repaired are the seats whose stack this run has repaired, and when.
	repaired map[target.Color]time.Time
	// trouble is why the last effect has to be done again; cause is what made the swap fail.
	trouble, cause error
	// stopping is why the run was interrupted, while it cleans up.
	stopping error
}

// load reads the record; where there is none it stays zero.
func (r *run) load(ctx context.Context) error {
	rec, err := insist(ctx, r.Machine, "read", r.want.ID(), func() (target.SlotRecord, error) {
		return r.driver.GetSlot(ctx, r.want.ID())
	})
	if errors.Is(err, target.ErrNotFound) {
		rec, err = target.SlotRecord{}, nil
	}
	r.record, r.before = rec, rec.Asked.Policy
	return err
}

func (r *run) observe(ctx context.Context) (target.Observation, error) {
	return insist(ctx, r.Machine, "observe", r.want.ID(), func() (target.Observation, error) {
		return r.driver.Observe(ctx, r.want.ID())
	})
}

// resume makes a swap the one whose end is the end of this run.
func (r *run) resume(w *target.Swap) { r.record.Swap, r.mine, r.fingerprint = w, w.ID, w.Fingerprint }

// finishRollback completes a rollback that an earlier run left on its way. How it ended is
// in the record: the hold, which the caller meets next.
func (r *run) finishRollback(ctx context.Context) error {
	for w := r.record.Swap; w != nil && w.Phase == target.PhaseRollingBack; w = r.record.Swap {
		if _, err := r.step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// ask stores what is wanted, unless a hold forbids it.
func (r *run) ask(ctx context.Context) error {
	now := r.clock.Now()
	if r.record.Hold != nil {
		seen, err := r.observe(ctx)
		if err != nil {
			return err
		}
		if h := r.record.HeldBack(r.want, r.fingerprint, seen); h != nil {
			return &HoldError{r.want.ID(), *h, seen.Stacks[seen.Serving].Spec.Definition.Release}
		}
	}
	if m := &r.record.Meta; m.Generation == 0 {
		m.CreatedAt, m.Generation = now, 1
	} else if !target.Same(r.record.Asked, r.want) && m.Ready {
		m.Generation++
	}
	r.record.Meta.Owner, r.record.Meta.ChangedAt = r.by, now
	r.record.Asked = r.want
	if w := r.record.Swap; w != nil && !w.Phase.Finished() && w.Phase != target.PhaseAborting && !r.facts(target.Observation{}).Superseded() {
		r.mine = w.ID
	}
	return r.save(ctx)
}

func (r *run) facts(seen target.Observation) decide.Facts {
	now := r.clock.Now()
	return decide.Facts{
		Want: r.want, Fingerprint: r.fingerprint, Suite: r.suite, By: r.by, Record: r.record, Seen: seen, NewID: newID(now),
		Now: now, Since: r.since, Started: r.started, Watched: r.watched, Moved: r.moved, Trouble: r.trouble, Repaired: r.repaired,
	}
}

// drive steps until the swap has ended.
func (r *run) drive(ctx context.Context) error {
	for {
		if end, err := r.step(ctx); end || err != nil {
			return err
		}
		w := r.record.Swap
		if w == nil || w.ID != r.mine {
			continue
		}
		gaveUp := r.rollback && w.Phase != target.PhaseRollingBack
		if w.Phase.Finished() || w.Phase == target.PhaseDegraded || gaveUp {
			if done, err := r.outcome(ctx); done {
				return err
			}
		}
	}
}

// step observes, decides, acts and records once.
func (r *run) step(ctx context.Context) (end bool, err error) {
	seen, err := r.observe(ctx)
	if err != nil {
		return false, err
	}
	f := r.facts(seen)
	if err := r.measure(ctx, &f); err != nil {
		return false, err
	}
	r.last = f
	switch d := decide.Next(f); {
	case d.End:
		return true, nil
	case d.Stop != "":
		return false, r.stuck(seen, d.Stop)
	case d.Fail != "":
		return false, r.abort(ctx, d.Fail)
	case d.Wait:
		return false, r.clock.Sleep(ctx, r.pause)
	default:
		return false, r.do(ctx, d, f)
	}
}

// do does what was decided and records it. An effect that can't be done before the switch
// fails the swap; after it everything stays as it is.
func (r *run) do(ctx context.Context, d decide.Decision, f decide.Facts) error {
	err := r.act(ctx, d)
	var again *againError
	switch {
	case err == nil:
		r.trouble = nil
		switch d.Do {
		case decide.RetireStack: // it is repeated while waiting, which must not go on for ever
		case decide.Answer, decide.DropRequest: // whoever asks must not make it go on for ever either
		default:
			r.since = r.clock.Now()
		}
		return r.advance(ctx, d, f.Seen)
	case ctx.Err() != nil, errors.Is(err, target.ErrLeaseLost):
		return err
	case errors.As(err, &again), errors.Is(err, target.ErrServing), errors.Is(err, target.ErrUnavailable) && f.Patient():
		r.trouble = err
		if again != nil && again.pending {
			r.since = r.clock.Now()
		}
		return r.clock.Sleep(ctx, r.pause)
	case f.Undoable() && f.Record.Swap.Phase != target.PhaseAborting:
		r.cause = err
		return r.abort(ctx, err.Error())
	default:
		r.cause = err
		return r.stuck(f.Seen, err.Error())
	}
}
