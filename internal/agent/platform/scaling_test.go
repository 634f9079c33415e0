//go:build !windows

package platform

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/scale"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// sleepers is a stack that serves and follows the requests of its one component.
func sleepers(s *slot) target.StackSpec {
	return target.StackSpec{Slot: s.id, Color: target.Blue, SwapID: "swap", Definition: target.Definition{
		Release: "1", Components: map[string]target.Component{"api": {
			Command: []string{"sleep", "600"}, Scaling: target.Scaling{Min: 1, Max: 4, TargetConcurrentRequests: 10},
		}},
	}}
}

// underLoad makes every component have requests under way, and the platform decide.
func (p *Platform) underLoad(requests float64) {
	p.loadOf = func(*stack, string) scale.Load { return scale.Load{Requests: requests} }
	p.follow(false)
}

// become waits until a stack is to have, and has, so many instances that run.
func become(t *testing.T, st *stack, want int) {
	t.Helper()
	limited, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err := wait.Until(limited, wait.Options{First: 5 * time.Millisecond, Max: 50 * time.Millisecond}, func(context.Context) (seenStack, bool, error) {
		seen, running := st.status(), 0
		for _, i := range seen.Instances {
			if i.Running {
				running++
			}
		}
		return seenStack(seen), seen.Scale["api"] == want && running == want && len(seen.Instances) == want, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

type seenStack target.StackStatus

func (s seenStack) String() string { return fmt.Sprintf("%+v", target.StackStatus(s)) }

func (i *instance) pid() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.proc.Identity().PID
}

func TestAStackFollowsItsLoadAndKeepsItsScale(t *testing.T) {
	t.Parallel()
	p := newTestPlatform(t)
	clock := wait.NewFake(time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC))
	p.clock = clock
	s, _ := newTestSlot(t, p)
	spec := sleepers(s)
	err := s.change(func(f *slotFile) error {
		f.Seats[spec.Color] = &seat{Spec: spec}
		f.set(target.Traffic{Color: spec.Color})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	s.resume(t.Context())
	st := s.stacks[spec.Color]
	become(t, st, 1)
	p.underLoad(35)
	become(t, st, 4)
	pids := func(st *stack) map[string]int {
		out := map[string]int{}
		for _, i := range st.all() {
			out[i.key()] = i.pid()
		}
		return out
	}
	before := pids(st)

	// The agent is gone, and the next one finds the stack as it was.
	p.Close()
	next := newPlatform(t.Context(), Options{Dir: string(p.dir), Shim: p.shim, Logger: slog.New(slog.DiscardHandler), Clock: clock}, users{})
	t.Cleanup(next.Close)
	e := next.newEnvironment(s.id.Environment)
	next.environments[s.id.Environment] = e
	if err := e.loadSlots(t.Context()); err != nil {
		t.Fatal(err)
	}
	st = e.slots[s.id.Name].stacks[spec.Color]
	defer func() {
		if err := st.stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}()
	become(t, st, 4)
	if after := pids(st); !maps.Equal(before, after) {
		t.Errorf("the processes are %v and were %v", after, before)
	}

	// Down it goes one by one, after a time.
	next.follow(false)
	clock.Advance(scale.SettleTime - time.Second)
	next.follow(false)
	become(t, st, 4)
	clock.Advance(time.Second)
	for want := 3; want >= 1; want-- {
		next.follow(false)
		next.follow(false)
		become(t, st, want)
		clock.Advance(scale.StepTime)
	}
	next.follow(false)
	become(t, st, 1)
	if left := e.slots[s.id.Name].file.Seats[spec.Color].Instances; len(left) != 1 {
		t.Errorf("the record still has %v", left)
	}
}

func TestHeldWorkersAreNotScaled(t *testing.T) {
	t.Parallel()
	p := newTestPlatform(t)
	s, _ := newTestSlot(t, p)
	spec := sleepers(s)
	s.file.Seats[spec.Color] = &seat{Spec: spec}
	s.file.set(target.Traffic{Color: spec.Color})
	st := s.newStack(spec)
	s.stacks[spec.Color] = st
	defer func() {
		if err := st.stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}()
	hold := func(held bool) {
		t.Helper()
		spec.HoldWorkers = held
		if err := st.change(t.Context(), spec); err != nil {
			t.Fatal(err)
		}
	}
	hold(true)
	p.underLoad(35)
	become(t, st, 0)
	hold(false)
	become(t, st, 4)
	hold(true)
	become(t, st, 0)
}

// TestAStackFollowsItsCPU has a program that does nothing but work.
func TestAStackFollowsItsCPU(t *testing.T) {
	t.Parallel()
	p := newTestPlatform(t)
	s, _ := newTestSlot(t, p)
	spec := sleepers(s)
	spec.Definition.Components["api"] = target.Component{
		Command: []string{"/bin/sh", "-c", "while :; do :; done"}, Scaling: target.Scaling{Min: 1, Max: 2, TargetCPUPercent: 1},
	}
	s.file.Seats[spec.Color] = &seat{Spec: spec}
	s.file.set(target.Traffic{Color: spec.Color})
	st := s.newStack(spec)
	s.stacks[spec.Color] = st
	if err := st.change(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := st.stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}()
	limited, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err := wait.Until(limited, wait.Options{First: 20 * time.Millisecond, Max: 100 * time.Millisecond}, func(context.Context) (seenStack, bool, error) {
		p.follow(false)
		seen := st.status()
		return seenStack(seen), seen.Scale["api"] == 2 && seen.Instances[0].CPUPercent > 1, nil
	})
	if err != nil {
		t.Error(err)
	}
}
