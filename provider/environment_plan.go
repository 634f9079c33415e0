package provider

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// ValidateConfig refuses what is wrong with the environment by itself.
func (r *environmentResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var m environmentModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	// Which target it is for, nobody says before the plan.
	e := m.toDomain(ctx, "", &resp.Diagnostics)
	if !resp.Diagnostics.HasError() {
		r.refuse(&resp.Diagnostics, req.Config.Raw, e.Validate())
	}
}

// ModifyPlan plans what follows from the configuration, and refuses what the target would
// refuse at apply.
func (r *environmentResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	why, kept, ok := r.client.beginPlan(ctx, r.noun, req, resp)
	if !ok {
		return
	}
	var config, plan, state environmentModel
	if why == destroying || why == changing {
		resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	}
	if why == destroying {
		r.leave(state)
		r.refuseProtected(state.DeletionProtection, state.ID.ValueString(), resp)
		r.sayLeaves(ctx, state.ID.ValueString(), resp)
		return
	}
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	on := r.client.settings.Target
	if on == "" && why == changing {
		on = state.on()
	}
	plan.fill(ctx, config, state, on, r.client.settings.AWSDomainName, &resp.Diagnostics)
	resp.Diagnostics.Append(resp.Plan.Set(ctx, &plan)...)
	if why == changing {
		kept = r.reached(state, plan, on, kept)
	}
	if why == changing && (kept.Unfinished || !resp.Plan.Raw.Equal(req.State.Raw)) {
		plan.stay(ctx, state, kept, &resp.Diagnostics)
		resp.Diagnostics.Append(resp.Plan.Set(ctx, &plan)...)
	}
	awaitChange(ctx, req, resp, kept.Unfinished, "drift")
	e := plan.toDomain(ctx, on, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	r.refuseOther(on, config, e, req, resp)
	r.refuse(&resp.Diagnostics, req.Config.Raw, r.client.tagFaults(e.Tags, true))
	var before *target.Environment
	if why == changing {
		r.planChange(ctx, state, plan, resp)
		b := state.toDomain(ctx, on, &resp.Diagnostics)
		before = &b
	}
	if given(plan.ID) {
		r.planTogether(ctx, e, plan, why, req, resp)
		r.checkSite(ctx, e, plan, before, req, resp)
		r.warnApart(ctx, e, resp)
		if fullyKnown(ctx, plan.Network) {
			r.warnTaken(ctx, e, before, req, resp)
		}
	}
}

// reached says what reaches an environment from its region, and passes on what reaches what is in it.
func (r *environmentResource) reached(state, plan environmentModel, on string, kept note) note {
	id, err := target.ParseEnvironmentID(state.ID.ValueString())
	if err != nil || on != targetAWS {
		return kept
	}
	within := &r.client.register.environments
	if !plan.Tags.Equal(state.Tags) {
		within.pass(id, reachTags)
	}
	if r.client.register.regions.passes(id.Region, reachKey) {
		within.pass(id, reachKey)
		kept.Unfinished, kept.Anew = true, append(kept.Anew, "kms_key_arn")
	}
	return kept
}

// known says whether everything is known that other resources are checked against.
func (m environmentModel) known(ctx context.Context) bool {
	for _, v := range []attr.Value{m.ID, m.Account, m.AWS, m.Database, m.DomainName, m.Kind, m.Network, m.Tenancy} {
		if !fullyKnown(ctx, v) {
			return false
		}
	}
	return true
}

func (r *environmentResource) leave(state environmentModel) {
	if id, err := target.ParseEnvironmentID(state.ID.ValueString()); err == nil {
		r.client.register.environments.leave(id)
	}
}

// planChange replaces an environment whose nature changes, if nothing is lost by it.
func (r *environmentResource) planChange(ctx context.Context, state, plan environmentModel, resp *resource.ModifyPlanResponse) {
	var moved path.Paths
	for name, differs := range map[string]bool{
		"account":   !plan.Account.Equal(state.Account),
		"kind":      !plan.Kind.Equal(state.Kind),
		"name":      !plan.Name.Equal(state.Name),
		"region_id": !plan.RegionID.Equal(state.RegionID),
		"tenancy":   !plan.Tenancy.Equal(state.Tenancy),
	} {
		if differs {
			moved = append(moved, path.Root(name))
		}
	}
	if len(moved) == 0 { // else the defaults of its network follow
		moved = r.otherNetwork(ctx, state, plan, resp)
	}
	if len(moved) == 0 {
		r.refuseUpgrade(ctx, state, plan, resp)
		return
	}
	resp.RequiresReplace = append(resp.RequiresReplace, moved...)
	r.leave(state)
	id := state.ID.ValueString()
	if held := r.contents(ctx, id, resp); len(held) > 0 {
		for _, p := range moved {
			resp.Diagnostics.AddAttributeError(p, r.summary("replace"), fmt.Sprintf("Set %s back to what it was: its change would replace environment %q, and destroy with it what it holds (%s). Only if that may be lost, destroy it first.", p, id, strings.Join(held, ", ")))
		}
		return
	}
	r.refuseReplacing(state.DeletionProtection, id, moved, resp)
	r.sayLeaves(ctx, id, resp)
}

// sayLeaves says where the data of an environment that is to be destroyed can be had back from.
func (r *environmentResource) sayLeaves(ctx context.Context, id string, resp *resource.ModifyPlanResponse) {
	parsed, err := target.ParseEnvironmentID(id)
	if err != nil || resp.Diagnostics.HasError() || !r.client.ready() {
		return
	}
	// What can't be read is told when it is destroyed.
	if rec, err := r.client.ReadEnvironment(target.RecordsOnly(ctx), parsed); err == nil && rec.Leaves != "" {
		resp.Diagnostics.AddWarning("What an environment leaves behind", fmt.Sprintf("Environment %q will be removed. What stays is %s. It costs by size until somebody deletes it.", id, rec.Leaves))
	}
}

func (r *environmentResource) contents(ctx context.Context, id string, resp *resource.ModifyPlanResponse) []string {
	parsed, err := target.ParseEnvironmentID(id)
	if err != nil || !r.client.ready() {
		return nil
	}
	held, _, err := found(r.client.EnvironmentContents(ctx, parsed))
	if err != nil {
		r.report(ctx, &resp.Diagnostics, "plan", id, err)
	}
	return held
}

// planTogether checks the environment beside everything else, and tells everything else of it.
func (r *environmentResource) planTogether(ctx context.Context, e target.Environment, plan environmentModel, why intent, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	id, known := e.ID(), plan.known(ctx)
	if err := r.client.register.environments.put(id, e, known, why); err != nil {
		resp.Diagnostics.AddAttributeError(path.Root("name"), r.summary("plan"), sentence(err.Error()))
		return
	}
	var rec target.EnvironmentRecord
	exists := why == changing && len(resp.RequiresReplace) == 0
	if why == creating && r.client.ready() {
		var err error
		if rec, err = r.client.ReadEnvironment(ctx, id); err == nil {
			exists = true
		}
		r.client.refuseTaken(ctx, r.noun, id.String(), r.client.register.environments.held(id), rec.Meta, err, resp)
	}
	region, found, err := r.client.lookRegion(ctx, e.Region)
	if err != nil {
		r.report(ctx, &resp.Diagnostics, "plan", id.String(), err)
	}
	var faults target.Faults
	if found {
		faults = append(faults, e.ValidateIn(region, exists)...)
	}
	others, err := r.client.otherEnvironments(ctx, id)
	if err != nil {
		r.report(ctx, &resp.Diagnostics, "plan", id.String(), err)
	}
	if known {
		for _, o := range others {
			faults = append(faults, e.Conflicts(o)...)
		}
	}
	r.refuse(&resp.Diagnostics, req.Config.Raw, append(faults, r.mirrorFaults(ctx, e, resp)...))
}

// mirrorFaults refuses to mirror what is not a production environment.
func (r *environmentResource) mirrorFaults(ctx context.Context, e target.Environment, resp *resource.ModifyPlanResponse) target.Faults {
	id, err := target.ParseEnvironmentID(e.Mirrors)
	if err != nil {
		return nil
	}
	mirrored, ok, err := r.client.lookEnvironment(ctx, id)
	if err != nil {
		r.report(ctx, &resp.Diagnostics, "plan", e.ID().String(), err)
	}
	if !ok || mirrored.Kind == target.KindProduction {
		return nil
	}
	return target.Faults{{Path: "mirrors", Message: fmt.Sprintf("environment %q is of kind %q: a sandbox mirrors a production environment", id, mirrored.Kind)}}
}

// warnApart warns where a sandbox serves another release than the production it mirrors.
func (r *environmentResource) warnApart(ctx context.Context, e target.Environment, resp *resource.ModifyPlanResponse) {
	production, err := target.ParseEnvironmentID(e.Mirrors)
	if err != nil || !r.client.ready() {
		return
	}
	theirs, err := r.client.releases(ctx, production)
	if err != nil || len(theirs) == 0 {
		return
	}
	ours, err := r.client.releases(ctx, e.ID())
	if err != nil {
		return
	}
	for _, slot := range target.SortedKeys(ours) {
		if there, ok := theirs[slot]; ok && there != ours[slot] {
			resp.Diagnostics.AddAttributeWarning(path.Root("mirrors"), "Sandbox and production are apart", fmt.Sprintf("Environment %q mirrors %q. In slot %q it serves release %s, and production serves release %s: what is tried out here is not what customers use. Set both slots to the same release.", e.ID(), production, slot, ours[slot], there))
		}
	}
}
