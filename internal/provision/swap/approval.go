package swap

import (
	"fmt"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// approved says that the candidate may take traffic: somebody let it, or nobody has to.
func (f Facts) approved() bool {
	w := f.Record.Swap
	return w.Reuse || w.Approved != nil || f.Want.Policy.Approval != target.ApprovalManual || f.Want.ApprovedRelease == w.Release
}

// awaitingApproval leaves a tested candidate to wait, at the size asked for, with its end set
// so that its target removes it without us. One that is approved goes through the gates again.
func (f Facts) awaitingApproval() Decision {
	w, p := f.Record.Swap, f.Want.Policy
	limit := seconds(p.ApprovalTimeoutSeconds)
	deadline := w.PhaseAt.Add(limit)
	switch {
	case !f.seated():
		return f.begin(true, fmt.Sprintf("release %s was removed, since nobody approved it within %s", w.Release, limit))
	case p.Approval == target.ApprovalManual && w.Approved == nil && !f.Seen.At.Before(deadline):
		return Decision{Do: DeleteStack, Color: w.To}
	case f.approved():
		changed := *w
		if w.Approved == nil {
			changed.Approved = &target.ApprovedBy{By: f.By, At: f.Now}
		}
		return Decision{Swap: &changed, Next: target.PhaseVerifying, Note: "approved by " + changed.Approved.By}
	}
	percent := p.WaitingCapacityPercent
	if percent == 0 {
		percent = 100
	}
	if d, more := f.putCandidate(percent); more {
		return d
	}
	if at := f.Seen.Stacks[w.To].RetireAt; at == nil || !at.Equal(deadline) {
		return Decision{Do: RetireStack, Color: w.To, At: &deadline}
	}
	return Decision{End: true}
}

// approve records that somebody lets a release that waits take traffic.
func (r *run) approve(f Facts, by, release string) error {
	w, id := r.record.Swap, r.want.ID()
	switch {
	case w == nil || w.Phase != target.PhaseAwaitingApproval:
		return &NotWaitingError{id, "no release waits for approval"}
	case w.Release != release:
		return &NotWaitingError{id, fmt.Sprintf("release %s waits for approval, not release %s", w.Release, release)}
	case !f.seated(), !f.Seen.At.Before(w.PhaseAt.Add(seconds(f.Want.Policy.ApprovalTimeoutSeconds))):
		return &NotWaitingError{id, fmt.Sprintf("nobody approved release %s in time, and it was removed", w.Release)}
	}
	approved := *w
	approved.Approved = &target.ApprovedBy{By: by, At: r.clock.Now()}
	r.record.Swap, r.mine, r.fingerprint = &approved, w.ID, w.Fingerprint
	return nil
}
