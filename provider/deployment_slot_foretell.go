package provider

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// foretell warns of what an apply of this change would meet. It looks at the target for
// warnings only: the planned values never depend on what it finds. Where not everything that makes
// a stack is known yet, it can only tell of a hold.
func (r *deploymentSlotResource) foretell(ctx context.Context, slot target.Slot, known bool, resp *resource.ModifyPlanResponse) {
	if !r.client.ready() {
		return
	}
	s, ok, err := found(r.client.ReadSlot(ctx, slot.ID()))
	if err != nil {
		r.report(ctx, &resp.Diagnostics, "plan", slot.ID().String(), err)
		return
	}
	var fingerprint string
	if known { // a program that this apply has yet to make has none either
		fingerprint, err = r.client.driver.Fingerprint(ctx, slot.Definition)
	}
	if h := s.Record.HeldBack(slot, fingerprint, s.Observation); h != nil {
		resp.Diagnostics.AddAttributeWarning(path.Root("release"), "Release is on hold", fmt.Sprintf("Release %s of slot %q was rolled back by %s at %s: %s. Applying this plan will fail without touching the slot. Choose another release, or raise retry above %d to try this one again.", h.Release, slot.ID(), h.By, h.At.UTC().Format(time.RFC3339), target.FirstLine(h.Reason), h.Retry))
		return
	}
	if !ok || err != nil || !known {
		return
	}
	switch w := s.Record.Swap; {
	case s.ApprovalTimedOut() && w.Release == slot.Definition.Release && w.Fingerprint == fingerprint:
		resp.Diagnostics.AddAttributeWarning(path.Root("release"), "Release was not approved in time", fmt.Sprintf("Release %s of slot %q waited for approval from %s, and nobody approved it within swap.approval_timeout_seconds, which was %d. Its candidate was removed and never took traffic. %s. Applying this plan brings the release up once more.", w.Release, slot.ID(), w.PhaseAt.UTC().Format(time.RFC3339), s.Record.Asked.Policy.ApprovalTimeoutSeconds, serves(s)))
	case s.Phase() == target.PhaseDegraded:
		resp.Diagnostics.AddAttributeWarning(path.Root("phase"), "Release is degraded", fmt.Sprintf("Release %s of slot %q is degraded: %s. %s. Applying this plan watches it again; another release takes its place as soon as it has passed its gates.", w.Release, slot.ID(), strings.TrimSuffix(target.FirstLine(w.Reason), "."), serves(s)))
	}
	r.warnFallback(s, slot, fingerprint, resp)
}

// serves says in words what carries the traffic.
func serves(s provision.SlotState) string {
	st, ok := s.Serving()
	c, _ := s.Candidate()
	switch percent := s.Observation.Percent; {
	case !ok:
		return "Nothing serves in this slot"
	case percent > 0:
		return fmt.Sprintf("Release %s serves the traffic but %d percent, which go to release %s", st.Spec.Definition.Release, percent, c.Spec.Definition.Release)
	}
	return fmt.Sprintf("Release %s serves all traffic", st.Spec.Definition.Release)
}

// warnFallback warns where a new candidate takes the seat of a fallback that still stands.
func (r *deploymentSlotResource) warnFallback(s provision.SlotState, slot target.Slot, fingerprint string, resp *resource.ModifyPlanResponse) {
	fallback, ok := s.Fallback()
	until := "until the next release"
	switch at := fallback.RetireAt; {
	case !ok || is(fallback, slot, fingerprint):
		return
	case at != nil && !at.After(s.Observation.At):
		return
	case at != nil:
		until = "until " + at.UTC().Format(time.RFC3339)
	}
	if serving, ok := s.Serving(); ok && !is(serving, slot, fingerprint) {
		resp.Diagnostics.AddAttributeWarning(path.Root("release"), "Fallback is going to be retired", fmt.Sprintf("Slot %q keeps release %s as its fallback %s. The candidate for release %s takes its seat: from the beginning of the swap there is no way back to release %s but a new swap.", slot.ID(), fallback.Spec.Definition.Release, until, slot.Definition.Release, fallback.Spec.Definition.Release))
	}
}

// is says whether a stack is what the slot is to serve.
func is(st target.StackStatus, slot target.Slot, fingerprint string) bool {
	return st.Spec.Fingerprint == fingerprint && st.Spec.Definition.Release == slot.Definition.Release
}

// warnSuiteAccount warns where the suite is to use an account that has no database in the
// environment, and none is planned so far: then nothing makes Terraform create it first.
func (r *deploymentSlotResource) warnSuiteAccount(ctx context.Context, slot target.Slot, resp *resource.ModifyPlanResponse) {
	suite := slot.Definition.TestSuite
	if suite == nil || suite.Account == "" || !r.client.ready() {
		return
	}
	id := target.AccountDatabaseID{Environment: slot.Environment, Account: suite.Account}
	if _, state := r.client.register.databases.get(id); state != unseen {
		return
	}
	if _, there, err := found(r.client.ReadEnvironment(ctx, slot.Environment)); err != nil || !there {
		return
	}
	if _, there, err := found(r.client.ReadAccountDatabase(ctx, id)); err != nil || there {
		return
	}
	resp.Diagnostics.AddAttributeWarning(path.Root("test_suite").AtName("account"), "Account has no database yet", fmt.Sprintf("There is no account database %q, and this plan has none before the slot: the suite would find no credentials. Create it, and name its resource in depends_on of the slot.", id))
}
