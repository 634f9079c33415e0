package swap_test

import (
	"context"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/swap"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// stubborn is a target whose workers in one seat look alive when they should have stopped.
type stubborn struct {
	swap.Driver
	color target.Color
}

func (d *stubborn) Observe(ctx context.Context, id target.SlotID) (target.Observation, error) {
	seen, err := d.Driver.Observe(ctx, id)
	if st, ok := seen.Stacks[d.color]; ok && st.Spec.HoldWorkers {
		st.Instances = append(st.Instances, target.InstanceStatus{Component: "mailer", Index: 1, Running: true})
		seen.Stacks[d.color] = st
	}
	return seen, err
}

// immovable is a target that can't remove stacks now.
type immovable struct{ swap.Driver }

func (d *immovable) DeleteStack(context.Context, target.SlotID, target.Color, target.Lease) error {
	return target.Errorf(target.ErrUnavailable, "the stack does not stop")
}

// mute is a target that does not answer from one moment until another.
type mute struct {
	swap.Driver
	clock       *wait.Fake
	from, until time.Time
}

func (d *mute) silent() error {
	now := d.clock.Now()
	if now.Before(d.from) || !d.until.IsZero() && !now.Before(d.until) {
		return nil
	}
	return target.Errorf(target.ErrUnavailable, "no answer")
}

func (d *mute) AcquireLease(ctx context.Context, id target.SlotID, token, holder string, ttl time.Duration) (target.Lease, error) {
	if err := d.silent(); err != nil {
		return target.Lease{}, err
	}
	return d.Driver.AcquireLease(ctx, id, token, holder, ttl)
}

func (d *mute) GetSlot(ctx context.Context, id target.SlotID) (target.SlotRecord, error) {
	if err := d.silent(); err != nil {
		return target.SlotRecord{}, err
	}
	return d.Driver.GetSlot(ctx, id)
}

func (d *mute) Observe(ctx context.Context, id target.SlotID) (target.Observation, error) {
	if err := d.silent(); err != nil {
		return target.Observation{}, err
	}
	return d.Driver.Observe(ctx, id)
}

func (d *mute) PutSlot(ctx context.Context, r target.SlotRecord, l target.Lease) (target.SlotRecord, error) {
	if err := d.silent(); err != nil {
		return r, err
	}
	return d.Driver.PutSlot(ctx, r, l)
}

// door is a target whose front door may be deaf, and may be asked from a place of its own that is
// not ready for a while.
type door struct {
	swap.Driver
	deaf    bool
	pending func() bool
}

func (d *door) ProbeFrontDoor(ctx context.Context, id target.SlotID) (target.Probe, error) {
	if d.pending != nil && d.pending() {
		return target.Probe{Pending: true, Problem: "a task is starting"}, nil
	}
	if d.deaf {
		return target.Probe{Problem: "connection refused"}, nil
	}
	return d.Driver.ProbeFrontDoor(ctx, id)
}

// broken is a target one method of which fails for good.
type broken struct {
	swap.Driver
	method string
	err    error
}

func (d *broken) fails(method string) error {
	if method == d.method {
		return d.err
	}
	return nil
}

func (d *broken) PutStack(ctx context.Context, s target.StackSpec, l target.Lease) error {
	if err := d.fails("PutStack"); err != nil {
		return err
	}
	return d.Driver.PutStack(ctx, s, l)
}

func (d *broken) RetireStack(ctx context.Context, id target.SlotID, c target.Color, at *time.Time, l target.Lease) error {
	if err := d.fails("RetireStack"); err != nil {
		return err
	}
	return d.Driver.RetireStack(ctx, id, c, at, l)
}

func (d *broken) PutTask(ctx context.Context, t target.TaskSpec, l target.Lease) error {
	if err := d.fails("PutTask"); err != nil {
		return err
	}
	return d.Driver.PutTask(ctx, t, l)
}

func (d *broken) SetTraffic(ctx context.Context, id target.SlotID, t target.Traffic, drain time.Duration, l target.Lease) (target.Switched, error) {
	if err := d.fails("SetTraffic"); err != nil {
		return target.Switched{}, err
	}
	return d.Driver.SetTraffic(ctx, id, t, drain, l)
}

func (d *broken) ProbeFrontDoor(ctx context.Context, id target.SlotID) (target.Probe, error) {
	if err := d.fails("ProbeFrontDoor"); err != nil {
		return target.Probe{}, err
	}
	return d.Driver.ProbeFrontDoor(ctx, id)
}

// shy is a target whose candidates look unhealthy while the switch is due.
type shy struct {
	swap.Driver
	*world
}

func (d *shy) Observe(ctx context.Context, id target.SlotID) (target.Observation, error) {
	seen, err := d.Driver.Observe(ctx, id)
	if w := d.record().Swap; w != nil && w.Phase == target.PhaseSwitching {
		for n := range seen.Stacks[w.To].Instances {
			seen.Stacks[w.To].Instances[n].Healthy = false
		}
	}
	return seen, err
}

// late is a target whose switch happens only after whoever asked for it has given up.
type late struct {
	swap.Driver
	interrupt context.CancelFunc
	serve     func() error
}

func (d *late) SetTraffic(ctx context.Context, id target.SlotID, t target.Traffic, drain time.Duration, l target.Lease) (target.Switched, error) {
	d.serve = func() error {
		_, err := d.Driver.SetTraffic(context.WithoutCancel(ctx), id, t, drain, l)
		return err
	}
	d.interrupt()
	return target.Switched{}, context.Cause(ctx)
}

func (d *late) DeleteStack(ctx context.Context, id target.SlotID, c target.Color, l target.Lease) error {
	if serve := d.serve; serve != nil {
		d.serve = nil
		if err := serve(); err != nil {
			return err
		}
	}
	return d.Driver.DeleteStack(ctx, id, c, l)
}

// slow is a target whose switch takes long, and its answer is lost.
type slow struct {
	swap.Driver
	clock *wait.Fake
	takes time.Duration
}

func (d *slow) SetTraffic(ctx context.Context, id target.SlotID, t target.Traffic, drain time.Duration, l target.Lease) (target.Switched, error) {
	s, err := d.Driver.SetTraffic(ctx, id, t, drain, l)
	if err != nil {
		return s, err
	}
	d.clock.Advance(d.takes)
	return target.Switched{}, target.Errorf(target.ErrUnavailable, "the answer was lost")
}
