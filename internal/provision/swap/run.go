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
	// mine is the swap whose end is the end of this run: the one that it began or resumed.
	mine string
	// since is when this run last got something done, started the task that it started last.
	since   time.Time
	started string
	// trouble is why the last effect has to be done again; cause is what made the swap fail.
	trouble, cause error
	// stopping is why the run was interrupted, while it cleans up.
	stopping error
}

// load reads the record; where there is none it stays zero.
func (r *run) load(ctx context.Context) error {
	err := r.insist(ctx, func() (err error) {
		r.record, err = r.driver.GetSlot(ctx, r.want.ID())
		return err
	})
	if errors.Is(err, target.ErrNotFound) || errors.Is(err, target.ErrNoInstallation) {
		r.record = target.SlotRecord{}
		return nil
	}
	if err != nil {
		return fmt.Errorf("read slot %q: %w", r.want.ID(), err)
	}
	return nil
}

func (r *run) observe(ctx context.Context) (seen target.Observation, err error) {
	err = r.insist(ctx, func() (err error) {
		seen, err = r.driver.Observe(ctx, r.want.ID())
		return err
	})
	if err != nil {
		return seen, fmt.Errorf("observe slot %q: %w", r.want.ID(), err)
	}
	return seen, nil
}

// finishRollback completes a rollback that an earlier run left on its way. How it ended is
// in the record: the hold, which the caller meets next.
func (r *run) finishRollback(ctx context.Context) error {
	if w := r.record.Swap; w == nil || w.Phase != target.PhaseRollingBack {
		return nil
	}
	r.mine = r.record.Swap.ID
	err := r.drive(ctx)
	r.mine, r.cause = "", nil
	if ctx.Err() == nil && isOutcome(err) {
		return nil
	}
	return err
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
	if w := r.record.Swap; w != nil && !w.Phase.Finished() && w.Phase != target.PhaseAborting && !r.facts().superseded() {
		r.mine = w.ID
	}
	return r.save(ctx)
}

func (r *run) facts() Facts {
	return Facts{
		Want: r.want, Fingerprint: r.fingerprint, Suite: r.suite, Record: r.record,
		Now: r.clock.Now(), Since: r.since, Started: r.started, Trouble: r.trouble,
	}
}

// drive observes, decides, acts and records until the swap has ended.
func (r *run) drive(ctx context.Context) error {
	for {
		seen, err := r.observe(ctx)
		if err != nil {
			return err
		}
		f := r.facts()
		f.Seen, f.NewID = seen, newID(f.Now)
		switch d := Decide(f); {
		case d.End:
			return r.finish(ctx, seen)
		case d.Stop != "":
			return r.stuck(seen, d.Stop)
		case d.Wait:
			err = r.clock.Sleep(ctx, r.pause)
		default:
			err = r.do(ctx, d, seen)
		}
		if err != nil {
			return err
		}
		if w := r.record.Swap; w != nil && w.ID == r.mine && w.Phase.Finished() {
			if done, err := r.outcome(ctx); done {
				return err
			}
		}
	}
}

// do does what was decided and records it. An effect that can't be done before the switch
// fails the swap; after it everything stays as it is.
func (r *run) do(ctx context.Context, d Decision, seen target.Observation) error {
	if d.Fail != "" {
		return r.abort(ctx, d.Fail)
	}
	err := r.act(ctx, d)
	var again *againError
	switch w := r.record.Swap; {
	case err == nil:
		r.trouble = nil
		if d.Do != RetireStack { // it is repeated while waiting, which must not go on for ever
			r.since = r.clock.Now()
		}
		return r.advance(ctx, d, seen)
	case ctx.Err() != nil, errors.Is(err, target.ErrLeaseLost):
		return err
	case errors.Is(err, target.ErrUnavailable), errors.As(err, &again):
		r.trouble = err
		return r.clock.Sleep(ctx, r.pause)
	case w != nil && !w.Phase.Finished() && w.Phase != target.PhaseAborting && w.Phase != target.PhaseRollingBack && seen.Serving != w.To:
		r.cause = err
		return r.abort(ctx, err.Error())
	default:
		r.cause = err
		return r.stuck(seen, err.Error())
	}
}

