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
	lease *lease
	// user ends when whoever asked gives up; the lease lives on for the clean-up.
	user               context.Context
	want               target.Slot
	fingerprint, suite string
	record             target.SlotRecord
	// mine is the swap that this run began or resumed: its failure ends the run.
	mine        string
	interrupted error
}

func (r *run) load(ctx context.Context) error {
	rec, err := r.driver.GetSlot(ctx, r.want.ID())
	if err != nil && !errors.Is(err, target.ErrNotFound) && !errors.Is(err, target.ErrNoInstallation) {
		return fmt.Errorf("read slot %q: %w", r.want.ID(), err)
	}
	r.record = rec
	return nil
}

// ask stores what is wanted, unless a hold forbids it.
func (r *run) ask(ctx context.Context) error {
	h, now := r.record.Hold, r.clock.Now()
	if h != nil && h.Release == r.want.Definition.Release && h.Fingerprint == r.fingerprint && r.want.Retry <= h.Retry {
		obs, err := r.driver.Observe(ctx, r.want.ID())
		if err != nil {
			return fmt.Errorf("observe slot %q: %w", r.want.ID(), err)
		}
		return &HoldError{Slot: r.want.ID(), Hold: *h, Serving: obs.Stacks[obs.Serving].Spec.Definition.Release}
	}
	if m := &r.record.Meta; m.Generation == 0 {
		m.CreatedAt, m.Generation = now, 1
	} else if !target.Same(r.record.Asked, r.want) && m.Ready {
		m.Generation++
	}
	r.record.Meta.Owner, r.record.Meta.ChangedAt = r.by, now
	r.record.Asked = r.want
	return r.save(ctx)
}

// save writes the record. A write whose answer was lost is repeated: nothing may be done on
// a record that may not be stored.
func (r *run) save(ctx context.Context) error {
	for {
		rec, err := r.driver.PutSlot(ctx, r.record, r.lease.get())
		switch {
		case err == nil:
			r.record = rec
			return nil
		case !errors.Is(err, target.ErrUnavailable):
			return fmt.Errorf("record slot %q: %w", r.want.ID(), err)
		}
		if sleepErr := r.clock.Sleep(ctx, r.pause); sleepErr != nil {
			return fmt.Errorf("record slot %q: %w", r.want.ID(), errors.Join(err, sleepErr))
		}
	}
}

