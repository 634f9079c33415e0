package swap

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// cleanUpTime bounds how long an interrupted run may take to remove its candidate.
const cleanUpTime = 30 * time.Second

// run is one holder's work on one slot.
type run struct {
	*Machine
	lease              *lease
	want               target.Slot
	fingerprint, suite string
	record             target.SlotRecord
	// rollback says that nothing but a rollback is asked for.
	rollback bool
	// mine is the swap whose end is the end of this run: the one that it began or resumed.
	mine string
	// since is when this run last got something done, started the task that it started last,
	// watched when it began the watch that it is in, last what it decided from last.
	since   time.Time
	started string
	watched *time.Time
	last    Facts
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
	r.record = rec
	return err
}

func (r *run) observe(ctx context.Context) (target.Observation, error) {
	return insist(ctx, r.Machine, "observe", r.want.ID(), func() (target.Observation, error) {
		return r.driver.Observe(ctx, r.want.ID())
	})
}

// finishRollback completes a rollback that an earlier run left on its way. How it ended is
// in the record: the hold, which the caller meets next.
func (r *run) finishRollback(ctx context.Context) error {
	if w := r.record.Swap; w == nil || w.Phase != target.PhaseRollingBack {
		return nil
	}
	for r.record.Swap.Phase == target.PhaseRollingBack {
		if _, err := r.step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// ask stores what is wanted, unless a hold forbids it.
func (r *run) ask(ctx context.Context) error {
	now, d := r.clock.Now(), r.want.Definition
	if h := r.record.Hold; h != nil && h.Release == d.Release && h.Fingerprint == r.fingerprint && r.want.Retry <= h.Retry {
		seen, err := r.observe(ctx)
		if err != nil {
			return err
		}
		return &HoldError{r.want.ID(), *h, seen.Stacks[seen.Serving].Spec.Definition.Release}
	}
	if m := &r.record.Meta; m.Generation == 0 {
		m.CreatedAt, m.Generation = now, 1
	} else if !target.Same(r.record.Asked, r.want) && m.Ready {
		m.Generation++
	}
	r.record.Meta.Owner, r.record.Meta.ChangedAt = r.by, now
	r.record.Asked = r.want
	if w := r.record.Swap; w != nil && !w.Phase.Finished() && w.Phase != target.PhaseAborting && !r.facts(target.Observation{}).superseded() {
		r.mine = w.ID
	}
	return r.save(ctx)
}

func (r *run) facts(seen target.Observation) Facts {
	now := r.clock.Now()
	return Facts{
		Want: r.want, Fingerprint: r.fingerprint, Suite: r.suite, By: r.by, Record: r.record, Seen: seen, NewID: newID(now),
		Now: now, Since: r.since, Started: r.started, Watched: r.watched, Trouble: r.trouble,
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
	switch d := Decide(f); {
	case d.End:
		return true, nil
	case d.Stop != "":
		return false, r.stuck(seen, d.Stop)
	case d.Wait:
		return false, r.clock.Sleep(ctx, r.pause)
	default:
		return false, r.do(ctx, d, f)
	}
}

// do does what was decided and records it. An effect that can't be done before the switch
// fails the swap; after it everything stays as it is.
func (r *run) do(ctx context.Context, d Decision, f Facts) error {
	if d.Fail != "" {
		return r.abort(ctx, d.Fail)
	}
	err := r.act(ctx, d)
	var again *againError
	switch {
	case err == nil:
		r.trouble = nil
		if d.Do != RetireStack { // it is repeated while waiting, which must not go on for ever
			r.since = r.clock.Now()
		}
		return r.advance(ctx, d, f.Seen)
	case ctx.Err() != nil, errors.Is(err, target.ErrLeaseLost):
		return err
	case errors.As(err, &again), errors.Is(err, target.ErrServing), errors.Is(err, target.ErrUnavailable) && f.waited() < f.patience():
		r.trouble = err
		return r.clock.Sleep(ctx, r.pause)
	case f.undoable() && f.Record.Swap.Phase != target.PhaseAborting:
		r.cause = err
		return r.abort(ctx, err.Error())
	default:
		r.cause = err
		return r.stuck(f.Seen, err.Error())
	}
}

// stuck ends a run that can't go on and has nothing to undo.
func (r *run) stuck(seen target.Observation, why string) error {
	w := r.record.Swap
	switch {
	case w == nil || w.Phase.Finished():
		w = &target.Swap{Release: r.want.Definition.Release}
	case w.Phase == target.PhaseAborting:
		why = w.Reason + "; then its candidate could not be removed: " + why
	}
	return &FailedError{r.want.ID(), w.Release, w.Phase, why, r.truth(seen) + putRight, r.cause}
}

// outcome turns the end of this run's swap into its result. A success goes on, so that what
// was asked is compared once more with what serves.
func (r *run) outcome(ctx context.Context) (done bool, err error) {
	id, w := r.want.ID(), r.record.Swap
	seen, err := r.observe(ctx)
	if err != nil {
		return true, err
	}
	truth := r.truth(seen)
	switch {
	case r.stopping != nil:
		return true, &InterruptedError{id, w.Release, w.FailedIn, truth + applyAgain, r.stopping}
	case w.Phase == target.PhaseFailed:
		return true, &FailedError{id, w.Release, w.FailedIn, w.Reason, truth + putRight, r.cause}
	case r.rollback && w.Phase != target.PhaseRolledBack:
		return true, &NoFallbackError{id, "what served before lost its health on the way"}
	case w.Phase == target.PhaseRolledBack && !r.rollback:
		return true, &FailedError{id, w.Release, w.FailedIn, w.Reason, truth, r.cause}
	case w.Phase == target.PhaseDegraded:
		return true, &FailedError{id, w.Release, w.FailedIn, w.Reason, truth + watchedAgain, r.cause}
	}
	return r.rollback, nil
}

// interrupted leaves the slot in order: before the switch the candidate is removed, after it
// everything stays and the next run goes on. Without the lease nothing may be done at all.
func (r *run) interrupted(leased context.Context, cause error) error {
	e := &InterruptedError{Slot: r.want.ID(), Release: r.want.Definition.Release, Cause: cause}
	base := leased
	if leased.Err() != nil {
		base = context.WithoutCancel(leased) // to look, not to do
	}
	ctx, cancel := r.within(base, cleanUpTime)
	defer cancel()
	err := r.load(ctx) // the answer to the last write may be what was cut off
	seen, seeErr := r.observe(ctx)
	r.last = r.facts(seen)
	if err := errors.Join(err, seeErr); err != nil {
		e.Truth, e.Cause = "What is true now could not be seen."+goesOn, errors.Join(cause, err)
		return e
	}
	w := r.record.Swap
	if w != nil && !w.Phase.Finished() {
		e.Release, e.Phase = w.Release, w.Phase
	}
	switch {
	case e.Phase == "":
		e.Truth = r.truth(seen) + applyAgain
		return e
	case leased.Err() != nil || !r.facts(seen).undoable():
		e.Truth = r.truth(seen) + goesOn
		return e
	case w.Phase != target.PhaseAborting:
		r.stopping = cause
		err = r.abort(ctx, "interrupted"+interruption(cause))
	}
	r.mine = w.ID
	if err == nil {
		err = r.drive(ctx)
	}
	if err != nil && !isOutcome(err) {
		e.Truth, err = r.truth(seen)+fmt.Sprintf(" The candidate was not removed within %s: the next apply removes it.", cleanUpTime), e
	}
	return err
}
