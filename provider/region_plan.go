package provider

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// ValidateConfig refuses what is wrong with the region by itself.
func (r *regionResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var m regionModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	region := m.toDomain(ctx, &resp.Diagnostics)
	if !resp.Diagnostics.HasError() {
		r.refuse(&resp.Diagnostics, req.Config.Raw, region.Validate())
	}
}

// ModifyPlan plans the id, and refuses what the target would refuse at apply.
func (r *regionResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	why, kept, ok := r.client.beginPlan(ctx, r.noun, req, resp)
	if !ok {
		return
	}
	var plan, state regionModel
	if why == destroying || why == changing {
		resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	}
	if why == destroying {
		r.client.register.regions.leave(state.Name.ValueString())
		r.sayEnds(ctx, state.Name.ValueString(), resp)
		return
	}
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	plan.ID = plan.Name
	if why != changing && r.client.settings.Target == targetLocal {
		plan.AWSResources = fromRegion(nil)
	}
	resp.Diagnostics.Append(resp.Plan.Set(ctx, &plan)...)
	if why == changing && (kept.Unfinished || !resp.Plan.Raw.Equal(req.State.Raw)) {
		plan.stay(state, r.client.settings.Target, kept)
		resp.Diagnostics.Append(resp.Plan.Set(ctx, &plan)...)
	}
	awaitChange(ctx, req, resp, kept.Unfinished, "drift")
	region := plan.toDomain(ctx, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	r.refuse(&resp.Diagnostics, req.Config.Raw, r.client.tagFaults(region.Tags, false))
	if why == changing {
		r.planChange(ctx, state, plan, resp)
		if len(kept.Anew) > 0 {
			r.client.register.regions.pass(region.Name, reachKey)
		}
	}
	if !plan.Location.IsUnknown() {
		r.checkLocation(ctx, region, resp)
	}
	if !plan.Name.IsUnknown() {
		r.planTogether(ctx, region, plan.known(), why, resp)
	}
}

// checkLocation asks a target that is not everywhere.
func (r *regionResource) checkLocation(ctx context.Context, region target.Region, resp *resource.ModifyPlanResponse) {
	if !r.client.ready() {
		return
	}
	at, ok := r.client.driver.(target.Locations)
	if !ok {
		return
	}
	switch err := at.CheckRegion(ctx, region); {
	case errors.Is(err, target.ErrSignIn):
		r.report(ctx, &resp.Diagnostics, "plan", region.Name, err)
	case err != nil:
		resp.Diagnostics.AddAttributeError(path.Root("location"), r.summary("plan"), r.detail(ctx, region.Name, err))
	}
}

// planChange refuses to move data by a change of words, and replaces a renamed region.
func (r *regionResource) planChange(ctx context.Context, state, plan regionModel, resp *resource.ModifyPlanResponse) {
	name := state.Name.ValueString()
	if !plan.Name.Equal(state.Name) {
		resp.RequiresReplace = append(resp.RequiresReplace, path.Root("name"))
		r.client.register.regions.leave(name)
		if held := r.holdings(ctx, name, resp); len(held) > 0 {
			resp.Diagnostics.AddAttributeError(path.Root("name"), r.summary("replace"), fmt.Sprintf("Set name back to %q: its change would destroy what the region holds (%s). For a region of another name add a resource. Only if that may be lost, destroy it first.", name, strings.Join(held, ", ")))
		}
		r.sayEnds(ctx, name, resp)
		return
	}
	if !r.client.ready() || plan.Location.IsUnknown() || plan.Jurisdiction.IsUnknown() {
		return
	}
	from, to := state.toDomain(ctx, &resp.Diagnostics), plan.toDomain(ctx, &resp.Diagnostics)
	if err := r.client.CheckRegionChange(ctx, from, to); err != nil {
		r.report(ctx, &resp.Diagnostics, "update", name, err)
	}
}

// sayEnds says what goes for good with a region that is to be destroyed.
func (r *regionResource) sayEnds(ctx context.Context, name string, resp *resource.ModifyPlanResponse) {
	if resp.Diagnostics.HasError() || !r.client.ready() {
		return
	}
	// What can't be read is told when it is destroyed.
	if rec, err := r.client.ReadRegion(target.RecordsOnly(ctx), name); err == nil && rec.Ends != "" {
		resp.Diagnostics.AddWarning("The key of a region will be deleted", fmt.Sprintf("Region %q will be removed. %s", name, rec.Ends))
	}
}

// holdings names what lives in the environments of a region.
func (r *regionResource) holdings(ctx context.Context, name string, resp *resource.ModifyPlanResponse) []string {
	if !r.client.ready() {
		return nil
	}
	all, _, err := found(r.client.ListEnvironments(ctx))
	if err != nil {
		r.report(ctx, &resp.Diagnostics, "plan", name, err)
	}
	var held []string
	for _, e := range all {
		if e.Spec.Region != name {
			continue
		}
		contents, _, err := found(r.client.EnvironmentContents(ctx, e.Spec.ID()))
		if err != nil {
			r.report(ctx, &resp.Diagnostics, "plan", name, err)
		}
		held = append(held, contents...)
	}
	return held
}

// planTogether checks the region beside everything else, and tells everything else of it.
func (r *regionResource) planTogether(ctx context.Context, region target.Region, known bool, why intent, resp *resource.ModifyPlanResponse) {
	if err := r.client.register.regions.put(region.Name, region, known, why); err != nil {
		resp.Diagnostics.AddAttributeError(path.Root("name"), r.summary("plan"), sentence(err.Error()))
		return
	}
	if why == creating && r.client.ready() {
		rec, err := r.client.ReadRegion(ctx, region.Name)
		r.client.refuseTaken(ctx, r.noun, region.Name, r.client.register.regions.held(region.Name), rec.Meta, err, resp)
	}
}
