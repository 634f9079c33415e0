package provider

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// warnLong warns where a planned swap waits for longer than its apply may take, and where the end of the slot may:
// the run would be ended in between, and another one has to go on from there.
func (r *deploymentSlotResource) warnLong(ctx context.Context, slot target.Slot, before *target.Slot, plan deploymentSlotModel, resp *resource.ModifyPlanResponse) {
	p, swapping := slot.Policy, before == nil || swaps(*before, slot)
	if swapping {
		verb := "create"
		if before != nil {
			verb = "update"
		}
		r.warnLimit(ctx, slot, verb, plan, resp, "by the times that are asked for a swap takes", least(p, before == nil))
	}
	if swapping || before.Policy.DrainSeconds != p.DrainSeconds {
		var stop time.Duration
		for _, c := range slot.Definition.Components {
			stop = max(stop, c.StopTimeout())
		}
		r.warnLimit(ctx, slot, "delete", plan, resp, "where requests and instances take the time to end that they are given, a removal takes", []span{
			{"swap.drain_seconds", p.DrainSeconds}, {"the longest stop_timeout_seconds", int(stop.Seconds())},
		})
	}
}

// span is a time that a verb waits for.
type span struct {
	name    string
	seconds int
}

// least are the times that a swap takes in any case. The first deployment takes no steps, and what waits for
// approval is another apply.
func least(p target.Policy, first bool) (all []span) {
	if p.Approval != target.ApprovalManual {
		all = append(all, span{"swap.minimum_healthy_seconds", p.MinimumHealthySeconds})
	}
	for i, s := range p.Steps {
		if !first {
			all = append(all, span{fmt.Sprintf("swap.steps[%d].hold_seconds", i), s.HoldSeconds})
		}
	}
	return append(all, span{"swap.bake_seconds", p.BakeSeconds})
}

// warnLimit warns where the times together are no shorter than the limit of a verb.
func (r *deploymentSlotResource) warnLimit(ctx context.Context, slot target.Slot, verb string, plan deploymentSlotModel, resp *resource.ModifyPlanResponse, when string, waits []span) {
	limit := r.of(ctx, verb, plan.Timeouts, &resp.Diagnostics)
	var total time.Duration
	var parts []string
	for _, w := range waits {
		if w.seconds > 0 {
			total += time.Duration(w.seconds) * time.Second
			parts = append(parts, fmt.Sprintf("%s is %d", w.name, w.seconds))
		}
	}
	if total < limit {
		return
	}
	resp.Diagnostics.AddAttributeWarning(path.Root("swap"), "A time limit is too short", fmt.Sprintf("Slot %q: %s %s (%s), and timeouts.%s is %s. The apply would end before with an error, and the next one would go on from there. Raise timeouts.%[5]s, or lower these times.", slot.ID(), when, total, strings.Join(parts, ", "), verb, limit))
}
