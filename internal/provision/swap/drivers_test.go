package swap_test

import (
	"context"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/swap"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
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
