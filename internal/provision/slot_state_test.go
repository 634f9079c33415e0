package provision_test

import (
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func TestASlotStateTellsItsStacksApart(t *testing.T) {
	t.Parallel()
	stack := func(c target.Color, release, swapID string) target.StackStatus {
		return target.StackStatus{Spec: target.StackSpec{Color: c, SwapID: swapID, Definition: target.Definition{Release: release}}}
	}
	live := target.Swap{ID: "s1", Phase: target.PhaseLive, To: target.Blue}
	under := target.Swap{ID: "s2", Phase: target.PhaseTesting, From: target.Blue, To: target.Green}
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
		{"a fallback is kept", &live, target.Blue, new(stack(target.Green, "0", "s0")), "s0", target.PhaseLive, "", "0", false},
		{"a candidate was left over", &failed, target.Blue, new(stack(target.Green, "2", "s2")), "", target.PhaseFailed, "", "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := provision.SlotState{
				Record:      target.SlotRecord{Revision: 1, Meta: target.Meta{Ready: true}, Swap: c.swap, Passed: map[target.Color]target.Passed{}},
				Observation: target.Observation{Serving: c.serving, Stacks: map[target.Color]target.StackStatus{}},
			}
			if c.serving != "" {
				s.Observation.Stacks[c.serving] = stack(c.serving, "1", "s1")
			}
			if c.green != nil {
				s.Observation.Stacks[target.Green] = *c.green
			}
			if c.passed != "" {
				s.Record.Passed[target.Green] = target.Passed{SwapID: c.passed}
			}
			w := &world{T: t}
			serving := ""
			if c.serving != "" {
				serving = "1"
			}
			w.is(s, c.phase, serving, c.candidate, c.reserve)
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
