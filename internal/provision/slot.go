package provision

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/swap"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// CreateSlot makes a slot and brings its first release up, or goes on with, or adopts, what
// an earlier call of this owner made. With an error it returns what is true then.
func (p *Provisioner) CreateSlot(ctx context.Context, s target.Slot) (SlotState, Origin, error) {
	if err := s.Validate().Err(); err != nil {
		return SlotState{}, "", err
	}
	origin := Made
	old, err := p.driver.GetSlot(ctx, s.ID())
	switch {
	case err == nil:
		state, err := p.ReadSlot(ctx, s.ID())
		if err != nil {
			return SlotState{}, "", err
		}
		if origin, err = p.claim("deployment slot", s.ID().String(), old.Meta, state.is(s)); err != nil {
			return SlotState{}, "", err
		}
		if origin == Adopted && !state.Unfinished(p.clock.Now()) {
			return state, origin, nil
		}
	case !missing(err):
		return SlotState{}, "", fmt.Errorf("look for deployment slot %q: %w", s.ID(), err)
	}
	if err := p.CheckSlot(ctx, s); err != nil {
		return SlotState{}, "", err
	}
	err = p.machine().Run(ctx, s)
	state, err := p.observed(ctx, s.ID(), err)
	var held *target.LeaseHeldError
	if errors.As(err, &held) || errors.Is(err, target.ErrLeaseLost) {
		origin = Resumed // by whoever has the lease
	}
	return state, origin, err
}

// ReadSlot returns a slot, target.ErrNotFound if the target knows that there is none.
func (p *Provisioner) ReadSlot(ctx context.Context, id target.SlotID) (SlotState, error) {
	rec, err := p.driver.GetSlot(ctx, id)
	if err != nil {
		return SlotState{}, err
	}
	obs, err := p.driver.Observe(ctx, id)
	if err != nil {
		return SlotState{}, fmt.Errorf("observe deployment slot %q: %w", id, err)
	}
	return StateOf(rec, obs), nil
}

// UpdateSlot makes the slot what is asked: in place where routes, scaling, the suite or the
// policy changed, by a swap where the release or the components did. It resumes what an
// earlier run left unfinished. With an error it returns what is true then.
func (p *Provisioner) UpdateSlot(ctx context.Context, s target.Slot) (SlotState, error) {
	err := s.Validate().Err()
	if err == nil {
		err = p.CheckSlot(ctx, s)
	}
	if err == nil {
		err = p.mySlot(ctx, s.ID())
	}
	if err != nil {
		state, err := p.observed(ctx, s.ID(), err)
		if st, ok := state.Serving(); ok {
			err = fmt.Errorf("%w\nNothing was changed. Release %s still serves all traffic", err, st.Spec.Definition.Release)
		}
		return state, err
	}
	return p.observed(ctx, s.ID(), p.machine().Run(ctx, s))
}

// IsRepair says that an update to what serves already has something to repair, and neither goes on with
// a swap nor begins one: what serves and what the last swap was stay as they are.
func (p *Provisioner) IsRepair(ctx context.Context, s SlotState) bool {
	serving, serves := s.Serving()
	w := s.Record.Swap
	switch {
	case !serves, len(s.Drift()) == 0, s.Observation.Percent > 0, s.Observation.Request != nil, s.ApprovalTimedOut():
		return false
	case w != nil && !w.Phase.Finished():
		return false
	}
	fingerprint, err := p.driver.Fingerprint(ctx, serving.Spec.Definition)
	return err == nil && fingerprint == serving.Spec.Fingerprint
}

// Promote lets a release that waits for approval take the traffic, and returns when it has
// been watched. It refuses with *swap.NotWaitingError where another release waits, or none.
func (p *Provisioner) Promote(ctx context.Context, id target.SlotID, by, release string) (SlotState, error) {
	return p.observed(ctx, id, p.machine().Promote(ctx, id, by, release))
}

