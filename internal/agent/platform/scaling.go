//go:build !windows

package platform

import (
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/scale"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

const (
	// decideEvery is how often the size of every stack is decided.
	decideEvery = time.Second
	// decisionsPerShow is how many decisions there are from one look at the CPU use to the
	// next where it is only shown: it is a look at all processes of the machine.
	decisionsPerShow = 5
	// loadSpan is how far back a load is looked at: far enough to even out what is random,
	// and short enough to have more instances within seconds.
	loadSpan = 3 * time.Second
)

// scaler follows the load of every stack, as long as the platform lives.
func (p *Platform) scaler() {
	t := time.NewTicker(decideEvery)
	defer t.Stop()
	for n := 1; ; n++ {
		select {
		case <-p.life.Done():
			return
		case <-t.C:
		}
		p.follow(n%decisionsPerShow == 0)
	}
}

// follow brings every stack to its size. It looks at the CPU use where a component follows
// it, and otherwise if it is to be shown.
func (p *Platform) follow(show bool) {
	stacks := p.runningStacks()
	if show || slices.ContainsFunc(stacks, (*stack).followsCPU) {
		p.measureCPU(stacks)
	}
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

func (st *stack) followsCPU() bool {
	for _, c := range st.current().Definition.Components {
		if c.Scaling.TargetCPUPercent > 0 {
			return true
		}
	}
	return false
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

// load is what the instances of a component have to do now.
func (st *stack) load(component string) scale.Load {
	st.mu.Lock()
	front := st.front
	st.mu.Unlock()
	l := scale.Load{CPUPercent: st.cpu(component)}
	if front != nil {
		l.Requests = front.Concurrency(st.id(), component, loadSpan).Average
	}
	return l
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
		floor := max(spec.Capacity[name], c.Scaling.Floor(now))
		states[name] = st.states[name].Next(c.Scaling, floor, carries, st.s.e.p.loadOf(st, name), now)
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
	st.states = states
	st.mu.Lock()
	defer st.mu.Unlock()
	st.scale = next
	return !same, nil
}
