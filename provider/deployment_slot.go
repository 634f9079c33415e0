package provider

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

var (
	_ resource.ResourceWithConfigure      = (*deploymentSlotResource)(nil)
	_ resource.ResourceWithIdentity       = (*deploymentSlotResource)(nil)
	_ resource.ResourceWithImportState    = (*deploymentSlotResource)(nil)
	_ resource.ResourceWithModifyPlan     = (*deploymentSlotResource)(nil)
	_ resource.ResourceWithValidateConfig = (*deploymentSlotResource)(nil)
)

// deploymentSlotResource is slipway_deployment_slot. Its Update performs the swap.
type deploymentSlotResource struct {
	configured
	noun
	limits
}

func newDeploymentSlot() resource.Resource {
	return &deploymentSlotResource{
		noun:   noun{"deployment slot", "Deployment slot", "slipway_deployment_slot"},
		limits: limits{create: time.Hour, read: 5 * time.Minute, update: time.Hour, delete: 15 * time.Minute},
	}
}

func (r *deploymentSlotResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = r.typeName
}

func (r *deploymentSlotResource) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = deploymentSlotSchema(ctx, r.limits)
}

func (r *deploymentSlotResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identitySchema("Environment and name of the slot, such as \"eu/production/oms\".")
}

func (r *deploymentSlotResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var m deploymentSlotModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	ctx, cancel := r.start(ctx, "create", m.Timeouts, &resp.Diagnostics)
	defer cancel()
	slot := m.toDomain(ctx, &resp.Diagnostics)
	if !r.available(r.noun, "create", &resp.Diagnostics) {
		return
	}
	state, origin, err := r.client.CreateSlot(ctx, slot)
	switch {
	case err == nil:
		m.observe(ctx, state, &resp.Diagnostics)
	case took(state, slot):
		// An error would taint the slot, and the next apply would take its traffic away.
		resp.Diagnostics.AddWarning("A deployment slot is not finished", r.detail(ctx, slot.ID().String(), err)+"\n\nThe release has taken the traffic, so the slot was kept. The next apply finishes what is left.")
		m.observe(ctx, state, &resp.Diagnostics)
	case !state.Exists():
		r.report(ctx, &resp.Diagnostics, "create", slot.ID().String(), err)
		return
	default:
		r.reportCreate(ctx, &resp.Diagnostics, slot.ID().String(), origin, err)
		if origin != provision.Made {
			return
		}
		m.fromDomain(ctx, state, &resp.Diagnostics)
	}
	if !given(m.URL) {
		r.locate(ctx, &m, &resp.Diagnostics)
	}
	remind(state, m.PreviewURL, &resp.Diagnostics)
	r.keepSlot(ctx, kept{&resp.State, resp.Identity, resp.Private}, &m, state, &resp.Diagnostics)
}

func (r *deploymentSlotResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var m deploymentSlotModel
	resp.Diagnostics.Append(req.State.Get(ctx, &m)...)
	setIdentity(ctx, resp.Identity, m.ID, &resp.Diagnostics)
	ctx, cancel := r.start(ctx, "read", m.Timeouts, &resp.Diagnostics)
	defer cancel()
	if resp.Diagnostics.HasError() || !r.client.ready() {
		return
	}
	id, err := target.ParseSlotID(m.ID.ValueString())
	if err != nil {
		r.report(ctx, &resp.Diagnostics, "read", m.ID.ValueString(), err)
		return
	}
	if !r.client.sameInstallation(ctx, req.Private, r.noun, "read", id.String(), &resp.Diagnostics) {
		return
	}
	state, err := r.client.ReadSlot(ctx, id)
	switch {
	case errors.Is(err, target.ErrNotFound):
		resp.State.RemoveResource(ctx)
	case err != nil:
		r.report(ctx, &resp.Diagnostics, "read", id.String(), err)
	default:
		r.client.register.slots.hold(id)
		r.warnDrift(id.String(), target.Meta{Ready: state.Record.Meta.Ready, Problem: strings.Join(state.Drift(), "; ")}, &resp.Diagnostics)
		m.fromDomain(ctx, state, &resp.Diagnostics)
		r.locate(ctx, &m, &resp.Diagnostics)
		r.keepSlot(ctx, kept{&resp.State, resp.Identity, resp.Private}, &m, state, &resp.Diagnostics)
	}
}

