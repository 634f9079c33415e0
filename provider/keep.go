package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// kept is where Terraform keeps a resource.
type kept struct {
	state    *tfsdk.State
	identity *tfsdk.ResourceIdentity
	private  noteKeeper
}

// keep stores what is true of an object: every verb that saw it ends here.
func (c *client) keep(ctx context.Context, k kept, model any, id types.String, meta target.Meta, unfinished bool, diags *diag.Diagnostics) {
	// What was seen is stored even if ctx has ended meanwhile.
	ctx = context.WithoutCancel(ctx)
	diags.Append(k.state.Set(ctx, model)...)
	setIdentity(ctx, k.identity, id, diags)
	c.writeNote(ctx, k.private, meta, unfinished, diags)
}
