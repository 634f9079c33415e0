package provider

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision"
)

// observed are the attributes that an update says anew.
var observed = [...]string{"candidate", "drift", "fallback", "last_swap", "live", "phase"}

// repaired are those that a repair says anew, which begins no swap: what serves stays. A fallback may
// retire by the clock between plan and apply.
func (m deploymentSlotModel) repaired(ctx context.Context, diags *diag.Diagnostics) []string {
	if f := nested[fallbackModel](ctx, m.Fallback, diags); f != nil && !f.RetireAt.IsNull() {
		return []string{"drift", "fallback"}
	}
	return []string{"drift"}
}

// refuseStrayed fails an update that was planned as a repair, and met or did more: somebody else has begun a swap
// since, a limit of time is over, or the repair found more to do. Terraform would call that an error of the provider.
func (r *deploymentSlotResource) refuseStrayed(planned, m deploymentSlotModel, s provision.SlotState, diags *diag.Diagnostics) {
	var strayed []string
	for _, v := range []struct {
		name         string
		planned, now attr.Value
	}{
		{"candidate", planned.Candidate, m.Candidate},
		{"fallback", planned.Fallback, m.Fallback},
		{"last_swap", planned.LastSwap, m.LastSwap},
		{"live", planned.Live, m.Live},
		{"phase", planned.Phase, m.Phase},
	} {
		if !v.planned.IsUnknown() && !v.planned.Equal(v.now) {
			strayed = append(strayed, v.name)
		}
	}
	if len(strayed) == 0 {
		return
	}
	why := "another run, the clock or this apply has changed them since it was made"
	if w := s.Record.Swap; w != nil && slices.Contains(strayed, "last_swap") {
		why = fmt.Sprintf("the last swap, %s, was begun by %s at %s", w.ID, w.By, w.StartedAt.UTC().Format(time.RFC3339))
	}
	diags.AddError(r.summary("update"), fmt.Sprintf("Slot %q was to be repaired and nothing else, but %s differ from the plan: %s. %s. The state has what is true now: plan again.", m.ID.ValueString(), strings.Join(strayed, ", "), why, serves(s)))
}

// noteRepair notes that the next update of what was last asked is a repair.
func noteRepair(ctx context.Context, private noteKeeper, repair bool, diags *diag.Diagnostics) {
	if n := readNote(ctx, private, diags); n.Repair != repair {
		n.Repair = repair
		n.write(ctx, private, diags)
	}
}
