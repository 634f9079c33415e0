package provider

import (
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// warnShort warns where a planned swap has steps or a bake that are over before the target can tell
// what was answered in them: guardrails would look at nothing. One that is not held was not meant to
// be judged.
func (r *deploymentSlotResource) warnShort(slot target.Slot, before *target.Slot, resp *resource.ModifyPlanResponse) {
	if !r.client.ready() || !slot.Policy.Guardrails.Any() || before != nil && !swaps(*before, slot) {
		return
	}
	meters, late := r.client.driver.(target.LateMeters)
	if !late {
		return
	}
	judged := func(seconds int) int { return int(meters.Judged(time.Duration(seconds)*time.Second) / time.Second) }
	var short []string
	note := func(name string, seconds int) {
		if seconds > 0 && judged(seconds) == 0 {
			short = append(short, fmt.Sprintf("%s is %d", name, seconds))
		}
	}
	for i, s := range slot.Policy.Steps {
		note(fmt.Sprintf("steps[%d].hold_seconds", i), s.HoldSeconds)
	}
	note("bake_seconds", slot.Policy.BakeSeconds)
	if len(short) == 0 {
		return
	}
	const hour = 3600
	least := 1
	for judged(least) == 0 && least < hour {
		least++
	}
	resp.Diagnostics.AddAttributeWarning(path.Root("swap"), "Guardrails have nothing to look at", fmt.Sprintf("Slot %q: what a release answered is known only some minutes later on this target, when these are over: %s. Of them 0 seconds are judged by the guardrails; the release is judged by the health of its instances only. Of %d seconds %d are judged, of %d seconds %d: make them longer, or 0 where nothing is to be judged.",
		slot.ID(), strings.Join(short, ", "), least, judged(least), 2*least, judged(2*least)))
}

// swaps says whether a change of a slot is another stack, by what is in the plan. An artifact that has
// changed behind an unchanged definition is known to the local target only, which tells at once.
func swaps(before, after target.Slot) bool {
	was, errWas := before.Definition.Fingerprint(nil)
	is, errIs := after.Definition.Fingerprint(nil)
	return errWas != nil || errIs != nil || was != is || before.Definition.Release != after.Definition.Release
}