// Update stores what was asked together with what is observed, or, where that could not be
// reached, what a Read would return now: then the next plan shows the same change again.
func (r *deploymentSlotResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var m deploymentSlotModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	ctx, cancel := r.start(ctx, "update", m.Timeouts, &resp.Diagnostics)
	defer cancel()
	slot := m.toDomain(ctx, &resp.Diagnostics)
	if !r.available(r.noun, "update", &resp.Diagnostics) {
		return
	}
	state, err := r.client.holding(ctx, req.Private, &resp.Diagnostics).UpdateSlot(ctx, slot)
	switch {
	case err == nil:
		planned := m
		r.warnLeft(slot.ID().String(), strings.Join(state.Drift(), "; "), &resp.Diagnostics)
		m.observe(ctx, state, &resp.Diagnostics)
		r.refuseStrayed(planned, m, state, &resp.Diagnostics)
	case state.Exists():
		r.report(ctx, &resp.Diagnostics, "update", slot.ID().String(), err)
		m.fromDomain(ctx, state, &resp.Diagnostics)
	default:
		r.report(ctx, &resp.Diagnostics, "update", slot.ID().String(), err)
		return
	}
	if !given(m.URL) {
		r.locate(ctx, &m, &resp.Diagnostics)
	}
	remind(state, m.PreviewURL, &resp.Diagnostics)
	r.keepSlot(ctx, kept{&resp.State, resp.Identity, resp.Private}, &m, state, &resp.Diagnostics)
	noteUnmet(ctx, resp.Private, err != nil && took(state, slot) && target.Same(state.Record.Asked, slot), &resp.Diagnostics)
}

func (r *deploymentSlotResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var m deploymentSlotModel
	resp.Diagnostics.Append(req.State.Get(ctx, &m)...)
	ctx, cancel := r.start(ctx, "delete", m.Timeouts, &resp.Diagnostics)
	defer cancel()
	id, err := target.ParseSlotID(m.ID.ValueString())
	if err != nil {
		r.report(ctx, &resp.Diagnostics, "delete", m.ID.ValueString(), err)
	}
	if !r.available(r.noun, "delete", &resp.Diagnostics) {
		return
	}
	if !r.client.sameInstallation(ctx, req.Private, r.noun, "delete", id.String(), &resp.Diagnostics) {
		return
	}
	if err := r.client.holding(ctx, req.Private, &resp.Diagnostics).DeleteSlot(ctx, id); err != nil {
		r.report(ctx, &resp.Diagnostics, "delete", id.String(), err)
	}
}

func (r *deploymentSlotResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	if r.available(r.noun, "import", &resp.Diagnostics) {
		importID(ctx, r.noun, target.ParseSlotID, req, resp)
	}
}

// keepSlot notes whether work is left by the target's clock, which decides it at apply too, and
// whether that is a repair.
func (r *deploymentSlotResource) keepSlot(ctx context.Context, k kept, m *deploymentSlotModel, state provision.SlotState, diags *diag.Diagnostics) {
	r.client.keep(ctx, k, m, m.ID, state.Record.Meta, state.Unfinished(state.Observation.At), diags)
	noteRepair(ctx, k.private, r.client.IsRepair(context.WithoutCancel(ctx), state), diags)
}

// locate sets the URLs, which are those of the environment.
func (r *deploymentSlotResource) locate(ctx context.Context, m *deploymentSlotModel, diags *diag.Diagnostics) {
	rec, err := r.client.ReadEnvironment(context.WithoutCancel(ctx), environmentID(m.EnvironmentID, diags))
	if err != nil {
		r.report(ctx, diags, "read", m.ID.ValueString(), err)
		m.URL, m.PreviewURL = types.StringNull(), types.StringNull()
		return
	}
	m.URL, m.PreviewURL = entrances(rec.Spec)
}

// took says whether the slot's traffic goes to a stack of what was asked: from there on a
// failed create may not be undone.
func took(state provision.SlotState, asked target.Slot) bool {
	st, ok := state.Serving()
	return ok && target.Same(st.Spec.Definition, asked.Definition)
}

// remind says after an apply that a candidate waits for somebody, and how to approve it.
func remind(s provision.SlotState, preview types.String, diags *diag.Diagnostics) {
	c, _ := s.Candidate()
	if !s.AwaitsApproval() {
		return
	}
	id, release, until := s.Record.Asked.ID(), c.Spec.Definition.Release, "it is approved"
	if c.RetireAt != nil {
		until = c.RetireAt.UTC().Format(time.RFC3339) + ", when it is removed unless it is approved"
	}
	diags.AddAttributeWarning(path.Root("approved_release"), "Release waits for approval", fmt.Sprintf("Release %s of slot %q has passed its tests, and waits until %s. %s. The candidate can be reached at %s. To let it take the traffic, set approved_release = %q and apply, or invoke the action slipway_promote, or run \"terraform-provider-slipway promote %s\".", release, id, until, serves(s), preview.ValueString(), release, id))
}
