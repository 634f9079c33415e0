package decide

import (
	"fmt"
	"strings"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// approved says that the candidate may take traffic: somebody let it, or nobody has to.
func (f Facts) approved() bool {
	w := f.Record.Swap
	return w.Reuse || w.Approved != nil || f.Want.Policy.Approval != target.ApprovalManual || f.Want.ApprovedRelease == w.Release
}

func (f Facts) approvalLimit() time.Duration { return seconds(f.Want.Policy.ApprovalTimeoutSeconds) }

// approvalEnd is when a candidate that waits is removed.
func (f Facts) approvalEnd() time.Time { return f.Record.Swap.PhaseAt.Add(f.approvalLimit()) }

// awaitingApproval leaves a tested candidate to wait, at the size asked for, with its end set
// so that its target removes it without us. One that is approved goes through the gates again.
func (f Facts) awaitingApproval() *Decision {
	w, p, end := f.swap(), f.Want.Policy, f.approvalEnd()
	switch {
	case p.Approval == target.ApprovalManual && w.Approved == nil && !f.Seen.At.Before(end):
		return &Decision{Do: DeleteStack, Color: w.To}
	case f.approved():
		if w.Approved == nil {
			w.Approved = &target.ApprovedBy{By: f.By, At: f.Now}
		}
		return &Decision{Swap: w, Next: target.PhaseVerifying, Note: "approved by " + w.Approved.By}
	}
	percent := p.WaitingCapacityPercent
	if percent == 0 {
		percent = 100
	}
	return first(f.putCandidate(percent), f.retire(w.To, &end), &Decision{End: true})
}

// Approve is the swap with the approval of its release, by somebody; or why it can't be had.
func Approve(f Facts, by, release string) (w *target.Swap, refusal string) {
	switch w := f.Record.Swap; {
	case w != nil && w.Approved != nil && !w.Phase.Finished() && w.Phase != target.PhaseDegraded:
		return nil, fmt.Sprintf("release %s was approved, and the swap to it is under way: it is %s with %d percent of the traffic, and the next apply goes on with it",
			w.Release, strings.ReplaceAll(string(w.Phase), "_", " "), f.Reached())
	case w == nil || w.Phase != target.PhaseAwaitingApproval:
		return nil, "no release waits for approval"
	case w.Release != release:
		return nil, fmt.Sprintf("release %s waits for approval, not release %s", w.Release, release)
	case !f.seated(), !f.Seen.At.Before(f.approvalEnd()):
		return nil, fmt.Sprintf("nobody approved release %s in time, and it was removed", w.Release)
	}
	w = f.swap()
	w.Approved = &target.ApprovedBy{By: by, At: f.Now}
	return w, ""
}
