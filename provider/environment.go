package provider

import (
	"context"
	"errors"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

var (
	_ resource.ResourceWithConfigure      = (*environmentResource)(nil)
	_ resource.ResourceWithIdentity       = (*environmentResource)(nil)
	_ resource.ResourceWithImportState    = (*environmentResource)(nil)
	_ resource.ResourceWithModifyPlan     = (*environmentResource)(nil)
	_ resource.ResourceWithValidateConfig = (*environmentResource)(nil)
)

// environmentResource is slipway_environment.
type environmentResource struct {
	configured
	noun
	limits
}

func newEnvironment() resource.Resource {
	return &environmentResource{
		noun: noun{"environment", "Environment", "slipway_environment"},
		// On aws a database cluster alone takes a quarter of an hour.
		limits: limits{create: 45 * time.Minute, read: 5 * time.Minute, update: 45 * time.Minute, delete: 45 * time.Minute},
	}
}

func (r *environmentResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = r.typeName
}

func (r *environmentResource) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = environmentSchema(ctx, r.limits)
}

func (r *environmentResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identitySchema("Region and name of the environment, such as \"eu/production\".")
}

func (r *environmentResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var m environmentModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	ctx, cancel := r.start(ctx, "create", m.Timeouts, &resp.Diagnostics)
	defer cancel()
	environment := m.toDomain(ctx, m.on(), &resp.Diagnostics)
	if !r.available(r.noun, "create", &resp.Diagnostics) {
		return
	}
	rec, origin, err := r.client.CreateEnvironment(ctx, environment)
	if err != nil {
		r.reportCreate(ctx, &resp.Diagnostics, environment.ID().String(), origin, err)
	}
	if err == nil || origin == provision.Made {
		m.fromDomain(ctx, rec, &resp.Diagnostics)
		r.client.keep(ctx, kept{&resp.State, resp.Identity, resp.Private}, &m, m.ID, rec.Meta, unfinished(rec.Meta), &resp.Diagnostics)
		noteAnew(ctx, resp.Private, anewOf(rec.Status), &resp.Diagnostics)
	}
}

func (r *environmentResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var m environmentModel
	resp.Diagnostics.Append(req.State.Get(ctx, &m)...)
	setIdentity(ctx, resp.Identity, m.ID, &resp.Diagnostics)
	ctx, cancel := r.start(ctx, "read", m.Timeouts, &resp.Diagnostics)
	defer cancel()
	if resp.Diagnostics.HasError() || !r.client.ready() {
		return
	}
	id, err := target.ParseEnvironmentID(m.ID.ValueString())
	if err != nil {
		r.report(ctx, &resp.Diagnostics, "read", m.ID.ValueString(), err)
		return
	}
	if !r.client.sameInstallation(ctx, req.Private, r.noun, "read", id.String(), &resp.Diagnostics) {
		return
	}
	rec, err := r.client.ReadEnvironment(ctx, id)
	switch {
	case errors.Is(err, target.ErrNotFound):
		resp.State.RemoveResource(ctx)
	case err != nil:
		r.report(ctx, &resp.Diagnostics, "read", id.String(), err)
	default:
		r.client.register.environments.hold(id)
		r.warnDrift(id.String(), rec.Meta, &resp.Diagnostics)
		m.fromDomain(ctx, rec, &resp.Diagnostics)
		r.client.keep(ctx, kept{&resp.State, resp.Identity, resp.Private}, &m, m.ID, rec.Meta, unfinished(rec.Meta), &resp.Diagnostics)
		noteAnew(ctx, resp.Private, anewOf(rec.Status), &resp.Diagnostics)
	}
}

func (r *environmentResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var m environmentModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	ctx, cancel := r.start(ctx, "update", m.Timeouts, &resp.Diagnostics)
	defer cancel()
	environment := m.toDomain(ctx, m.on(), &resp.Diagnostics)
	if !r.available(r.noun, "update", &resp.Diagnostics) {
		return
	}
	rec, err := r.client.holding(ctx, req.Private, &resp.Diagnostics).UpdateEnvironment(ctx, environment)
	if err != nil {
		r.report(ctx, &resp.Diagnostics, "update", environment.ID().String(), err)
	} else {
		r.warnLeft(environment.ID().String(), rec.Meta.Problem, &resp.Diagnostics)
	}
	if rec.Meta.Generation > 0 {
		m.fromDomain(ctx, rec, &resp.Diagnostics)
		r.client.keep(ctx, kept{&resp.State, resp.Identity, resp.Private}, &m, m.ID, rec.Meta, unfinished(rec.Meta), &resp.Diagnostics)
		noteAnew(ctx, resp.Private, anewOf(rec.Status), &resp.Diagnostics)
	}
}

func (r *environmentResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var m environmentModel
	resp.Diagnostics.Append(req.State.Get(ctx, &m)...)
	ctx, cancel := r.start(ctx, "delete", m.Timeouts, &resp.Diagnostics)
	defer cancel()
	id, err := target.ParseEnvironmentID(m.ID.ValueString())
	if err != nil {
		r.report(ctx, &resp.Diagnostics, "delete", m.ID.ValueString(), err)
	}
	if !r.available(r.noun, "delete", &resp.Diagnostics) {
		return
	}
	if !r.client.sameInstallation(ctx, req.Private, r.noun, "delete", id.String(), &resp.Diagnostics) {
		return
	}
	if err := r.client.holding(ctx, req.Private, &resp.Diagnostics).DeleteEnvironment(ctx, id); err != nil {
		r.report(ctx, &resp.Diagnostics, "delete", id.String(), err)
	}
}

func (r *environmentResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	if r.available(r.noun, "import", &resp.Diagnostics) {
		importID(ctx, r.noun, target.ParseEnvironmentID, req, resp)
	}
}
