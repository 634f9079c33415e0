//go:build !windows

package platform

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/process"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// blind makes the first look at each process fail as the kernel may: out of descriptors, say.
func (p *Platform) blind(looks int32) {
	var done atomic.Int32
	p.find = func(id process.Identity) (*process.Process, error) {
		if done.Add(1) <= looks {
			return nil, errors.New("too many open files")
		}
		return process.Find(id)
	}
}

func TestWhatCannotBeLookedAtIsNotStartedASecondTime(t *testing.T) {
	t.Parallel()
	p := newTestPlatform(t)
	s, _ := newTestSlot(t, p)
	old := startProcess(t, p)
	s.file.Seats[target.Blue] = &seat{
		Instances: map[string]*instanceFile{"api/1": {Identity: old}},
		Spec: target.StackSpec{
			Slot: s.id, Color: target.Blue, SwapID: "swap", Capacity: map[string]int{"api": 1},
			Definition: target.Definition{Release: "1", Components: map[string]target.Component{"api": {Command: []string{"sleep", "600"}}}},
		},
	}
	s.file.Tasks["suite"] = &taskFile{Identity: &old, StartedAt: p.clock.Now(), Spec: target.TaskSpec{Task: target.Task{TimeoutSeconds: 600}}}
	p.blind(2)
	s.resume(t.Context())
	st := s.stacks[target.Blue]
	if seen := st.status().Instances; len(seen) != 1 || seen[0].Running || seen[0].Problem == "" {
		t.Errorf("while it can't be looked at: got %+v, want it not running, with a problem", seen)
	}
	if seen := s.tasks["suite"].status(); !seen.Running {
		t.Errorf("the task: got %+v, want it taken for running", seen)
	}
	become(t, st, 1)
	if got := st.all()[0].pid(); got != old.PID {
		t.Errorf("got process %d, want %d, which ran all the time", got, old.PID)
	}
	if err := s.stop(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
	if _, err := process.Find(old); !errors.Is(err, process.ErrGone) {
		t.Errorf("after the stop: got %v, want it gone", err)
	}
}
