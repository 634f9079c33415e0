package swap

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/swap/decide"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/swap/lease"
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
	target.Meters
	target.Requests
	target.Journals
}

// Machine runs swaps on one target on behalf of one owner.
type Machine struct {
	driver Driver
	by     string
	clock  wait.Clock
	pause  time.Duration
}

// Options changes how a machine works; the zero value is right outside tests.
type Options struct {
	Clock wait.Clock
	// Pause is the time between two looks while there is nothing to do (200 ms, or as long as the
	// target wants).
	Pause time.Duration
}

// New makes a Machine. By names whoever asks, for journals, leases and holds.
func New(d Driver, by string, o Options) *Machine {
	if o.Clock == nil {
		o.Clock = wait.Real{}
	}
	if o.Pause == 0 {
		o.Pause = 200 * time.Millisecond
		if paced, ok := d.(target.Paced); ok {
			o.Pause = max(o.Pause, paced.LookEvery())
		}
	}
	return &Machine{driver: d, by: by, clock: o.Clock, pause: o.Pause}
}

// Run makes want what serves: in place where only routes, scaling, tasks or the policy
// differ, else by a swap. It returns when the swap has ended. Errors: *HoldError,
// *target.LeaseHeldError, *FailedError, *InterruptedError, or what the target reported
// before anything was begun.
//
// While a release waits for approval as asked, that is a success.
func (m *Machine) Run(ctx context.Context, want target.Slot) error {
	suite, err := want.Definition.TestSuite.Digest()
	if err != nil {
		return err
	}
	return m.under(ctx, &run{Machine: m, want: want, suite: suite}, func(ctx context.Context, r *run) (err error) {
		r.fingerprint, err = insist(ctx, m, "digest the definition of", want.ID(), func() (string, error) {
			return m.driver.Fingerprint(ctx, want.Definition)
		})
		for _, do := range []func(context.Context) error{r.finishRollback, r.ask, r.drive} {
			if err == nil {
				err = do(ctx)
			}
		}
		return err
	})
}

// Promote lets a release that waits for approval take the traffic, and ends as Run does. It
// refuses with *NotWaitingError where another release waits, or none.
func (m *Machine) Promote(ctx context.Context, id target.SlotID, by, release string) error {
	return m.underRecord(ctx, &run{Machine: m}, id, func(ctx context.Context, r *run, f decide.Facts) error {
		w, refusal := decide.Approve(f, by, release)
		if refusal != "" {
			return &NotWaitingError{id, refusal}
		}
		r.resume(w)
		if err := r.save(ctx); err != nil {
			return err
		}
		err := r.drive(ctx)
		if err == nil && r.record.Swap.Phase == target.PhaseAwaitingApproval {
			err = &NotWaitingError{id, "the candidate was gone, and a new one waits now"}
		}
		return err
	})
}

// RollBack sends the traffic back to what served before, the fallback or, while a release is
// being watched, the old stack; removes the release, and leaves a hold on it. It refuses with
// *NoFallbackError where nothing stands that could take the traffic.
//
// Where another run has the slot and a swap under way, it leaves a request for that one, which
// does it at its next look, and waits until it is done or refused.
func (m *Machine) RollBack(ctx context.Context, id target.SlotID, by, reason string) error {
	a := &asker{Machine: m, id: id, by: by, reason: reason}
	return a.ended(m.underRecord(ctx, &run{Machine: m, rollback: true, held: a.look}, id, func(ctx context.Context, r *run, f decide.Facts) error {
		done, err := insist(ctx, m, "read the journal of", id, func() (bool, error) { return a.done(ctx, r.record.Swap) })
		if done || err != nil {
			return err
		}
		w, refusal := decide.RollBack(f, reason)
		if refusal != "" {
			if err := r.dropRequest(ctx, f.Seen.Request); err != nil {
				return err
			}
			return &NoFallbackError{id, refusal}
		}
		r.resume(w)
		if w.Phase != target.PhaseRollingBack { // the intent and the hold in one write
			if w.By == "" {
				w.By, w.Host = by, host()
			}
			r.hold(by, reason)
			if err := r.enter(ctx, target.PhaseRollingBack, reason); err != nil {
				return err
			}
		}
		return r.drive(ctx)
	}))
}

