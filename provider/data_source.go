package provider

import (
	"context"
	"errors"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	resourceschema "github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

var (
	_ datasource.DataSourceWithConfigure      = (*dataSource)(nil)
	_ datasource.DataSourceWithValidateConfig = (*dataSource)(nil)
)

// dataSource shows an object that another configuration or somebody else looks after: what
// its resource would show, by its id.
type dataSource struct {
	configured
	noun
	// description is that of the data source, resource the schema that it follows.
	description string
	resource    func(context.Context) resourceschema.Schema
	// check refuses what is no id; read reads the resource's model.
	check func(id string) error
	read  func(ctx context.Context, c *client, id string, diags *diag.Diagnostics) (model any, err error)
}

func (d *dataSource) Metadata(_ context.Context, _ datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = d.typeName
}

func (d *dataSource) Schema(ctx context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	attributes := shown(d.resource(ctx).Attributes)
	delete(attributes, "timeouts")
	attributes["id"] = schema.StringAttribute{Required: true, MarkdownDescription: "Id of the " + d.words + " to look for."}
	resp.Schema = schema.Schema{MarkdownDescription: d.description, Attributes: attributes}
}

// Configure is called before the object is read.
func (d *dataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.take(req.ProviderData, &resp.Diagnostics)
}

func (d *dataSource) ValidateConfig(ctx context.Context, req datasource.ValidateConfigRequest, resp *datasource.ValidateConfigResponse) {
	var id types.String
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, pathID, &id)...)
	if !given(id) {
		return
	}
	if err := d.check(id.ValueString()); err != nil {
		invalid(&resp.Diagnostics, invalidValue, pathID, "%v", err)
	}
}

func (d *dataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var id types.String
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, pathID, &id)...)
	ctx, cancel := context.WithTimeoutCause(ctx, readLimit, fmt.Errorf("the time limit of %s has passed", readLimit))
	defer cancel()
	if !d.available(d.noun, "read", &resp.Diagnostics) {
		return
	}
	model, err := d.read(ctx, d.client, id.ValueString(), &resp.Diagnostics)
	switch {
	case errors.Is(err, target.ErrNotFound), errors.Is(err, target.ErrNoInstallation):
		resp.Diagnostics.AddAttributeError(path.Root("id"), d.summary("read"), fmt.Sprintf("There is no %s %q in %s. If this configuration makes it, refer to its resource in place of a data source.", d.words, id.ValueString(), d.client.driver.Where()))
		return
	case err != nil:
		d.report(ctx, &resp.Diagnostics, "read", id.ValueString(), err)
		return
	}
	resp.State.Raw = d.show(ctx, model, resp.State, &resp.Diagnostics)
}

// show turns the resource's model into the state of the data source, which lacks timeouts.
func (d *dataSource) show(ctx context.Context, model any, to tfsdk.State, diags *diag.Diagnostics) tftypes.Value {
	s := d.resource(ctx)
	all := tfsdk.State{Schema: s, Raw: tftypes.NewValue(s.Type().TerraformType(ctx), nil)}
	diags.Append(all.Set(ctx, model)...)
	if diags.HasError() {
		return to.Raw
	}
	var values map[string]tftypes.Value
	if err := all.Raw.As(&values); err != nil {
		diags.AddError(d.summary("read"), sentence(err.Error()))
		return to.Raw
	}
	delete(values, "timeouts")
	return tftypes.NewValue(to.Schema.Type().TerraformType(ctx), values)
}
