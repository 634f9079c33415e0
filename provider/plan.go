package provider

import (
	"context"
	"errors"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// destroying is the one intent that never enters the register.
const destroying intent = "destroying"

// beginPlan says what Terraform is about to do, and refuses to plan for an object of another
// installation.
func (c *client) beginPlan(ctx context.Context, n noun, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) (intent, note, bool) {
	kept := readNote(ctx, req.Private, &resp.Diagnostics)
	if resp.Diagnostics.HasError() || c == nil {
		return "", kept, false
	}
	why := changing
	switch {
	case req.Plan.Raw.IsNull():
		why = destroying
	case req.State.Raw.IsNull() && kept.Installation != "":
		why = recreating
	case req.State.Raw.IsNull():
		why = creating
	}
	if req.State.Raw.IsNull() || !c.ready() {
		return why, kept, true
	}
	var id types.String
	resp.Diagnostics.Append(req.State.GetAttribute(ctx, pathID, &id)...)
	if !c.sameInstallation(ctx, req.Private, n, "plan", id.ValueString(), &resp.Diagnostics) {
		return why, kept, false
	}
	c.refuseTakenOver(n, kept, id.ValueString(), !req.Plan.Raw.Equal(req.State.Raw), &resp.Diagnostics)
	return why, kept, !resp.Diagnostics.HasError()
}

// awaitChange marks computed attributes as unknown where an update is going to happen or,
// because the object was last seen unfinished, has to. Without a change they stay as they
// are, so that nothing is planned.
func awaitChange(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse, unfinished bool, attributes ...string) {
	if resp.Diagnostics.HasError() || !unfinished && resp.Plan.Raw.Equal(req.State.Raw) {
		return
	}
	for _, name := range attributes {
		p := path.Root(name)
		a, diags := resp.Plan.Schema.AttributeAtPath(ctx, p)
		resp.Diagnostics.Append(diags...)
		if diags.HasError() {
			return
		}
		unknown, err := unknownOf(ctx, a.GetType())
		if err != nil {
			resp.Diagnostics.AddAttributeError(p, "Unable to plan", sentence(err.Error()))
			return
		}
		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, p, unknown)...)
	}
}

// unknownOf is the unknown value of a type.
func unknownOf(ctx context.Context, t attr.Type) (attr.Value, error) {
	return t.ValueFromTerraform(ctx, tftypes.NewValue(t.TerraformType(ctx), tftypes.UnknownValue))
}

// stays is a computed value through an update that does not change it: dependants would be replaced
// for one that is not known. What an unfinished object does not have yet is to come.
func stays[T attr.Value](planned, state, unknown T, unfinished bool) T {
	switch {
	case unfinished && state.IsNull():
		return unknown
	case planned.IsUnknown():
		return state
	}
	return planned
}

// refuseTaken refuses at plan to create what another owner has. What this owner has may be
// adopted, resumed or about to be replaced: that is decided at apply. So is what this state
// holds, which is tainted then: its owner differs if the configuration has moved.
func (c *client) refuseTaken(ctx context.Context, n noun, id string, held bool, m target.Meta, err error, resp *resource.ModifyPlanResponse) {
	_, ok, err := found(m, err)
	switch {
	case errors.Is(err, target.ErrVanished):
	case err != nil:
		n.report(ctx, &resp.Diagnostics, "plan", id, err)
	case ok && !held && m.Owner != c.settings.Owner:
		n.report(ctx, &resp.Diagnostics, "create", id, &provision.ExistsError{
			Noun: n.words, ID: id, Owner: m.Owner,
			Why: fmt.Sprintf("it belongs to %q and this is %q", m.Owner, c.settings.Owner),
		})
	}
}

// refuseProtected refuses a destruction that the target would refuse too. Terraform does not
// ask the plan when it replaces, so the target checks again.
func (n noun) refuseProtected(protected types.Bool, id string, resp *resource.ModifyPlanResponse) {
	if protected.ValueBool() {
		resp.Diagnostics.AddError(n.summary("destroy"), "Deletion protection of "+n.words+" \""+id+"\" is on. "+protectedHint)
	}
}

// refuseReplacing is refuseProtected where a change of some attributes replaces the object.
func (n noun) refuseReplacing(protected types.Bool, id string, moved path.Paths, resp *resource.ModifyPlanResponse) {
	if !protected.ValueBool() {
		return
	}
	for _, p := range moved {
		resp.Diagnostics.AddAttributeError(p, n.summary("replace"), fmt.Sprintf("Set %s back to what it was: its change would replace %s %q, whose deletion protection is on. Only if it may go, set deletion_protection = false and apply that first.", p, n.words, id))
	}
}
