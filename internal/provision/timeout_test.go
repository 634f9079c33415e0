package provision_test

import (
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// The target removes the candidate by itself: nothing is written then, and it is told all the same.
func TestASwapThatNobodyApprovedHasEnded(t *testing.T) {
	t.Parallel()
	w := built(t)
	manual := func(s *target.Slot) { s.Policy.Approval, s.Policy.ApprovalTimeoutSeconds = target.ApprovalManual, 60 }
	waiting, err := w.UpdateSlot(t.Context(), slot(release("2"), manual))
	w.ok(err)
	w.is(waiting, target.PhaseAwaitingApproval, "1", "2", "")
	end := waiting.Record.Swap.PhaseAt.Add(time.Minute)
	w.clock.Advance(time.Hour)
	ended := func(s target.Swap) {
		t.Helper()
		if s.Phase != target.PhaseFailed || s.FailedIn != target.PhaseAwaitingApproval || s.EndedAt == nil || !s.EndedAt.Equal(end) || s.Reason == "" {
			t.Errorf("got %s in %s, ended at %v, reason %q, want it to have ended at %s", s.Phase, s.FailedIn, s.EndedAt, s.Reason, end)
		}
	}
	s, err := w.ReadSlot(t.Context(), oms)
	w.ok(err)
	w.is(s, target.PhaseFailed, "1", "", "")
	ended(*s.Record.Swap)
	id := s.Record.Swap.ID
	for _, then := range []string{"before another swap", "after it"} {
		all, err := w.ListJournals(t.Context(), oms)
		w.ok(err)
		n := 0
		for _, j := range all {
			if j.Swap.ID == id {
				n++
				ended(j.Swap)
			}
		}
		if n != 1 {
			t.Errorf("%s it is listed %d times", then, n)
		}
		j, err := w.GetJournal(t.Context(), oms, id)
		w.ok(err)
		ended(j.Swap)
		_, err = w.UpdateSlot(t.Context(), slot(release("3")))
		w.ok(err)
	}
}
