package provider

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

var (
	_ datasource.DataSourceWithConfigure      = (*placement)(nil)
	_ datasource.DataSourceWithValidateConfig = (*placement)(nil)
)

// placement is the data source slipway_placement.
type placement struct {
	configured
	noun
}

func newPlacement() datasource.DataSource {
	return &placement{noun: noun{"account", "Account", "slipway_placement"}}
}

func (d *placement) Metadata(_ context.Context, _ datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = d.typeName
}

func (d *placement) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	latitude := "Latitude in degrees, from -90 to 90; north is positive."
	longitude := "Longitude in degrees, from -180 to 180; east is positive."
	shows := func(description string) schema.StringAttribute {
		return schema.StringAttribute{Computed: true, MarkdownDescription: description}
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "The environments in which an account may be placed: those that the law allows, the nearest to its users first. It sees the environments that exist when it is read, those of other configurations too. Where there is none it fails, and says of each environment what keeps the account out. Distances are as the crow flies, from the centre of the city that a location is named after: they tell regions apart, and measure no latency.",
		Attributes: map[string]schema.Attribute{
			"account":        schema.StringAttribute{Required: true, MarkdownDescription: "Account to place, of at most 40 characters `a-z`, `0-9` and `-`. A single-tenant environment takes none but its own."},
			"data_residency": schema.SetAttribute{ElementType: types.StringType, Optional: true, Validators: []validator.Set{noNulls{}}, MarkdownDescription: "Jurisdictions in which the account's data may live, such as `EU`; defaults to none, which allows all."},
			"environment_id": shows("Id of the environment to place the account in: the one that has its database already, while it is among `environments`, else the first of them. So an account that has been placed stays where it is when a nearer environment comes."),
			"environments": schema.ListNestedAttribute{
				Computed: true, MarkdownDescription: "Environments that may take the account, by distance; those of the same distance, or of none that is known, by id, the latter last.",
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"id":           shows("Id of the environment."),
					"distance_km":  schema.Int64Attribute{Computed: true, MarkdownDescription: "How far the environment's region is from `near`, in km; null without `near`, and where nobody knows where the region is."},
					"jurisdiction": shows("Whose law the data in the environment is under."),
					"kind":         shows("`production` or `sandbox`."),
					"location":     shows("Where the environment's region physically is."),
					"region_id":    shows("Id of the environment's region."),
					"tenancy":      shows("`multi_tenant` or `single_tenant`."),
				}},
			},
			"excluded": schema.MapAttribute{ElementType: types.StringType, Computed: true, MarkdownDescription: "What keeps the account out of each other environment, in words, by the environment's id."},
			"kind":     schema.StringAttribute{Optional: true, Validators: []validator.String{notEmpty{}}, MarkdownDescription: "Kind of environment, `production` or `sandbox`; defaults to `production`."},
			"locations": schema.MapNestedAttribute{
				Optional: true, MarkdownDescription: "Coordinates of locations by their names, for those that Slipway does not know or knows otherwise. It knows the AWS regions and the city of each, such as `eu-central-1` and `Frankfurt`.",
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"latitude":  schema.Float64Attribute{Required: true, MarkdownDescription: latitude},
					"longitude": schema.Float64Attribute{Required: true, MarkdownDescription: longitude},
				}},
			},
			"near": schema.SingleNestedAttribute{
				Optional: true, MarkdownDescription: "Where the account's users are: a `location`, or `latitude` and `longitude`. Left out, all environments are as near, and in the order of their ids.",
				Attributes: map[string]schema.Attribute{
					"latitude":  schema.Float64Attribute{Optional: true, MarkdownDescription: latitude},
					"location":  schema.StringAttribute{Optional: true, MarkdownDescription: "Name of a location: an AWS region such as `eu-west-3`, the city of one such as `Paris`, or a name in `locations`."},
					"longitude": schema.Float64Attribute{Optional: true, MarkdownDescription: longitude},
				},
			},
			"tenancy": schema.StringAttribute{Optional: true, Validators: []validator.String{notEmpty{}}, MarkdownDescription: "Tenancy of the environment, `multi_tenant` or `single_tenant`; defaults to either."},
		},
	}
}

// Configure is called before the environments are read.
func (d *placement) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.take(req.ProviderData, &resp.Diagnostics)
}

func (d *placement) ValidateConfig(ctx context.Context, req datasource.ValidateConfigRequest, resp *datasource.ValidateConfigResponse) {
	var m placementModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	need := m.toDomain(ctx, &resp.Diagnostics)
	if !resp.Diagnostics.HasError() {
		d.refuse(&resp.Diagnostics, req.Config.Raw, need.Validate())
	}
}

func (d *placement) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m placementModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	ctx, cancel := context.WithTimeoutCause(ctx, readLimit, fmt.Errorf("the time limit of %s has passed", readLimit))
	defer cancel()
	need := m.toDomain(ctx, &resp.Diagnostics)
	if !d.available(d.noun, "place", &resp.Diagnostics) {
		return
	}
	placed, err := d.client.Place(target.AllowRecent(ctx), need)
	if err != nil {
		d.report(ctx, &resp.Diagnostics, "place", need.Account, err)
		return
	}
	if placed.Choice == nil {
		resp.Diagnostics.AddError(d.summary("place"), d.nowhere(need.Account, placed))
		return
	}
	m.fromDomain(placed)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

// nowhere says why an account can't be placed, and what to do.
func (d *placement) nowhere(account string, p provision.Placement) string {
	where := d.client.driver.Where()
	const wait = "This data source sees what exists when it is read: where this configuration makes the environment, give the data source depends_on = [slipway_environment.<name>]."
	if len(p.Refusals) == 0 {
		return fmt.Sprintf("There is no environment in %s.\n\n%s", where, wait)
	}
	lines := make([]string, len(p.Refusals))
	for i, r := range p.Refusals {
		lines[i] = fmt.Sprintf("  - %s: %s", r.Environment, r.Why)
	}
	return fmt.Sprintf("No environment in %s may take account %q:\n\n%s\n\n%s", where, account, strings.Join(lines, "\n"), wait)
}
