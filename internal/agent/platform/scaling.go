//go:build !windows

package platform

import (
	"errors"
	"maps"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/scale"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

const (
	// lookEvery is how often the requests under way are counted.
	lookEvery = 250 * time.Millisecond
	// looksPerDecision is how many counts there are from one decision to the next.
	looksPerDecision = 4
)

// follower is what is known of a component's load.
type follower struct {
	state    scale.State
	requests scale.Window
	load     scale.Load
}

// scaler follows the load of every stack, as long as the platform lives.
func (p *Platform) scaler() {
	t := time.NewTicker(lookEvery)
	defer t.Stop()
	for n := 1; ; n++ {
		select {
		case <-p.life.Done():
			return
		case <-t.C:
		}
		p.look(p.clock.Now())
		if n%looksPerDecision == 0 {
			p.follow()
		}
	}
}

// look counts the requests under way.
func (p *Platform) look(now time.Time) {
	for _, st := range p.runningStacks() {
		st.look(now)
	}
}

// follow measures the CPU use of every instance and brings every stack to its size.
func (p *Platform) follow() {
	stacks := p.runningStacks()
	p.measureCPU(stacks)
	for _, st := range stacks {
		changed, err := st.decide()
		switch {
		case err == nil && changed:
			st.settle(p.life, nil)
		case err != nil && !errors.Is(err, ErrHandedOver) && !errors.Is(err, target.ErrConflict):
			p.log.Error("a stack was not scaled", "stack", st.id(), "error", err)
		}
	}
}

func (p *Platform) runningStacks() []*stack {
	var out []*stack
	for _, e := range p.allEnvironments() {
		for _, s := range e.allSlots() {
			out = append(out, s.allStacks()...)
		}
	}
	return out
}

// follower is that of a component. The caller holds st.deciding.
func (st *stack) follower(component string) *follower {
	f := st.followers[component]
	if f == nil {
		f = &follower{}
		st.followers[component] = f
	}
	return f
}

// look counts the stack's requests under way.
func (st *stack) look(now time.Time) {
	st.mu.Lock()
	front, components := st.front, st.spec.Definition.Components
	st.mu.Unlock()
	if front == nil {
		return
	}
	st.deciding.Lock()
	defer st.deciding.Unlock()
	for name, c := range components {
		if c.Scaling.TargetConcurrentRequests > 0 {
			f := st.follower(name)
			f.load.Requests = f.requests.Add(float64(front.Concurrency(st.id(), name, time.Second).InFlight), now)
		}
	}
}

// decide decides how many instances of each component there are to be, and records it. It says
// whether that is anything new.
func (st *stack) decide() (bool, error) {
	st.deciding.Lock()
	defer st.deciding.Unlock()
	spec := st.current()
	carries, now := st.s.carries(spec.Color), st.s.e.p.clock.Now()
	next, states := map[string]int{}, map[string]scale.State{}
	for name, c := range spec.Definition.Components {
		f := st.follower(name)
		f.load.CPUPercent = st.cpu(name)
		floor := max(spec.Capacity[name], scale.Floor(c.Scaling, now))
		states[name] = f.state.Next(c.Scaling, floor, carries, f.load, now)
		next[name] = states[name].Instances
		if c.Worker() && spec.HoldWorkers {
			states[name], next[name] = scale.State{}, 0
		}
	}
	st.mu.Lock()
	same := st.scale != nil && maps.Equal(st.scale, next)
	st.mu.Unlock()
	if !same {
		err := st.s.change(func(f *slotFile) error {
			seat := f.Seats[spec.Color]
			if seat == nil || seat.Spec.SwapID != spec.SwapID {
				return target.Errorf(target.ErrConflict, "the seat was emptied meanwhile")
			}
			seat.Scale = next
			return nil
		})
		if err != nil {
			return false, err
		}
	}
	for name, state := range states {
		st.followers[name].state = state
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	st.scale = next
	return !same, nil
}
