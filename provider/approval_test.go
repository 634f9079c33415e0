package provider_test

import (
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// manual is a slot whose candidates wait for approval.
func manual(changes map[string]any) map[string]any {
	return with(with(aSlot(), set{"swap": set{"approval": "manual", "approval_timeout_seconds": 600}}), changes)
}

// undergo puts the slot where a swap to release 2 has come to in a phase, with or without its
// candidate, as a run of somebody else's would leave it.
func (w *world) undergo(phase target.Phase, stands bool, change func(*target.SlotRecord)) {
	w.t.Helper()
	now := w.clock.Now()
	until := now.Add(10 * time.Minute)
	w.remember(func(r *target.SlotRecord) {
		r.Asked.Definition.Release = "2"
		fingerprint, err := w.Fingerprint(w.t.Context(), r.Asked.Definition)
		if err != nil {
			w.t.Fatal(err)
		}
		r.Swap = &target.Swap{
			ID: "two", Phase: phase, Release: "2", Fingerprint: fingerprint,
			From: target.Blue, FromRelease: "1", To: target.Green, By: "ann", StartedAt: now, PhaseAt: now,
		}
		if change != nil {
			change(r)
		}
	})
	if !stands {
		return
	}
	rec := w.slot().Record
	w.leased(func(l target.Lease) error {
		err := w.PutStack(w.t.Context(), target.StackSpec{
			Slot: oms, Color: target.Green, SwapID: "two", Definition: rec.Asked.Definition, Fingerprint: rec.Swap.Fingerprint,
			Capacity: map[string]int{"api": 1},
		}, l)
		if err != nil {
			return err
		}
		return w.RetireStack(w.t.Context(), oms, target.Green, &until, l)
	})
}

func TestCandidateThatWaitsForApprovalIsNoChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.lab(nil)
	o := l.changed(l.everything()["deployment_slot"], manual(nil))
	w.undergo(target.PhaseAwaitingApproval, true, nil)
	second := manual(set{"release": "2"})
	o = l.empty(o, second)
	for path, want := range map[string]any{
		"release": "2", "phase": "awaiting_approval", "live.release": "1", "candidate.release": "2",
		"candidate.traffic_percent": 0.0, "last_swap.id": "two", "last_swap.approved_by": nil,
	} {
		if got := at(o.state, path); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	if at(o.state, "candidate.retire_at") == nil {
		t.Error("the state does not say how long the candidate waits")
	}
	if again, d := l.imported("deployment_slot", o.id(), nil); len(d) > 0 || !again.state.Equal(o.state) {
		t.Errorf("an import finds something else: %s", d)
	}
	for name, change := range map[string]map[string]any{
		"approval":           {"approved_release": "2"},
		"another release":    {"release": "3"},
		"the release before": {"release": "1"},
	} {
		l.configure()
		if p := l.plan(o, with(second, change)); len(p.diags) > 0 || at(p.planned, "phase") != (unknown{}) {
			t.Errorf("%s is no change: phase %v: %s", name, at(p.planned, "phase"), p.diags)
		}
	}
}

func TestProtectionHoldsWhileTheFirstReleaseWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.lab(nil)
	o := l.changed(l.everything()["deployment_slot"], manual(set{"deletion_protection": true}))
	w.undergo(target.PhaseAwaitingApproval, true, func(r *target.SlotRecord) { r.Meta.Ready = false })
	l.empty(o, manual(set{"release": "2", "deletion_protection": true}))
}

func TestApprovalThatNeverCameIsToldByThePlan(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.lab(nil)
	o := l.changed(l.everything()["deployment_slot"], manual(nil))
	w.undergo(target.PhaseAwaitingApproval, false, nil)
	l.configure()
	o, d := l.read(o)
	if at(o.state, "release") != "1" || at(o.state, "candidate") != nil || len(d) > 0 {
		t.Errorf("state has release %v: %s", at(o.state, "release"), d)
	}
	p := l.plan(o, manual(set{"release": "2"}))
	warned(t, p.diags, `AttributeName("release")`, "waited for approval from 2026-11-03T", "which was 600", "never took traffic", "Release 1 serves all traffic")
	l.empty(o, manual(nil))
	l.configure()
	if p := l.plan(o, manual(set{"release": "3"})); len(p.diags) > 0 {
		t.Errorf("another release: %s", p.diags)
	}
}

func TestDegradedReleaseIsWatchedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.lab(nil)
	o := l.everything()["deployment_slot"]
	w.undergo(target.PhaseDegraded, false, func(r *target.SlotRecord) {
		r.Swap.Release, r.Swap.To, r.Swap.From, r.Swap.Reason = "1", target.Blue, "", "7.3 percent of 200 requests failed"
		r.Asked.Definition.Release = "1"
	})
	l.configure()
	o, _ = l.read(o)
	p := l.plan(o, aSlot())
	if at(p.planned, "phase") != (unknown{}) || at(p.planned, "release") != "1" {
		t.Errorf("the plan resumes nothing: phase %v", at(p.planned, "phase"))
	}
	warned(t, p.diags, `AttributeName("phase")`, "7.3 percent of 200 requests failed", "watches it again", "Release 1 serves all traffic")
}

// leased does what only the holder of the slot's lease may do.
func (w *world) leased(do func(target.Lease) error) {
	w.t.Helper()
	lease, err := w.AcquireLease(w.t.Context(), oms, "another", "somebody else", time.Minute)
	if err == nil {
		err = do(lease)
	}
	if releaseErr := w.ReleaseLease(w.t.Context(), oms, "another"); err != nil || releaseErr != nil {
		w.t.Fatal(err, releaseErr)
	}
}