// drive observes, decides, acts and records until the swap has ended.
func (r *run) drive(ctx context.Context) error {
	for {
		if err := r.watchUser(ctx); err != nil {
			return err
		}
		seen, err := r.driver.Observe(ctx, r.want.ID())
		if err != nil {
			if err = r.later(ctx, fmt.Errorf("observe slot %q: %w", r.want.ID(), err)); err != nil {
				return err
			}
			continue
		}
		d := Decide(Facts{
			Want: r.want, Fingerprint: r.fingerprint, Suite: r.suite,
			Record: r.record, Seen: seen, Now: r.clock.Now(), NewID: r.newID(),
		})
		r.claimSwap()
		switch {
		case d.End:
			return r.finish(ctx, seen)
		case d.Fail != "":
			err = r.abort(ctx, d.Fail)
		case d.Wait:
			err = r.rest(ctx)
		default:
			if err = r.act(ctx, d); err == nil {
				err = r.advance(ctx, d, seen)
			} else {
				err = r.later(ctx, err)
			}
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

// claimSwap makes a swap that is on its way to what is wanted this run's own.
func (r *run) claimSwap() {
	w := r.record.Swap
	if w == nil || w.Phase.Finished() || w.Phase == target.PhaseAborting {
		return
	}
	if w.Phase == target.PhaseRollingBack || w.Release == r.want.Definition.Release && w.Fingerprint == r.fingerprint {
		r.mine = w.ID
	}
}

// watchUser turns the end of the asker's context into an abort before the switch, and into
// an unfinished swap after it.
func (r *run) watchUser(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if r.user.Err() == nil || r.interrupted != nil {
		return nil
	}
	r.interrupted = context.Cause(r.user)
	w := r.record.Swap
	if w == nil || w.Phase.Finished() {
		return fmt.Errorf("change slot %q: %w", r.want.ID(), r.interrupted)
	}
	seen, err := r.driver.Observe(ctx, r.want.ID())
	if err != nil || seen.Serving == w.To || w.Phase == target.PhaseRollingBack {
		return &InterruptedError{r.want.ID(), w.Release, w.Phase, "The traffic stays where it is; the next apply goes on from here.", r.interrupted}
	}
	r.mine = w.ID
	clean, cancel := context.WithTimeout(ctx, cleanUpTime)
	defer cancel()
	if err := r.abort(clean, "interrupted"); err != nil {
		return err
	}
	return r.drive(clean)
}

// rest lets a little time pass, less if whoever asked gives up.
func (r *run) rest(ctx context.Context) error {
	if r.interrupted != nil {
		return r.clock.Sleep(ctx, r.pause)
	}
	merged, cancel := mergeCancel(ctx, r.user)
	defer cancel()
	if err := r.clock.Sleep(merged, r.pause); err != nil && ctx.Err() != nil {
		return err
	}
	return nil
}

// later makes an error that may pass a reason to look again, until the asker's time is up.
func (r *run) later(ctx context.Context, err error) error {
	if errors.Is(err, target.ErrUnavailable) || errors.Is(err, errAgain) {
		return r.rest(ctx)
	}
	return err
}

// abort records that the swap can't go on; its candidate is removed next.
func (r *run) abort(ctx context.Context, why string) error {
	w := r.record.Swap
	w.Reason, w.FailedIn = why, w.Phase
	return r.enter(ctx, target.PhaseAborting, why)
}

// enter records a phase.
func (r *run) enter(ctx context.Context, p target.Phase, note string) error {
	w, now := r.record.Swap, r.clock.Now()
	w.Phase, w.PhaseAt = p, now
	w.Steps = append(w.Steps, target.Step{Phase: p, At: now, Note: note})
	if p.Finished() {
		w.EndedAt = &now
	}
	return r.save(ctx)
}

// finish ends a run that found nothing left to do.
func (r *run) finish(ctx context.Context, seen target.Observation) error {
	if r.record.Meta.Ready {
		return nil
	}
	r.record.Meta.Ready = seen.Serving != ""
	return r.save(ctx)
}

// outcome turns the end of this run's swap into its result. A success goes on, so that what
// was asked is compared once more with what serves.
func (r *run) outcome(ctx context.Context) (done bool, err error) {
	w := r.record.Swap
	seen, err := r.driver.Observe(ctx, r.want.ID())
	if err != nil {
		return true, fmt.Errorf("observe slot %q: %w", r.want.ID(), err)
	}
	truth := truthOf(seen)
	switch {
	case r.interrupted != nil:
		return true, &InterruptedError{r.want.ID(), w.Release, w.FailedIn, truth, r.interrupted}
	case w.Phase == target.PhaseFailed:
		return true, &FailedError{r.want.ID(), w.Release, w.FailedIn, w.Reason, truth}
	case w.Phase == target.PhaseRolledBack && w.Requested:
		return true, nil
	case w.Phase == target.PhaseRolledBack:
		return true, &FailedError{r.want.ID(), w.Release, target.PhaseSwitching, w.Reason, truth}
	case w.Requested:
		return true, &NoFallbackError{r.want.ID(), "the fallback lost its health on the way"}
	}
	return false, nil
}

func truthOf(seen target.Observation) string {
	st, ok := seen.Stacks[seen.Serving]
	if !ok {
		return "Nothing serves in this slot; the candidate was removed."
	}
	return fmt.Sprintf("Release %s serves all traffic; the other stack was removed.", st.Spec.Definition.Release)
}
