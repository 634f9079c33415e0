package swap

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// cleanUpTime bounds how long an interrupted run may take to remove its candidate.
const cleanUpTime = 30 * time.Second

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
		return true, &InterruptedError{id, w.Release, w.FailedIn, truth, applyAgain, r.stopping}
	case w.Phase == target.PhaseFailed:
		return true, &FailedError{id, w.Release, w.FailedIn, w.Reason, truth + putRight, r.cause}
	case r.rollback && w.Phase != target.PhaseRolledBack:
		return true, &NoFallbackError{id, lostHealth}
	case w.Phase == target.PhaseRolledBack && !r.rollback && w.Requested && r.record.Hold != nil:
		why := fmt.Sprintf("%s rolled release %s back (%s)", r.record.Hold.By, w.Release, w.Reason)
		return true, &FailedError{id, w.Release, w.FailedIn, why, truth, nil}
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
	ctx, cancel := wait.Within(base, r.clock, cleanUpTime)
	defer cancel()
	err := r.load(ctx) // the answer to the last write may be what was cut off
	seen, seeErr := r.observe(ctx)
	r.last = r.facts(seen)
	if err := errors.Join(err, seeErr); err != nil {
		e.Truth, e.Next, e.Cause = "What is true now could not be seen.", goesOn, errors.Join(cause, err)
		return e
	}
	w := r.record.Swap
	if w != nil && !w.Phase.Finished() {
		e.Release, e.Phase = w.Release, w.Phase
	}
	switch {
	case e.Phase == "":
		e.Truth, e.Next = r.truth(seen), applyAgain
		return e
	case leased.Err() != nil || !r.facts(seen).Undoable():
		e.Truth, e.Next = r.truth(seen), goesOn
		return e
	case w.Phase != target.PhaseAborting:
		r.stopping = cause
		err = r.abort(ctx, "interrupted"+wait.Interruption(cause))
	}
	r.mine = w.ID
	if err == nil {
		err = r.drive(ctx)
	}
	if err != nil && !isOutcome(err) {
		e.Truth, e.Next, err = r.truth(seen), fmt.Sprintf(" The candidate was not removed within %s: the next apply removes it.", cleanUpTime), e
	}
	return err
}
