package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// ValidateConfig refuses what is wrong with the slot by itself.
func (r *deploymentSlotResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var m deploymentSlotModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	slot := m.toDomain(ctx, &resp.Diagnostics)
	if !resp.Diagnostics.HasError() {
		r.refuse(&resp.Diagnostics, req.Config.Raw, slot.Validate())
	}
}

// ModifyPlan plans what follows from the configuration, refuses what the target would refuse
// at apply, and foretells what an apply would do to people's surprise.
func (r *deploymentSlotResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	why, kept, ok := r.client.beginPlan(ctx, r.noun, req, resp)
	if !ok {
		return
	}
	var config, plan, state deploymentSlotModel
	if why == destroying || why == changing {
		resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	}
	if why == destroying {
		r.leave(state)
		r.refuseProtected(state.DeletionProtection, state.ID.ValueString(), resp)
		return
	}
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	in := r.fill(ctx, config, state, &plan, &resp.Diagnostics)
	resp.Diagnostics.Append(resp.Plan.Set(ctx, &plan)...)
	reached := why == changing && given(plan.EnvironmentID) && r.client.register.environments.passes(environmentID(plan.EnvironmentID, &resp.Diagnostics), reachTags)
	anew := observed[:]
	if kept.Repair { // where something else is asked for, all of them are unknown by that
		anew = state.repaired(ctx, &resp.Diagnostics)
	}
	awaitChange(ctx, req, resp, kept.Unfinished || kept.Unmet || reached, anew...)
	slot := plan.toDomain(ctx, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	r.refuseOther(ctx, slot, in, plan, req, resp)
	if why == changing {
		r.planChange(ctx, state, plan, resp)
	}
	if !given(plan.ID) || resp.Diagnostics.HasError() {
		return
	}
	var before *target.Slot
	if why == changing {
		s := state.toDomain(ctx, &resp.Diagnostics)
		before = &s
	}
	r.planTogether(ctx, slot, before, why, req, resp)
	known := plan.definitionKnown(ctx)
	if why == changing && given(plan.Release) && given(plan.Retry) && !resp.Plan.Raw.Equal(req.State.Raw) {
		r.foretell(ctx, slot, known, resp)
	}
	if !known {
		return
	}
	r.warnMissing(slot, before, req, resp)
	r.warnShort(slot, before, resp)
	r.warnLong(ctx, slot, before, plan, resp)
}

// fill replaces what the configuration leaves out by what follows from the environment, and
// returns that as far as it is known.
func (r *deploymentSlotResource) fill(ctx context.Context, config, state deploymentSlotModel, plan *deploymentSlotModel, diags *diag.Diagnostics) target.Environment {
	plan.ID, plan.URL, plan.PreviewURL = types.StringUnknown(), types.StringUnknown(), types.StringUnknown()
	if config.DeletionProtection.IsNull() {
		plan.DeletionProtection = types.BoolUnknown()
	}
	if !given(config.EnvironmentID) {
		return target.Environment{}
	}
	id := target.SlotID{Environment: environmentID(config.EnvironmentID, diags), Name: config.Name.ValueString()}
	if given(config.Name) {
		plan.ID = types.StringValue(id.String())
	}
	e, ok, err := r.client.lookEnvironment(ctx, id.Environment)
	if err != nil {
		r.report(ctx, diags, "plan", id.String(), err)
	}
	_, standing := r.client.register.environments.get(id.Environment)
	switch {
	case ok:
		plan.URL, plan.PreviewURL = entrances(e)
		if config.DeletionProtection.IsNull() {
			plan.DeletionProtection = types.BoolValue(e.Kind == target.KindProduction)
		}
	case standing == unseen && plan.EnvironmentID.Equal(state.EnvironmentID):
		plan.URL, plan.PreviewURL = state.URL, state.PreviewURL
		if config.DeletionProtection.IsNull() {
			plan.DeletionProtection = state.DeletionProtection
		}
	}
	if !ok {
		return target.Environment{}
	}
	return e
}

// definitionKnown says whether everything is known that makes a stack.
func (m deploymentSlotModel) definitionKnown(ctx context.Context) bool {
	for _, v := range []attr.Value{m.AllowUntested, m.Components, m.Migrate, m.Release, m.Retry, m.TestSuite} {
		if !fullyKnown(ctx, v) {
			return false
		}
	}
	return true
}

func (r *deploymentSlotResource) leave(state deploymentSlotModel) {
	if id, err := target.ParseSlotID(state.ID.ValueString()); err == nil {
		r.client.register.slots.leave(id)
	}
}

// planChange replaces a slot that moves, if it carries no traffic.
func (r *deploymentSlotResource) planChange(ctx context.Context, state, plan deploymentSlotModel, resp *resource.ModifyPlanResponse) {
	var moved path.Paths
	if !plan.EnvironmentID.Equal(state.EnvironmentID) {
		moved = append(moved, path.Root("environment_id"))
	}
	if !plan.Name.Equal(state.Name) {
		moved = append(moved, path.Root("name"))
	}
	if len(moved) == 0 {
		return
	}
	resp.RequiresReplace = append(resp.RequiresReplace, moved...)
	r.leave(state)
	id := state.ID.ValueString()
	if release := r.serving(ctx, id, resp); release != "" {
		for _, p := range moved {
			resp.Diagnostics.AddAttributeError(p, r.summary("replace"), fmt.Sprintf("Set %s back to what it was: its change would take the traffic away from slot %q, which serves release %s. For another slot add a resource, and destroy this one when it is no longer needed.", p, id, release))
		}
		return
	}
	r.refuseReplacing(state.DeletionProtection, id, moved, resp)
}

// serving is the release that a slot serves, "" if it serves none.
func (r *deploymentSlotResource) serving(ctx context.Context, id string, resp *resource.ModifyPlanResponse) string {
	parsed, err := target.ParseSlotID(id)
	if err != nil || !r.client.ready() {
		return ""
	}
	s, _, err := found(r.client.ReadSlot(ctx, parsed))
	if err != nil {
		r.report(ctx, &resp.Diagnostics, "plan", id, err)
	}
	st, ok := s.Serving()
	if !ok {
		return ""
	}
	return st.Spec.Definition.Release
}

// planTogether checks the slot beside everything else, and tells everything else of it. Before is what it
// is so far, nil for a new one.
func (r *deploymentSlotResource) planTogether(ctx context.Context, slot target.Slot, before *target.Slot, why intent, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	id := slot.ID()
	if err := r.client.register.slots.put(id, slot, true, why); err != nil {
		resp.Diagnostics.AddAttributeError(path.Root("name"), r.summary("plan"), sentence(err.Error()))
		return
	}
	if why == creating && r.client.ready() {
		rec, err := r.client.ReadSlot(ctx, id)
		r.client.refuseTaken(ctx, r.noun, id.String(), r.client.register.slots.held(id), rec.Record.Meta, err, resp)
	}
	others, err := r.client.otherSlots(ctx, id)
	if err != nil {
		r.report(ctx, &resp.Diagnostics, "plan", id.String(), err)
	}
	var faults target.Faults
	for _, o := range others {
		faults = append(faults, slot.Conflicts(o)...)
	}
	r.refuse(&resp.Diagnostics, req.Config.Raw, faults)
	if before != nil && before.ID() == id {
		others = append(others, *before)
	}
	r.checkRoom(ctx, slot, others, req, resp)
	r.warnSuiteAccount(ctx, slot, resp)
}
