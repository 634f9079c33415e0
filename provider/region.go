package provider

import (
	"context"
	"errors"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

var (
	_ resource.ResourceWithConfigure      = (*regionResource)(nil)
	_ resource.ResourceWithIdentity       = (*regionResource)(nil)
	_ resource.ResourceWithImportState    = (*regionResource)(nil)
	_ resource.ResourceWithModifyPlan     = (*regionResource)(nil)
	_ resource.ResourceWithValidateConfig = (*regionResource)(nil)
)

// regionResource is slipway_region.
type regionResource struct {
	configured
	noun
	limits
}

func newRegion() resource.Resource {
	return &regionResource{
		noun:   noun{"region", "Region", "slipway_region"},
		limits: limits{create: 15 * time.Minute, read: 5 * time.Minute, update: 15 * time.Minute, delete: 15 * time.Minute},
	}
}

func (r *regionResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = r.typeName
}

func (r *regionResource) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "A geographic area in which accounts can be set up. It has a location, where it physically is, and a jurisdiction, whose law the data in it is under.",
		Attributes: whole(map[string]schema.Attribute{
			"id": idAttribute("the region's name such as `eu`"),
			"aws_resources": schema.SingleNestedAttribute{
				Computed: true, Attributes: regionResourcesAttributes(),
				MarkdownDescription: "What the region is made of on the `aws` target, for modules that attach infrastructure of their own.",
			},
			"closed": schema.BoolAttribute{
				Optional: true, Computed: true, Default: booldefault.StaticBool(false),
				MarkdownDescription: "Whether the region is closed to new environments, which leaves those in it alone; defaults to `false` and changes in place.",
			},
			"drift": driftAttribute(),
			"jurisdiction": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "Whose law the data is under, such as `EU`; it changes in place, and only while the region has no environments.",
			},
			"location": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "Where the region physically is, such as `eu-central-1`: on the local target any name, which changes in place while the region has no environments; on aws the code of an AWS region, which can't change: add a region of another name.",
			},
			"name": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "Name of the region, of at most 40 characters `a-z`, `0-9` and `-`; a change replaces the region, and is refused while it holds data.",
			},
			"tags":     tagsAttribute("region"),
			"timeouts": timeoutsAttribute(ctx, r.limits),
		}),
	}
}

func regionResourcesAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"control_table_name": computedString("Name of the DynamoDB table with what Slipway knows of the region: it is Slipway's own, for backups and alarms."),
		"kms_key_arn":        computedString("ARN of the key that the region's databases, secrets and logs are encrypted with."),
		"log_bucket_name":    computedString("Name of the bucket for the logs of load balancers."),
	}
}

func (r *regionResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identitySchema("Name of the region, such as \"eu\".")
}

func (r *regionResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var m regionModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	ctx, cancel := r.start(ctx, "create", m.Timeouts, &resp.Diagnostics)
	defer cancel()
	region := m.toDomain(ctx, &resp.Diagnostics)
	if !r.available(r.noun, "create", &resp.Diagnostics) {
		return
	}
	rec, origin, err := r.client.CreateRegion(ctx, region)
	if err != nil {
		r.reportCreate(ctx, &resp.Diagnostics, region.Name, origin, err)
	}
	if err == nil || origin == provision.Made {
		m.fromDomain(rec)
		r.client.keep(ctx, kept{&resp.State, resp.Identity, resp.Private}, &m, m.ID, rec.Meta, unfinished(rec.Meta), &resp.Diagnostics)
	}
}

func (r *regionResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var m regionModel
	resp.Diagnostics.Append(req.State.Get(ctx, &m)...)
	setIdentity(ctx, resp.Identity, m.ID, &resp.Diagnostics)
	ctx, cancel := r.start(ctx, "read", m.Timeouts, &resp.Diagnostics)
	defer cancel()
	if resp.Diagnostics.HasError() || !r.client.ready() {
		return
	}
	id := m.ID.ValueString()
	if !r.client.sameInstallation(ctx, req.Private, r.noun, "read", id, &resp.Diagnostics) {
		return
	}
	rec, err := r.client.ReadRegion(ctx, id)
	switch {
	case errors.Is(err, target.ErrNotFound):
		resp.State.RemoveResource(ctx)
	case err != nil:
		r.report(ctx, &resp.Diagnostics, "read", id, err)
	default:
		r.client.register.regions.hold(id)
		r.warnDrift(id, rec.Meta, &resp.Diagnostics)
		m.fromDomain(rec)
		r.client.keep(ctx, kept{&resp.State, resp.Identity, resp.Private}, &m, m.ID, rec.Meta, unfinished(rec.Meta), &resp.Diagnostics)
		noteAnew(ctx, resp.Private, rec.Anew, &resp.Diagnostics)
	}
}

func (r *regionResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var m regionModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	ctx, cancel := r.start(ctx, "update", m.Timeouts, &resp.Diagnostics)
	defer cancel()
	region := m.toDomain(ctx, &resp.Diagnostics)
	if !r.available(r.noun, "update", &resp.Diagnostics) {
		return
	}
	rec, err := r.client.holding(ctx, req.Private, &resp.Diagnostics).UpdateRegion(ctx, region)
	if err != nil {
		r.report(ctx, &resp.Diagnostics, "update", region.Name, err)
	}
	if rec.Meta.Generation > 0 {
		m.fromDomain(rec)
		r.client.keep(ctx, kept{&resp.State, resp.Identity, resp.Private}, &m, m.ID, rec.Meta, unfinished(rec.Meta), &resp.Diagnostics)
	}
}

func (r *regionResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var m regionModel
	resp.Diagnostics.Append(req.State.Get(ctx, &m)...)
	ctx, cancel := r.start(ctx, "delete", m.Timeouts, &resp.Diagnostics)
	defer cancel()
	if !r.available(r.noun, "delete", &resp.Diagnostics) {
		return
	}
	id := m.ID.ValueString()
	if !r.client.sameInstallation(ctx, req.Private, r.noun, "delete", id, &resp.Diagnostics) {
		return
	}
	if err := r.client.holding(ctx, req.Private, &resp.Diagnostics).DeleteRegion(ctx, id); err != nil {
		r.report(ctx, &resp.Diagnostics, "delete", id, err)
	}
}

func (r *regionResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	if r.available(r.noun, "import", &resp.Diagnostics) {
		importID(ctx, r.noun, target.ParseRegionID, req, resp)
	}
}
