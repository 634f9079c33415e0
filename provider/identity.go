package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

var pathID = path.Root("id")

// identitySchema is every resource's identity: its id, which is its natural key.
func identitySchema(description string) identityschema.Schema {
	return identityschema.Schema{Attributes: map[string]identityschema.Attribute{
		"id": identityschema.StringAttribute{RequiredForImport: true, Description: description},
	}}
}

// setIdentity must come before anything that ends a Read, also before RemoveResource: state
// written by Terraform before 1.12 carries no identity, and a Read without one is refused.
func setIdentity(ctx context.Context, identity *tfsdk.ResourceIdentity, id types.String, diags *diag.Diagnostics) {
	if identity != nil {
		diags.Append(identity.SetAttribute(ctx, pathID, id)...)
	}
}

// importID takes the id or the identity of an import into the state, checked by parse.
func importID[T any](ctx context.Context, n noun, parse func(string) (T, error), req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	id := types.StringValue(req.ID)
	if req.ID == "" && req.Identity != nil {
		resp.Diagnostics.Append(req.Identity.GetAttribute(ctx, pathID, &id)...)
		if resp.Diagnostics.HasError() {
			return
		}
	}
	if _, err := parse(id.ValueString()); err != nil {
		resp.Diagnostics.AddError(n.summary("import"), sentence(err.Error()))
		return
	}
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, pathID, id)...)
	setIdentity(ctx, resp.Identity, id, &resp.Diagnostics)
}
