package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// ValidateConfig refuses what is wrong with the database by itself.
func (r *accountDatabaseResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var m accountDatabaseModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	d := m.toDomain(&resp.Diagnostics)
	if !resp.Diagnostics.HasError() {
		r.refuse(&resp.Diagnostics, req.Config.Raw, d.Validate())
	}
}

// ModifyPlan plans the id, and refuses what the target would refuse at apply.
func (r *accountDatabaseResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	why, kept, ok := r.client.beginPlan(ctx, r.noun, req, resp)
	if !ok {
		return
	}
	var plan, state accountDatabaseModel
	if why == destroying || why == changing {
		resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	}
	if why == destroying {
		if id, err := target.ParseAccountDatabaseID(state.ID.ValueString()); err == nil {
			r.client.register.databases.leave(id)
		}
		r.refuseProtected(state.DeletionProtection, state.ID.ValueString(), resp)
		r.sayRecovery(ctx, state, resp)
		return
	}
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	d := plan.toDomain(&resp.Diagnostics)
	if plan.ID = types.StringUnknown(); given(plan.EnvironmentID) && given(plan.Account) {
		plan.ID = types.StringValue(d.ID().String())
	}
	work := kept.Unfinished || why == changing && (len(state.Drift.Elements()) > 0 || r.client.register.environments.passes(d.Environment, reachTags, reachKey))
	if why == changing {
		plan.Host = stays(plan.Host, state.Host, types.StringUnknown(), work)
		plan.Port = stays(plan.Port, state.Port, types.Int64Unknown(), work)
		plan.SecretID = stays(plan.SecretID, state.SecretID, types.StringUnknown(), work)
	}
	resp.Diagnostics.Append(resp.Plan.Set(ctx, &plan)...)
	awaitChange(ctx, req, resp, work, "drift")
	if resp.Diagnostics.HasError() {
		return
	}
	if why == changing {
		r.planChange(state, plan, resp)
	}
	if given(plan.ID) {
		r.planTogether(ctx, d, plan, why, req, resp)
	}
}

// sayRecovery says where a database that is to be destroyed can be had back from.
func (r *accountDatabaseResource) sayRecovery(ctx context.Context, state accountDatabaseModel, resp *resource.ModifyPlanResponse) {
	id := state.ID.ValueString()
	parsed, err := target.ParseAccountDatabaseID(id)
	if err != nil || resp.Diagnostics.HasError() || !r.client.ready() {
		return
	}
	rec, err := r.client.ReadAccountDatabase(ctx, parsed)
	if err != nil || !rec.Meta.Ready {
		return // what can't be read is told when it is destroyed, and what was never finished holds nothing
	}
	kept := "Nothing of it is kept, since final_snapshot is false."
	switch {
	case rec.Status.Recovery != "":
		kept = fmt.Sprintf("It can be had back from %s.", rec.Status.Recovery)
	case !rec.Spec.SkipFinalSnapshot:
		kept = "Nothing of it is kept: this target takes no snapshots. Dump it first where it may be needed once more."
	}
	resp.Diagnostics.AddWarning("The data of an account will be removed", fmt.Sprintf("The database of account database %q will be removed with all that is in it. %s", id, kept))
}

// planChange refuses every change that would leave the data behind. What is not known yet
// is decided when the apply plans again.
func (r *accountDatabaseResource) planChange(state, plan accountDatabaseModel, resp *resource.ModifyPlanResponse) {
	for _, v := range []struct {
		name        string
		state, plan types.String
	}{
		{"account", state.Account, plan.Account},
		{"environment_id", state.EnvironmentID, plan.EnvironmentID},
		{"isolation", state.Isolation, plan.Isolation},
	} {
		if v.plan.IsUnknown() || v.plan.Equal(v.state) {
			continue
		}
		resp.Diagnostics.AddAttributeError(path.Root(v.name), r.summary("change"), fmt.Sprintf("%s of account database %q can't change from %q to %q: the data does not move by itself. Leave it as it is and add a database beside it, or, if the data may be lost, destroy this one first.", v.name, state.ID.ValueString(), v.state.ValueString(), v.plan.ValueString()))
	}
}

// planTogether checks the database beside everything else, and tells everything else of it.
func (r *accountDatabaseResource) planTogether(ctx context.Context, d target.AccountDatabase, plan accountDatabaseModel, why intent, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	id := d.ID()
	if err := r.client.register.databases.put(id, d, true, why); err != nil {
		resp.Diagnostics.AddAttributeError(path.Root("account"), r.summary("plan"), sentence(err.Error()))
		return
	}
	if why == creating && r.client.ready() {
		rec, err := r.client.ReadAccountDatabase(ctx, id)
		r.client.refuseTaken(ctx, r.noun, id.String(), r.client.register.databases.held(id), rec.Meta, err, resp)
	}
	e, ok, err := r.client.lookEnvironment(ctx, d.Environment)
	if err != nil {
		r.report(ctx, &resp.Diagnostics, "plan", id.String(), err)
	}
	region, regionOK, err := r.client.lookRegion(ctx, d.Environment.Region)
	if err != nil {
		r.report(ctx, &resp.Diagnostics, "plan", id.String(), err)
	}
	if !regionOK || !fullyKnown(ctx, plan.DataResidency) {
		d.DataResidency = nil
	}
	if ok {
		r.refuse(&resp.Diagnostics, req.Config.Raw, d.ValidateIn(e, region))
	}
}
