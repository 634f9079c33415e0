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
	_ resource.ResourceWithConfigure      = (*accountDatabaseResource)(nil)
	_ resource.ResourceWithIdentity       = (*accountDatabaseResource)(nil)
	_ resource.ResourceWithImportState    = (*accountDatabaseResource)(nil)
	_ resource.ResourceWithModifyPlan     = (*accountDatabaseResource)(nil)
	_ resource.ResourceWithValidateConfig = (*accountDatabaseResource)(nil)
)

// accountDatabaseResource is slipway_account_database.
type accountDatabaseResource struct {
	configured
	noun
	limits
}

func newAccountDatabase() resource.Resource {
	return &accountDatabaseResource{
		noun:   noun{"account database", "Account database", "slipway_account_database"},
		limits: limits{create: 45 * time.Minute, read: 5 * time.Minute, update: 45 * time.Minute, delete: 60 * time.Minute},
	}
}

func (r *accountDatabaseResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = r.typeName
	// A later change of environment_id will move the data, and the id with it.
	resp.ResourceBehavior.MutableIdentity = true
}

func (r *accountDatabaseResource) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = accountDatabaseSchema(ctx, r.limits)
}

func (r *accountDatabaseResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identitySchema("Environment and account of the database, such as \"eu/production/acme\".")
}

func (r *accountDatabaseResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var m accountDatabaseModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	ctx, cancel := r.start(ctx, "create", m.Timeouts, &resp.Diagnostics)
	defer cancel()
	database := m.toDomain(&resp.Diagnostics)
	if !r.available(r.noun, "create", &resp.Diagnostics) {
		return
	}
	rec, origin, err := r.client.CreateAccountDatabase(ctx, database)
	if err != nil {
		r.reportCreate(ctx, &resp.Diagnostics, database.ID().String(), origin, err)
	}
	if err == nil || origin == provision.Made {
		m.fromDomain(rec)
		r.client.keep(ctx, kept{&resp.State, resp.Identity, resp.Private}, &m, m.ID, rec.Meta, unfinished(rec.Meta), &resp.Diagnostics)
	}
}

func (r *accountDatabaseResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var m accountDatabaseModel
	resp.Diagnostics.Append(req.State.Get(ctx, &m)...)
	setIdentity(ctx, resp.Identity, m.ID, &resp.Diagnostics)
	ctx, cancel := r.start(ctx, "read", m.Timeouts, &resp.Diagnostics)
	defer cancel()
	if resp.Diagnostics.HasError() || !r.client.ready() {
		return
	}
	id, err := target.ParseAccountDatabaseID(m.ID.ValueString())
	if err != nil {
		r.report(ctx, &resp.Diagnostics, "read", m.ID.ValueString(), err)
		return
	}
	if !r.client.sameInstallation(ctx, req.Private, r.noun, "read", id.String(), &resp.Diagnostics) {
		return
	}
	rec, err := r.client.ReadAccountDatabase(ctx, id)
	switch {
	case errors.Is(err, target.ErrNotFound):
		resp.State.RemoveResource(ctx)
	case errors.Is(err, target.ErrVanished):
		resp.Diagnostics.AddWarning("An account database is gone", sentence(err.Error())+" Somebody removed it behind Terraform's back, so it was dropped from the state. It will not be made anew, since that would hide a loss of data: the next apply refuses to and names the ways out.")
		resp.State.RemoveResource(ctx)
	case err != nil:
		r.report(ctx, &resp.Diagnostics, "read", id.String(), err)
	default:
		r.client.register.databases.hold(id)
		m.fromDomain(rec)
		r.client.keep(ctx, kept{&resp.State, resp.Identity, resp.Private}, &m, m.ID, rec.Meta, unfinished(rec.Meta), &resp.Diagnostics)
	}
}

func (r *accountDatabaseResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var m accountDatabaseModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	ctx, cancel := r.start(ctx, "update", m.Timeouts, &resp.Diagnostics)
	defer cancel()
	database := m.toDomain(&resp.Diagnostics)
	if !r.available(r.noun, "update", &resp.Diagnostics) {
		return
	}
	rec, err := r.client.holding(ctx, req.Private, &resp.Diagnostics).UpdateAccountDatabase(ctx, database)
	if err != nil {
		r.report(ctx, &resp.Diagnostics, "update", database.ID().String(), err)
	}
	if rec.Meta.Generation > 0 {
		m.fromDomain(rec)
		r.client.keep(ctx, kept{&resp.State, resp.Identity, resp.Private}, &m, m.ID, rec.Meta, unfinished(rec.Meta), &resp.Diagnostics)
	}
}

func (r *accountDatabaseResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var m accountDatabaseModel
	resp.Diagnostics.Append(req.State.Get(ctx, &m)...)
	ctx, cancel := r.start(ctx, "delete", m.Timeouts, &resp.Diagnostics)
	defer cancel()
	id, err := target.ParseAccountDatabaseID(m.ID.ValueString())
	if err != nil {
		r.report(ctx, &resp.Diagnostics, "delete", m.ID.ValueString(), err)
	}
	if !r.available(r.noun, "delete", &resp.Diagnostics) {
		return
	}
	if !r.client.sameInstallation(ctx, req.Private, r.noun, "delete", id.String(), &resp.Diagnostics) {
		return
	}
	if err := r.client.holding(ctx, req.Private, &resp.Diagnostics).DeleteAccountDatabase(ctx, id); err != nil {
		r.report(ctx, &resp.Diagnostics, "delete", id.String(), err)
	}
}

func (r *accountDatabaseResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	if r.available(r.noun, "import", &resp.Diagnostics) {
		importID(ctx, r.noun, target.ParseAccountDatabaseID, req, resp)
	}
}