// ListJournals returns what the last swaps of a slot did, the newest first, without samples
// and output.
func (p *Provisioner) ListJournals(ctx context.Context, id target.SlotID) ([]target.Journal, error) {
	all, err := p.driver.ListJournals(ctx, id)
	if err != nil {
		return nil, err
	}
	state, err := p.ReadSlot(ctx, id)
	switch {
	case errors.Is(err, target.ErrNotFound):
		return all, nil
	case err != nil:
		return nil, err
	case state.ApprovalTimedOut(): // it is kept when the next swap begins
		j := state.journal()
		j.Swap.Samples, j.Swap.Tasks = nil, slices.Clone(j.Swap.Tasks)
		for i := range j.Swap.Tasks {
			j.Swap.Tasks[i].LastLines = nil
		}
		all = append([]target.Journal{j}, slices.DeleteFunc(all, func(old target.Journal) bool { return old.Swap.ID == j.Swap.ID })...)
	}
	return all, nil
}

// GetJournal returns the journal of a swap whole, that of one under way included;
// target.ErrNotFound if it is not kept.
func (p *Provisioner) GetJournal(ctx context.Context, id target.SlotID, swapID string) (target.Journal, error) {
	state, err := p.ReadSlot(ctx, id)
	if err != nil {
		return target.Journal{}, err
	}
	if w := state.Record.Swap; w != nil && w.ID == swapID && (!w.Phase.Finished() || state.ApprovalTimedOut()) {
		return state.journal(), nil
	}
	return p.driver.GetJournal(ctx, id, swapID)
}

// RollBack sends the traffic back to what served before, also while a release has a share of
// it, and leaves a hold, so that the release does not come again by itself. Where nothing
// could take the traffic it refuses and says what to do.
func (p *Provisioner) RollBack(ctx context.Context, id target.SlotID, by, reason string) (SlotState, error) {
	return p.observed(ctx, id, p.machine().RollBack(ctx, id, by, reason))
}

// CheckSlot refuses what does not fit the environment or the target.
func (p *Provisioner) CheckSlot(ctx context.Context, s target.Slot) error {
	if _, err := p.environment(ctx, s.Environment); err != nil {
		return err
	}
	others, err := p.driver.ListSlots(ctx, s.Environment)
	if err != nil {
		return fmt.Errorf("list deployment slots: %w", err)
	}
	var faults target.Faults
	for _, o := range others {
		faults = append(faults, s.Conflicts(o.Asked)...)
	}
	if err := faults.Err(); err != nil {
		return err
	}
	return p.driver.CheckSlot(ctx, s)
}

// DeleteSlot removes a slot with everything that runs in it. One that is not there is success.
func (p *Provisioner) DeleteSlot(ctx context.Context, id target.SlotID) error {
	if err := p.mySlot(ctx, id); err != nil {
		return err
	}
	return gone(p.machine().Delete(ctx, id)) // which names the slot
}

// mySlot refuses a slot of somebody else.
func (p *Provisioner) mySlot(ctx context.Context, id target.SlotID) error {
	rec, err := p.driver.GetSlot(ctx, id)
	if err != nil {
		return gone(err)
	}
	return p.mine("deployment slot", id.String(), rec.Meta)
}

// ListSlots returns the slots of an environment.
func (p *Provisioner) ListSlots(ctx context.Context, id target.EnvironmentID) ([]target.SlotRecord, error) {
	return p.driver.ListSlots(ctx, id)
}

func (p *Provisioner) machine() *swap.Machine {
	return swap.New(p.driver, p.owner, swap.Options{Clock: p.clock})
}

// observed reads the slot on a context of its own, since err may come from the end of ctx.
func (p *Provisioner) observed(ctx context.Context, id target.SlotID, err error) (SlotState, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), observeTimeout)
	defer cancel()
	state, readErr := p.ReadSlot(ctx, id)
	switch {
	case err != nil:
		return state, err
	case readErr != nil:
		return state, fmt.Errorf("read deployment slot %q: %w", id, readErr)
	}
	return state, nil
}

// is says whether the slot was asked to be s and is.
func (s SlotState) is(want target.Slot) bool {
	serving, ok := s.Serving()
	return ok && target.Same(serving.Spec.Definition, want.Definition) && target.Same(s.Record.Asked, want)
}