// Delete removes the slot with everything that runs in it.
func (m *Machine) Delete(ctx context.Context, id target.SlotID) error {
	if _, err := m.driver.GetSlot(ctx, id); err != nil {
		return err
	}
	l, err := m.take(ctx, id, nil)
	if err != nil {
		return err
	}
	return l.Keep(ctx, func(ctx, _ context.Context) error {
		err := m.insist(ctx, "remove", id, func() error { return m.driver.DeleteSlot(ctx, id, l.Value()) })
		if errors.Is(err, target.ErrProtected) {
			return target.Errorf(target.ErrProtected, "deletion protection of slot %q is on: set deletion_protection = false and apply that first", id)
		}
		return err
	})
}

// take takes the slot's lease; held is as for [lease.Take].
func (m *Machine) take(ctx context.Context, id target.SlotID, held func(context.Context) (bool, error)) (*lease.Lease, error) {
	l, err := lease.Take(ctx, m.driver, m.clock, id, fmt.Sprintf("%s (%s)", m.by, host()), held)
	if err != nil && ctx.Err() != nil {
		err = &InterruptedError{Slot: id, Truth: "Nothing was touched.", Cause: context.Cause(ctx)}
	}
	return l, err
}

// under loads the slot's record under its lease and lets do work with it. Where whoever
// asked gives up, or the lease is lost, it leaves the slot in order.
func (m *Machine) under(ctx context.Context, r *run, do func(context.Context, *run) error) (err error) {
	if r.lease, err = m.take(ctx, r.want.ID(), r.held); err != nil {
		return err
	}
	return r.lease.Keep(ctx, func(ctx, leased context.Context) error {
		r.since, r.repaired = m.clock.Now(), map[target.Color]time.Time{}
		err := r.load(ctx)
		if err == nil {
			err = do(ctx, r)
		}
		if errors.Is(err, target.ErrLeaseLost) {
			r.lease.Lost(err)
		}
		if err == nil || ctx.Err() == nil || isOutcome(err) {
			return err
		}
		return r.interrupted(leased, context.Cause(ctx))
	})
}

// underRecord is under for what an operator asks of a slot that exists: what was asked of it
// last stays so.
func (m *Machine) underRecord(ctx context.Context, r *run, id target.SlotID, do func(context.Context, *run, decide.Facts) error) error {
	var missing error // then a lease would be all that there is
	err := m.insist(ctx, "look for", id, func() error {
		_, err := m.driver.GetSlot(ctx, id)
		if errors.Is(err, target.ErrNotFound) {
			missing, err = err, nil
		}
		return err
	})
	if err != nil || missing != nil {
		return cmp.Or(err, missing)
	}
	r.want = target.Slot{Environment: id.Environment, Name: id.Name}
	return m.under(ctx, r, func(ctx context.Context, r *run) (err error) {
		if r.record.Revision == 0 {
			return target.Errorf(target.ErrNotFound, "there is no deployment slot %q", id)
		}
		r.want = r.record.Asked
		if r.suite, err = r.want.Definition.TestSuite.Digest(); err != nil {
			return err
		}
		seen, err := r.observe(ctx)
		if err != nil {
			return err
		}
		r.last = r.facts(seen)
		return do(ctx, r, r.last)
	})
}

// insist repeats a call whose answer did not come. Only what may be asked twice is asked so.
func insist[T any](ctx context.Context, m *Machine, verb string, id target.SlotID, call func() (T, error)) (T, error) {
	for {
		v, err := call()
		if errors.Is(err, target.ErrUnavailable) && m.clock.Sleep(ctx, m.pause) == nil {
			continue
		}
		if err != nil {
			err = fmt.Errorf("%s slot %q: %w", verb, id, err)
		}
		return v, err
	}
}

// insist is the same for a call that returns nothing.
func (m *Machine) insist(ctx context.Context, verb string, id target.SlotID, call func() error) error {
	_, err := insist(ctx, m, verb, id, func() (struct{}, error) { return struct{}{}, call() })
	return err
}

// host names this machine and process.
func host() string {
	name, err := os.Hostname()
	if err != nil {
		name = "unknown host"
	}
	return fmt.Sprintf("%s, process %d", name, os.Getpid())
}
