package proxy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// DefaultDrainLimit is the drain limit of stacks that set none.
const DefaultDrainLimit = 30 * time.Second

// Errors of the proxy's methods; they are wrapped, so test with errors.Is.
var (
	ErrUnknownStack = errors.New("no such stack")
	ErrStackServes  = errors.New("the stack serves")
	ErrClosed       = errors.New("the proxy is closed")
)

// Stack is one running copy of all components of a release.
type Stack struct {
	ID      string // unique in the proxy; the slot of an ID never changes
	Slot    string
	Release string // what the header Slipway-Release says
	Routes  []Route
	// DrainLimit bounds how long a SetTraffic away from this stack waits for its requests;
	// zero means DefaultDrainLimit.
	DrainLimit time.Duration
}

func (s Stack) check() error {
	if s.ID == "" || s.Slot == "" {
		return errors.New("a stack needs an id and a slot")
	}
	for _, r := range s.Routes {
		if err := r.check(); err != nil {
			return err
		}
	}
	return nil
}

// stack is the proxy's side of a Stack. Proxy.mu guards it, but for what says otherwise.
type stack struct {
	Stack
	components map[string]*component
	inRotation bool
	counters   counters // atomic
	meter      *meter   // has its own locks
	streams    streams  // has its own lock
}

// slot is where stacks are reached, by either entrance.
type slot struct {
	reach [Preview + 1]reach
}

// reaches reports whether the stack can be reached by any entrance.
func (s *slot) reaches(sought *stack) bool {
	return slices.ContainsFunc(s.reach[:], func(r reach) bool { return r.holds(sought) })
}

// PutStack adds a stack, or changes its release, routes and drain limit. Requests see all
// of the change or nothing of it.
func (p *Proxy) PutStack(s Stack) error {
	if err := s.check(); err != nil {
		return fmt.Errorf("put stack %q: %w", s.ID, err)
	}
	s.Routes = slices.Clone(s.Routes)
	if s.DrainLimit == 0 {
		s.DrainLimit = DefaultDrainLimit
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	known := p.stacks[s.ID]
	if known == nil {
		known = &stack{components: map[string]*component{}, meter: newMeter()}
		p.stacks[s.ID] = known
	} else if known.Slot != s.Slot {
		return fmt.Errorf("put stack %q: it is in slot %q and cannot move to %q", s.ID, known.Slot, s.Slot)
	}
	known.Stack = s
	if p.slots[s.Slot] == nil {
		p.slots[s.Slot] = &slot{}
	}
	p.publish()
	return nil
}

// SetInstances says which instances of a component are healthy: those get requests from
// now on. Requests on others are left to finish. Instances that stay keep their connections.
func (p *Proxy) SetInstances(stackID, component string, healthy []Instance) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.stacks[stackID]
	if s == nil {
		return fmt.Errorf("set instances of stack %q: %w", stackID, ErrUnknownStack)
	}
	s.component(component).set(healthy, s.inRotation)
	return nil
}

// DeleteStack forgets a stack that does not serve and ends its streams as CloseStreams does.
// Deleting one that is unknown is no error; deleting one that has a share of the traffic is
// ErrStackServes. An error of the context only says that the wait for the streams was cut short.
func (p *Proxy) DeleteStack(ctx context.Context, stackID string) error {
	p.mu.Lock()
	s := p.stacks[stackID]
	if s == nil {
		p.mu.Unlock()
		return nil
	}
	at := p.slots[s.Slot]
	if at.reach[Production].holds(s) {
		p.mu.Unlock()
		return fmt.Errorf("delete stack %q: %w", stackID, ErrStackServes)
	}
	if at.reach[Preview].holds(s) {
		at.reach[Preview] = reach{}
	}
	delete(p.stacks, stackID)
	s.setRotation(false)
	p.dropEmptySlot(s.Slot)
	p.publish()
	p.mu.Unlock()
	if err := waitGone(ctx, s.streams.close(true)); err != nil {
		return fmt.Errorf("delete stack %q: wait for its streams: %w", stackID, err)
	}
	return nil
}

// dropEmptySlot forgets a slot without stacks. The caller holds p.mu.
func (p *Proxy) dropEmptySlot(name string) {
	for _, s := range p.stacks {
		if s.Slot == name {
			return
		}
	}
	delete(p.slots, name)
}

// component returns the named component, which need not have instances yet.
func (s *stack) component(name string) *component {
	c := s.components[name]
	if c == nil {
		c = &component{gauge: newGauge()}
		s.components[name] = c
	}
	return c
}

// setRotation lets the instances keep idle connections only while the stack is reached.
func (s *stack) setRotation(in bool) {
	s.inRotation = in
	for _, c := range s.components {
		for _, i := range c.list() {
			i.pool.keep(in)
		}
	}
}
