package swap

import (
	"context"
	"errors"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// errWentBack ends the wait for a lease: the run that has it rolled back.
var errWentBack = errors.New("the traffic went back")

// asker asks the run that has a slot to roll back.
type asker struct {
	*Machine
	id         target.SlotID
	by, reason string
	// standing is the request that is waited for, nil where none is.
	standing *target.Request
}

// look looks at a slot that somebody else has: it leaves the request, once a swap is under
// way, and sees what becomes of it. Without a swap there is nothing to wait for.
func (a *asker) look(ctx context.Context) (stay bool, err error) {
	seen, err := a.driver.Observe(ctx, a.id) // before the record, where an answer comes first
	if err != nil {
		return again(err)
	}
	rec, err := a.driver.GetSlot(ctx, a.id)
	if err != nil {
		return again(err)
	}
	w := rec.Swap
	switch {
	case w == nil:
		return false, nil
	case a.standing != nil && a.standing.SwapID != w.ID:
		return a.overtaken(ctx)
	case a.standing != nil:
		return a.judge(w, seen.Request)
	case w.Phase.Finished():
		return false, nil
	}
	now := a.clock.Now()
	r, err := a.driver.PutRequest(ctx, a.id, target.Request{
		ID: newID(now), Kind: target.RequestRollBack, SwapID: w.ID, By: a.by, Reason: a.reason, At: now,
	})
	if err != nil {
		return again(err)
	}
	a.standing = &r
	return true, nil
}

// judge says what became of the request about a swap.
func (a *asker) judge(w *target.Swap, stands *target.Request) (stay bool, err error) {
	answered := w.Answered != nil && w.Answered.RequestID == a.standing.ID
	switch {
	case w.Phase == target.PhaseRolledBack:
		return false, errWentBack
	case answered && w.Answered.Refusal != "":
		return false, &NoFallbackError{a.id, w.Answered.Refusal}
	case w.Phase == target.PhaseRollingBack:
		return true, nil
	case answered:
		return false, &NoFallbackError{a.id, lostHealth}
	case w.Phase.Finished(): // before it was seen: what is so now decides
		a.standing = nil
		return false, nil
	case stands == nil || stands.ID != a.standing.ID:
		a.standing = nil
	}
	return true, nil
}

// overtaken looks how the swap ended that another one has followed by now.
func (a *asker) overtaken(ctx context.Context) (stay bool, err error) {
	done, err := a.done(ctx, nil)
	switch {
	case err != nil:
		return again(err)
	case done:
		return false, errWentBack
	}
	a.standing = nil
	return true, nil
}

// done says whether the run that was asked did it. That one may have ended, and another swap
// begun, between two looks: w is the slot's last swap.
func (a *asker) done(ctx context.Context, w *target.Swap) (bool, error) {
	switch {
	case a.standing == nil:
		return false, nil
	case w != nil && w.ID == a.standing.SwapID:
		return w.Phase == target.PhaseRolledBack, nil
	}
	j, err := a.driver.GetJournal(ctx, a.id, a.standing.SwapID)
	if errors.Is(err, target.ErrNotFound) {
		return false, nil
	}
	return err == nil && j.Swap.Phase == target.PhaseRolledBack, err
}

// ended is how the rollback ended, whoever did it.
func (a *asker) ended(err error) error {
	var interrupted *InterruptedError
	switch {
	case errors.Is(err, errWentBack):
		return nil
	case a.standing != nil && errors.As(err, &interrupted) && interrupted.Phase == "":
		interrupted.Truth = "The rollback was asked for: the run that has the slot still does it, or the next apply."
	}
	return err
}

// again says whether a look is repeated after an error.
func again(err error) (stay bool, _ error) {
	switch {
	case errors.Is(err, target.ErrUnavailable):
		return true, nil
	case errors.Is(err, target.ErrNotFound): // it goes, or never was: whoever gets the lease sees
		return false, nil
	}
	return false, err
}

// dropRequest removes a request that was answered, or that there is no answer to.
func (r *run) dropRequest(ctx context.Context, q *target.Request) error {
	if q == nil {
		return nil
	}
	return r.insist(ctx, "remove the request to", r.want.ID(), func() error {
		return r.driver.DeleteRequest(ctx, r.want.ID(), q.ID, r.lease.Value())
	})
}
