package provider

import (
	"context"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// refuseOther refuses what the provider's target can't run. What is not known yet is left to the
// apply, and so is what depends on an environment that is not.
func (r *deploymentSlotResource) refuseOther(ctx context.Context, slot target.Slot, in target.Environment, plan deploymentSlotModel, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if !r.client.ready() {
		return
	}
	if r.client.settings.Target == targetLocal {
		r.refuse(&resp.Diagnostics, req.Config.Raw, localFaults(slot.Definition))
		return
	}
	rooms, ok := r.client.driver.(target.Rooms)
	if !ok {
		return
	}
	if !given(plan.EnvironmentID) {
		slot.Environment = target.EnvironmentID{}
	}
	faults := rooms.SlotFaults(target.AllowRecent(ctx), slot, in, r.client.plannedRegion(slot.Environment.Region))
	r.refuse(&resp.Diagnostics, req.Config.Raw, decided(req.Config.Raw, faults))
}

// checkRoom refuses a slot that there is no room for beside the others of its environment. What the slot is so far
// is one of them.
func (r *deploymentSlotResource) checkRoom(ctx context.Context, slot target.Slot, others []target.Slot, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if !r.client.ready() || resp.Diagnostics.HasError() {
		return
	}
	rooms, ok := r.client.driver.(target.Rooms)
	if !ok {
		return
	}
	others = slices.DeleteFunc(slices.Clone(others), func(o target.Slot) bool { return o.Environment != slot.Environment })
	faults, _, err := found(rooms.CheckRoom(target.AllowRecent(ctx), slot, others, r.client.plannedRegion(slot.Environment.Region)))
	if err != nil {
		r.report(ctx, &resp.Diagnostics, "plan", slot.ID().String(), err)
	}
	r.refuse(&resp.Diagnostics, req.Config.Raw, faults)
}

// plannedRegion is a region as this plan leaves it, the zero one if this plan knows nothing of it.
func (c *client) plannedRegion(id string) target.Region {
	if r, is := c.register.regions.get(id); is == planned {
		return r
	}
	return target.Region{}
}
