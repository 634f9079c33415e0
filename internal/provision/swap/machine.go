package swap

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// Driver is what the machine needs of a target.
type Driver interface {
	target.Slots
	target.Leases
	target.Stacks
	target.Tasks
	target.Router
}

// Machine runs swaps on one target on behalf of one owner.
type Machine struct {
	driver Driver
	by     string
	clock  wait.Clock
	pause  time.Duration
	newID  func() string
}

// Options changes how a machine works; the zero value is right outside tests.
type Options struct {
	Clock wait.Clock
	// Pause is the time between two looks while there is nothing to do (200 ms).
	Pause time.Duration
}

// New makes a Machine. By names whoever asks, for journals, leases and holds.
func New(d Driver, by string, o Options) *Machine {
	if o.Clock == nil {
		o.Clock = wait.Real{}
	}
	if o.Pause == 0 {
		o.Pause = 200 * time.Millisecond
	}
	return &Machine{driver: d, by: by, clock: o.Clock, pause: o.Pause, newID: func() string { return newID(o.Clock.Now()) }}
}

// Run makes want what serves: in place where only routes, scaling, the suite or the policy
// differ, else by a swap. It returns when the swap has ended. Errors: *HoldError,
// *target.LeaseHeldError, *FailedError, *InterruptedError, or what the target reported.
func (m *Machine) Run(ctx context.Context, want target.Slot) error {
	fingerprint, err := m.driver.Fingerprint(ctx, want.Definition)
	if err != nil {
		return fmt.Errorf("digest the definition of slot %q: %w", want.ID(), err)
	}
	suite, err := want.Definition.TestSuite.Digest()
	if err != nil {
		return err
	}
	return m.underLease(ctx, want.ID(), func(leased context.Context, l *lease) error {
		r := &run{Machine: m, lease: l, user: ctx, want: want, fingerprint: fingerprint, suite: suite}
		if err := r.load(leased); err != nil {
			return err
		}
		if err := r.finishRollback(leased); err != nil {
			return err
		}
		if err := r.ask(leased); err != nil {
			return err
		}
		return r.drive(leased)
	})
}

// RollBack sends the traffic back to the fallback, removes the stack that served, and leaves
// a hold on it. It refuses with *NoFallbackError where no healthy fallback stands.
func (m *Machine) RollBack(ctx context.Context, id target.SlotID, by, reason string) error {
	return m.underLease(ctx, id, func(leased context.Context, l *lease) error {
		r := &run{Machine: m, lease: l, user: ctx}
		r.want.Environment, r.want.Name = id.Environment, id.Name
		if err := r.load(leased); err != nil {
			return err
		}
		if r.record.Revision == 0 {
			return target.Errorf(target.ErrNotFound, "there is no slot %q", id)
		}
		if err := r.beginRollback(leased, by, reason); err != nil {
			return err
		}
		return r.drive(leased)
	})
}

// Delete removes the slot with everything that runs in it.
func (m *Machine) Delete(ctx context.Context, id target.SlotID) error {
	if _, err := m.driver.GetSlot(ctx, id); err != nil {
		return err
	}
	return m.underLease(ctx, id, func(leased context.Context, l *lease) error {
		bounded, cancel := mergeCancel(leased, ctx)
		defer cancel()
		err := m.driver.DeleteSlot(bounded, id, l.get())
		if errors.Is(err, target.ErrProtected) {
			return target.Errorf(target.ErrProtected, "deletion protection of slot %q is on: set deletion_protection = false and apply that first", id)
		}
		return err
	})
}

// mergeCancel ends with either of the two contexts.
func mergeCancel(ctx, other context.Context) (context.Context, context.CancelFunc) {
	merged, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(other, func() { cancel(context.Cause(other)) })
	return merged, func() { stop(); cancel(nil) }
}
