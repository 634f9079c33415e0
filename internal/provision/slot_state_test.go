package provision_test

import (
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/memtarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func TestASlotStateTellsItsStacksApart(t *testing.T) {
	t.Parallel()
	stack := func(c target.Color, release, swapID string) target.StackStatus {
		return target.StackStatus{Spec: target.StackSpec{Color: c, SwapID: swapID, Definition: target.Definition{Release: release}}}
	}
	live := target.Swap{ID: "s1", Phase: target.PhaseLive, To: target.Blue}
	under := target.Swap{ID: "s2", Phase: target.PhaseTesting, From: target.Blue, To: target.Green}
	waiting, degraded := under, live
	waiting.Phase, degraded.Phase = target.PhaseAwaitingApproval, target.PhaseDegraded
	failed := under
	failed.Phase = target.PhaseFailed
	for _, c := range []struct {
		name               string
		swap               *target.Swap
		serving            target.Color
		green              *target.StackStatus
		passed             string // the swap of the stack that served from green
		phase              target.Phase
		candidate, reserve string
		unfinished         bool
	}{
		{"a slot that nothing was done to yet", nil, "", nil, "", "", "", "", false},
		{"one stack serves", &live, target.Blue, nil, "", target.PhaseLive, "", "", false},
		{"a candidate comes up", &under, target.Blue, new(stack(target.Green, "2", "s2")), "", target.PhaseTesting, "2", "", true},
		{"the fallback still has the candidate's seat", &under, target.Blue, new(stack(target.Green, "0", "s0")), "s0", target.PhaseTesting, "", "0", true},
		{"a candidate waits for approval", &waiting, target.Blue, new(stack(target.Green, "2", "s2")), "", target.PhaseAwaitingApproval, "2", "", false},
		{"nobody approved the candidate", &waiting, target.Blue, nil, "", target.PhaseFailed, "", "", false},
		{"a release is degraded", &degraded, target.Blue, nil, "", target.PhaseDegraded, "", "", true},
		{"a fallback is kept", &live, target.Blue, new(stack(target.Green, "0", "s0")), "s0", target.PhaseLive, "", "0", false},
		{"a candidate was left over", &failed, target.Blue, new(stack(target.Green, "2", "s2")), "", target.PhaseFailed, "", "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rec := target.SlotRecord{Revision: 1, Meta: target.Meta{Ready: true}, Swap: c.swap, Passed: map[target.Color]target.Passed{}}
			seen := target.Observation{At: noon, Serving: c.serving, Stacks: map[target.Color]target.StackStatus{}}
			if c.serving != "" {
				seen.Stacks[c.serving] = stack(c.serving, "1", "s1")
			}
			if c.green != nil {
				seen.Stacks[target.Green] = *c.green
			}
			if c.passed != "" {
				rec.Passed[target.Green] = target.Passed{SwapID: c.passed}
			}
			s := provision.StateOf(rec, seen)
			w := &world{T: t}
			serving := ""
			if c.serving != "" {
				serving = "1"
			}
			w.is(s, c.phase, serving, c.candidate, c.reserve)
			if got, want := [2]bool{s.AwaitsApproval(), s.ApprovalTimedOut()}, c.swap == &waiting; got != [2]bool{want && c.green != nil, want && c.green == nil} {
				t.Errorf("awaits approval, and approval timed out: %t", got)
			}
			if got := s.Unfinished(noon); got != c.unfinished {
				t.Errorf("unfinished is %t, want %t", got, c.unfinished)
			}
		})
	}
}

func TestASlotThatIsNotReadyIsUnfinished(t *testing.T) {
	t.Parallel()
	s := provision.SlotState{}
	if s.Exists() || s.Unfinished(time.Time{}) {
		t.Error("a slot that does not exist is unfinished")
	}
	s.Record.Revision = 1
	if !s.Exists() || !s.Unfinished(time.Time{}) {
		t.Error("a slot that is not ready is not unfinished")
	}
}

