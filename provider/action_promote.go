package provider

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/action/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/action/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

var (
	_ action.ActionWithConfigure      = (*promoteAction)(nil)
	_ action.ActionWithValidateConfig = (*promoteAction)(nil)
)

// promoteAction is slipway_promote.
type promoteAction struct{ slotAction }

type promoteModel struct {
	DeploymentSlotID types.String   `tfsdk:"deployment_slot_id"`
	Release          types.String   `tfsdk:"release"`
	Timeouts         timeouts.Value `tfsdk:"timeouts"`
}

func newPromote() action.Action {
	return &promoteAction{newSlotAction("promote", "slipway_promote", time.Hour)}
}

func (a *promoteAction) Schema(ctx context.Context, _ action.SchemaRequest, resp *action.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Approves the release that waits in a deployment slot, and ends when it has taken the traffic and has been watched. Its candidate is brought back to its full size and must be healthy first; it is tested again where it was not well meanwhile. Where another release waits, or none, the action fails and changes nothing.",
		Attributes: map[string]schema.Attribute{
			"deployment_slot_id": slotIDAttribute(),
			"release":            schema.StringAttribute{Required: true, MarkdownDescription: "Release that may take the traffic; one that was put in its place meanwhile is not meant."},
			"timeouts":           invokeTimeoutAttribute(ctx, a.limit),
		},
	}
}

func (a *promoteAction) ValidateConfig(ctx context.Context, req action.ValidateConfigRequest, resp *action.ValidateConfigResponse) {
	var m promoteModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	checkSlot(&resp.Diagnostics, m.DeploymentSlotID, m.Release)
}

func (a *promoteAction) Invoke(ctx context.Context, req action.InvokeRequest, resp *action.InvokeResponse) {
	var m promoteModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	a.invoke(ctx, m.DeploymentSlotID, m.Timeouts, resp, func(ctx context.Context, p *provision.Provisioner, id target.SlotID) (provision.SlotState, error) {
		return p.Promote(ctx, id, a.by(), m.Release.ValueString())
	})
}
