package provider

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/action/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/action/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// deed is what all actions have in common.
type deed struct {
	configured
	noun
	// verb is "roll back", typeName "slipway_rollback".
	verb, typeName string
	limit          time.Duration
}

// Metadata names the action.
func (a *deed) Metadata(_ context.Context, _ action.MetadataRequest, resp *action.MetadataResponse) {
	resp.TypeName = a.typeName
}

// Configure is called before the action is planned or invoked.
func (a *deed) Configure(_ context.Context, req action.ConfigureRequest, resp *action.ConfigureResponse) {
	a.take(req.ProviderData, &resp.Diagnostics)
}

// do does something with the object of an id, within the time limit of the action. It says what
// is true in the end.
func (a *deed) do(ctx context.Context, id string, limit timeouts.Value, resp *action.InvokeResponse, do func(ctx context.Context, tell func(string)) (end string, err error)) {
	d, diags := limit.Invoke(ctx, a.limit)
	resp.Diagnostics.Append(diags...)
	ctx, cancel := timeLimit(ctx, "invoke", d)
	defer cancel()
	if !a.available(a.noun, a.verb, &resp.Diagnostics) {
		return
	}
	tell := func(message string) { resp.SendProgress(action.InvokeProgressEvent{Message: message}) }
	end, err := do(ctx, tell)
	if err != nil {
		a.report(ctx, &resp.Diagnostics, a.verb, id, err)
		return
	}
	tell(end)
}

// slotAction is what the actions on a deployment slot have in common.
type slotAction struct{ deed }

func newSlotAction(verb, typeName string, limit time.Duration) slotAction {
	return slotAction{deed{noun: noun{"deployment slot", "Deployment slot", "slipway_deployment_slot"}, verb: verb, typeName: typeName, limit: limit}}
}

// checkSlot refuses what is no id of a slot, and release, where it is given, if it is none.
func checkSlot(diags *diag.Diagnostics, id, release types.String) {
	if given(id) {
		if _, err := target.ParseSlotID(id.ValueString()); err != nil {
			invalid(diags, invalidValue, pathSlotID, "%v", err)
		}
	}
	if given(release) {
		if err := target.ValidateRelease(release.ValueString()); err != nil {
			invalid(diags, invalidValue, path.Root("release"), "%v", err)
		}
	}
}

var pathSlotID = path.Root("deployment_slot_id")

// invoke does something with a slot while the action tells how it goes on.
func (a *slotAction) invoke(ctx context.Context, slot types.String, limit timeouts.Value, resp *action.InvokeResponse, do func(context.Context, *provision.Provisioner, target.SlotID) (provision.SlotState, error)) {
	a.do(ctx, slot.ValueString(), limit, resp, func(ctx context.Context, tell func(string)) (string, error) {
		id, err := target.ParseSlotID(slot.ValueString())
		if err != nil {
			return "", err
		}
		state, err := do(ctx, a.client.telling(tell), id)
		return serves(state) + ".", err
	})
}

// by is who asks for what an action does, for journals and holds.
func (a *slotAction) by() string {
	return fmt.Sprintf("the action %s of %s", a.typeName, a.client.settings.Owner)
}

func slotIDAttribute() schema.Attribute {
	return schema.StringAttribute{Required: true, MarkdownDescription: "Id of the deployment slot, such as `eu/production/oms`."}
}

func invokeTimeoutAttribute(ctx context.Context, limit time.Duration) schema.Attribute {
	a, ok := timeouts.Attributes(ctx).(schema.SingleNestedAttribute)
	if !ok {
		return a
	}
	a.MarkdownDescription = "How long the action may take before it is given up, as a duration such as `30s` or `1h30m`."
	a.Attributes["invoke"] = schema.StringAttribute{
		Optional: true, Validators: []validator.String{aDuration{}},
		MarkdownDescription: fmt.Sprintf("Time limit of the action, a duration with a unit (`s`, `m`, `h`); defaults to `%s`.", limit),
	}
	return a
}