func TestACandidateThatOutlivesTheTimeToApproveItIsUnfinished(t *testing.T) {
	t.Parallel()
	until := noon
	s := provision.SlotState{
		Record: target.SlotRecord{Revision: 1, Swap: &target.Swap{ID: "s", Phase: target.PhaseAwaitingApproval, To: target.Blue}},
		Observation: target.Observation{Stacks: map[target.Color]target.StackStatus{
			target.Blue: {Spec: target.StackSpec{Color: target.Blue, SwapID: "s"}, RetireAt: &until},
		}},
	}
	if s.Unfinished(noon) || !s.Unfinished(noon.Add(time.Hour)) {
		t.Error("a candidate is unfinished before its time, or is not an hour after it")
	}
}

func TestASlotThatSomebodyHasChangedIsUnfinished(t *testing.T) {
	t.Parallel()
	s := provision.SlotState{
		Record:      target.SlotRecord{Revision: 1, Meta: target.Meta{Ready: true}},
		Observation: target.Observation{Serving: target.Blue, Stacks: map[target.Color]target.StackStatus{target.Blue: {}}},
	}
	if s.Unfinished(noon) || s.Drift() != nil {
		t.Error("a slot that nobody has changed is unfinished")
	}
	s.Observation.Stacks[target.Blue] = target.StackStatus{Drift: []string{"a rule is missing"}}
	if !s.Unfinished(noon) || len(s.Drift()) != 1 {
		t.Errorf("a slot that somebody has changed is not unfinished: %q", s.Drift())
	}
}

func TestARepairIsToldFromASwap(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memtarget.Options{})
	d := slot().Definition
	fingerprint, err := d.Fingerprint(nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(s *provision.SlotState, live *target.StackStatus)
		want   bool
	}{
		"somebody has changed what serves":     {func(*provision.SlotState, *target.StackStatus) {}, true},
		"the last swap failed":                 {func(s *provision.SlotState, _ *target.StackStatus) { s.Record.Swap.Phase = target.PhaseFailed }, true},
		"instances are being replaced for it":  {func(_ *provision.SlotState, live *target.StackStatus) { live.Drift, live.Mending = nil, live.Drift }, true},
		"nobody has changed anything":          {func(_ *provision.SlotState, live *target.StackStatus) { live.Drift = nil }, false},
		"nothing serves":                       {func(s *provision.SlotState, _ *target.StackStatus) { s.Observation.Serving = "" }, false},
		"a swap is under way":                  {func(s *provision.SlotState, _ *target.StackStatus) { s.Record.Swap.Phase = target.PhaseTesting }, false},
		"the release is degraded":              {func(s *provision.SlotState, _ *target.StackStatus) { s.Record.Swap.Phase = target.PhaseDegraded }, false},
		"a share was left with the other seat": {func(s *provision.SlotState, _ *target.StackStatus) { s.Observation.Percent = 10 }, false},
		"somebody asks for a rollback":         {func(s *provision.SlotState, _ *target.StackStatus) { s.Observation.Request = &target.Request{} }, false},
		"nobody approved the last release in time": {func(s *provision.SlotState, _ *target.StackStatus) {
			s.Record.Swap.Phase, s.Record.Swap.To = target.PhaseAwaitingApproval, target.Green
		}, false},
		"what serves would be another stack now": {func(_ *provision.SlotState, live *target.StackStatus) { live.Spec.Fingerprint = "old" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := provision.SlotState{
				Record:      target.SlotRecord{Revision: 1, Meta: target.Meta{Ready: true}, Swap: &target.Swap{ID: "s1", Phase: target.PhaseLive, To: target.Blue}},
				Observation: target.Observation{At: noon, Serving: target.Blue, Stacks: map[target.Color]target.StackStatus{}},
			}
			live := target.StackStatus{Spec: target.StackSpec{Color: target.Blue, Definition: d, Fingerprint: fingerprint}, Drift: []string{"a rule is missing"}}
			c.change(&s, &live)
			s.Observation.Stacks[target.Blue] = live
			if got := w.IsRepair(t.Context(), provision.StateOf(s.Record, s.Observation)); got != c.want {
				t.Errorf("it is a repair: %t, want %t", got, c.want)
			}
		})
	}
}
