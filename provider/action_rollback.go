package provider

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/action/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/action/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

var (
	_ action.ActionWithConfigure      = (*rollbackAction)(nil)
	_ action.ActionWithValidateConfig = (*rollbackAction)(nil)
)

// rollbackAction is slipway_rollback.
type rollbackAction struct{ slotAction }

type rollbackModel struct {
	DeploymentSlotID types.String   `tfsdk:"deployment_slot_id"`
	Reason           types.String   `tfsdk:"reason"`
	Timeouts         timeouts.Value `tfsdk:"timeouts"`
}

// defaultReason is why a slot was rolled back where nobody said more.
const defaultReason = "a rollback was asked for"

func newRollback() action.Action {
	return &rollbackAction{newSlotAction("roll back", "slipway_rollback", 15*time.Minute)}
}

func (a *rollbackAction) Schema(ctx context.Context, _ action.SchemaRequest, resp *action.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Sends the traffic of a deployment slot back to the release before, in one switch, while that still stands as the fallback or still carries traffic. The release that is taken back is put on hold: plans say so, and applies of it fail without touching the slot, until another release is set or `retry` is raised. Without a fallback the action fails and says what to do.",
		Attributes: map[string]schema.Attribute{
			"deployment_slot_id": slotIDAttribute(),
			"reason": schema.StringAttribute{
				Optional: true, Validators: []validator.String{notEmpty{}},
				MarkdownDescription: "Why the release is taken back, for whoever reads the next plan; defaults to `" + defaultReason + "`.",
			},
			"timeouts": invokeTimeoutAttribute(ctx, a.limit),
		},
	}
}

func (a *rollbackAction) ValidateConfig(ctx context.Context, req action.ValidateConfigRequest, resp *action.ValidateConfigResponse) {
	var m rollbackModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	checkSlot(&resp.Diagnostics, m.DeploymentSlotID, types.StringNull())
}

func (a *rollbackAction) Invoke(ctx context.Context, req action.InvokeRequest, resp *action.InvokeResponse) {
	var m rollbackModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	a.invoke(ctx, m.DeploymentSlotID, m.Timeouts, resp, func(ctx context.Context, p *provision.Provisioner, id target.SlotID) (provision.SlotState, error) {
		return p.RollBack(ctx, id, a.by(), text(m.Reason, defaultReason))
	})
}