// finish ends a run that found nothing left to do.
func (r *run) finish(ctx context.Context, seen target.Observation) error {
	if r.record.Meta.Ready || seen.Serving == "" {
		return nil
	}
	r.record.Meta.Ready = true
	return r.save(ctx)
}

// stuck ends a run that can't go on and has nothing to undo.
func (r *run) stuck(seen target.Observation, why string) error {
	release, phase := r.want.Definition.Release, target.Phase("")
	if w := r.record.Swap; w != nil && !w.Phase.Finished() {
		release, phase = w.Release, w.Phase
	}
	return &FailedError{r.want.ID(), release, phase, why, r.truth(seen) + " Put the cause right and apply again.", r.cause}
}

// outcome turns the end of this run's swap into its result. A success goes on, so that what
// was asked is compared once more with what serves.
func (r *run) outcome(ctx context.Context) (done bool, err error) {
	w := r.record.Swap
	seen, err := r.observe(ctx)
	if err != nil {
		return true, err
	}
	truth := r.truth(seen)
	switch {
	case r.stopping != nil:
		return true, &InterruptedError{r.want.ID(), w.Release, w.FailedIn, truth + " Apply again to go on.", r.stopping}
	case w.Phase == target.PhaseFailed:
		return true, &FailedError{r.want.ID(), w.Release, w.FailedIn, w.Reason, truth + " Put the cause right and apply again.", r.cause}
	case w.Phase == target.PhaseRolledBack && w.Requested:
		return true, nil
	case w.Phase == target.PhaseRolledBack:
		return true, &FailedError{r.want.ID(), w.Release, target.PhaseSwitching, w.Reason, truth, r.cause}
	case w.Requested:
		return true, &NoFallbackError{r.want.ID(), "the fallback lost its health on the way"}
	}
	return false, nil
}

// interrupted leaves the slot in order: before the switch the candidate is removed, after it
// everything stays and the next run goes on. Without the lease nothing may be done at all.
func (r *run) interrupted(leased context.Context, cause error) error {
	clean, cancel := r.within(leased, cleanUpTime)
	defer cancel()
	e := &InterruptedError{Slot: r.want.ID(), Release: r.want.Definition.Release, Cause: cause}
	if leased.Err() != nil {
		look, cancel := r.within(context.WithoutCancel(leased), releaseTime)
		defer cancel()
		clean = look
	}
	// The answer to the last write may be what was cut off.
	err := r.load(clean)
	seen, seeErr := r.observe(clean)
	w := r.record.Swap
	switch err := errors.Join(err, seeErr); {
	case err != nil:
		e.Truth, e.Cause = "What is true now could not be seen. The next apply goes on from where this one was.", errors.Join(cause, err)
		return e
	case w == nil || w.Phase.Finished():
		e.Truth = r.truth(seen) + " Apply again to go on."
		return e
	}
	e.Release, e.Phase = w.Release, w.Phase
	if leased.Err() != nil || seen.Serving == w.To || w.Phase == target.PhaseRollingBack {
		e.Truth = r.truth(seen) + " The next apply goes on from there."
		return e
	}
	if w.Phase != target.PhaseAborting {
		r.stopping = cause
		err = r.abort(clean, "interrupted: "+cause.Error())
	}
	r.mine = w.ID
	if err == nil {
		err = r.drive(clean)
	}
	if err == nil || isOutcome(err) {
		return err
	}
	e.Truth = r.truth(seen) + fmt.Sprintf(" The candidate was not removed within %s (%v): the next apply removes it.", cleanUpTime, err)
	return e
}
