//go:build !windows

package platform

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/proxy"
	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/scale"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// keptLogs is how many swaps' and tasks' logs a slot keeps.
const keptLogs = 40

// stack is one running copy of a release, in one seat.
type stack struct {
	s      *slot
	swapID string

	// deciding is held by who decides on the number of instances, until it is recorded.
	deciding sync.Mutex
	states   map[string]scale.State // by component; guarded by deciding

	mu        sync.Mutex
	spec      target.StackSpec
	scale     map[string]int       // by component: how many instances there are to be
	closing   bool                 // there are to be none
	released  bool                 // nothing of it is looked after any more
	instances map[string]*instance // by "component/index"
	front     *proxy.Proxy
}

func (s *slot) newStack(spec target.StackSpec) *stack {
	return &stack{s: s, swapID: spec.SwapID, spec: spec, instances: map[string]*instance{}}
}

// id is what the front door calls the stack.
func (st *stack) id() string { return st.s.id.Name + "/" + st.swapID }

// current is the stack's definition as it is now.
func (st *stack) current() target.StackSpec {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.spec
}

// resume brings back what was remembered of the stack. It returns when every instance that
// still runs was probed once.
func (st *stack) resume(ctx context.Context, was seat) {
	st.mu.Lock()
	st.scale = was.Scale
	if st.scale == nil { // recorded by a version that did not scale
		st.scale = was.Spec.Capacity
	}
	st.states = map[string]scale.State{}
	for name, n := range st.scale {
		st.states[name] = scale.State{Instances: n}
	}
	st.mu.Unlock()
	if _, err := st.decide(); err != nil {
		st.s.e.p.log.Error("a stack goes on with the size that it had", "stack", st.id(), "error", err)
	}
	st.settle(ctx, was.Instances)()
}

// settle starts and dismisses instances until they are as many as there are to be, taking
// over those that were remembered. What it returns waits until the new ones were started, or
// found and probed once; those in surplus go on their own.
func (st *stack) settle(ctx context.Context, remembered map[string]*instanceFile) (begun func()) {
	var starting sync.WaitGroup
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.released {
		return starting.Wait
	}
	wanted := map[string]bool{}
	for name, n := range st.scale {
		for index := 1; index <= n && !st.closing; index++ {
			wanted[name+"/"+strconv.Itoa(index)] = true
		}
	}
	begin := func(key string) {
		name, index, _ := strings.Cut(key, "/")
		n, err := strconv.Atoi(index)
		if err != nil || st.instances[key] != nil {
			return
		}
		i := newInstance(st, name, n)
		st.instances[key] = i
		starting.Go(func() { i.start(ctx, remembered[key]) })
	}
	for key := range wanted {
		begin(key)
	}
	for key := range remembered {
		begin(key) // what is wanted no more may still run
	}
	for key, i := range st.instances {
		if !wanted[key] {
			st.dismiss(i)
		}
	}
	return starting.Wait
}

// stop ends every instance at once and returns when all are gone.
func (st *stack) stop(ctx context.Context) error {
	st.mu.Lock()
	st.closing = true
	for _, i := range st.instances {
		st.dismiss(i)
		i.end(errStop)
	}
	st.mu.Unlock()
	var errs []error
	for _, i := range st.all() {
		select {
		case <-i.gone:
			i.mu.Lock()
			errs = append(errs, i.stopErr)
			i.mu.Unlock()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return errors.Join(errs...)
}

// release stops looking after the instances and leaves them running.
func (st *stack) release() {
	st.mu.Lock()
	st.released = true
	st.mu.Unlock()
	for _, i := range st.all() {
		i.release()
		i.mu.Lock()
		leaving := i.leaving
		i.mu.Unlock()
		if leaving {
			<-i.gone
		}
	}
}

// dismiss takes an instance out of rotation, lets it answer what it was asked, and ends it.
// The caller holds st.mu.
func (st *stack) dismiss(i *instance) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.leaving {
		return
	}
	i.leaving = true
	go func() {
		defer close(i.gone)
		st.publish(i.component)
		st.drain(i)
		i.end(errStop)
		<-i.over
		if i.held.Err() == nil {
			st.forget(i)
		}
	}()
}

// drain waits until an instance that is out of rotation has answered what it was asked, until
// the slot's limit has passed, or until somebody ends the instance at once.
func (st *stack) drain(i *instance) {
	st.mu.Lock()
	front := st.front
	st.mu.Unlock()
	if front == nil {
		return
	}
	limited, cancel := context.WithTimeout(i.life, st.s.drainLimit())
	defer cancel()
	if err := front.AwaitInstance(limited, st.id(), i.component, i.key()); err != nil && i.life.Err() == nil {
		st.s.e.p.log.Warn("an instance ends with requests under way", "instance", i.name(), "error", err)
	}
}

// forget lets go of an instance that was dismissed, and starts another one in its place if
// there is to be one again.
func (st *stack) forget(i *instance) {
	i.mu.Lock()
	stopErr := i.stopErr
	i.mu.Unlock()
	spec := st.current()
	err := stopErr
	if err == nil {
		err = st.s.change(func(f *slotFile) error {
			if seat := f.Seats[spec.Color]; seat != nil && seat.Spec.SwapID == spec.SwapID {
				delete(seat.Instances, i.key())
			}
			return nil
		})
	}
	if err != nil && !errors.Is(err, ErrHandedOver) {
		st.s.e.p.log.Error("an instance did not go as it should", "instance", i.name(), "error", err)
	}
	if stopErr != nil {
		return
	}
	st.mu.Lock()
	delete(st.instances, i.key())
	st.mu.Unlock()
	st.settle(i.held, nil)
}

// change changes the stack in place.
func (st *stack) change(ctx context.Context, spec target.StackSpec) error {
	st.mu.Lock()
	st.spec, st.closing = spec, false
	front := st.front
	st.mu.Unlock()
	if _, err := st.decide(); err != nil {
		return err
	}
	st.settle(ctx, nil)()
	if front == nil {
		return nil
	}
	return st.register(front)
}

// enter puts the stack behind a front door, not yet in anybody's way.
func (st *stack) enter(front *proxy.Proxy) {
	st.mu.Lock()
	st.front = front
	st.mu.Unlock()
	if err := st.register(front); err != nil {
		st.s.e.p.log.Error("a stack was not put behind the front door", "stack", st.id(), "error", err)
	}
}

func (st *stack) register(front *proxy.Proxy) error {
	d := st.current().Definition.Expand()
	var routes []proxy.Route
	for name, c := range d.Components {
		for _, r := range c.Routes {
			routes = append(routes, proxy.Route{Host: r.Host, PathPrefix: r.PathPrefix, Component: name})
		}
	}
	if err := front.PutStack(proxy.Stack{ID: st.id(), Slot: st.s.id.Name, Release: d.Release, Routes: routes, DrainLimit: st.s.drainLimit()}); err != nil {
		return err
	}
	for name := range d.Components {
		st.publish(name)
	}
	return nil
}

// publish tells the front door which instances of a component are healthy.
func (st *stack) publish(component string) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.front == nil {
		return
	}
	var healthy []proxy.Instance
	for _, key := range target.SortedKeys(st.instances) {
		i := st.instances[key]
		if i.component != component {
			continue
		}
		if addr, ok := i.address(); ok {
			healthy = append(healthy, proxy.Instance{ID: key, Addr: addr})
		}
	}
	if err := st.front.SetInstances(st.id(), component, healthy); err != nil && !errors.Is(err, proxy.ErrUnknownStack) {
		st.s.e.p.log.Error("the front door did not take the instances", "stack", st.id(), "error", err)
	}
}

// status is the stack as it is seen now.
func (st *stack) status() target.StackStatus {
	st.mu.Lock()
	out := target.StackStatus{Spec: st.spec, Scale: maps.Clone(st.scale)}
	front := st.front
	st.mu.Unlock()
	for _, i := range st.all() {
		out.Instances = append(out.Instances, i.status())
	}
	if front != nil {
		stats := front.Stats(st.id())
		out.InFlight = int(stats.InFlight)
		if !stats.LastAnswer.IsZero() {
			out.LastAnswerAt = new(stats.LastAnswer.UTC())
		}
	}
	return out
}

func (st *stack) all() []*instance {
	st.mu.Lock()
	defer st.mu.Unlock()
	var out []*instance
	for _, key := range target.SortedKeys(st.instances) {
		out = append(out, st.instances[key])
	}
	return out
}

// folders makes what the stack's processes live in.
func (st *stack) folders() error {
	dir := st.s.files.stack(st.s.id.Name, st.swapID)
	logs := filepath.Dir(st.s.files.instanceLog(st.s.id.Name, st.swapID, "x", 1))
	if err := st.s.e.p.passage(filepath.Dir(dir), dir, filepath.Dir(logs), logs); err != nil {
		return err
	}
	for _, d := range []string{"home", "tmp"} {
		if err := privateDir(filepath.Join(dir, d), st.s.e.application()); err != nil {
			return fmt.Errorf("make stack folder: %w", err)
		}
	}
	return st.s.pruneLogs()
}

// pruneLogs removes the oldest logs; their names begin with the time of their swap.
func (s *slot) pruneLogs() error {
	dir := s.files.slotLogs(s.id.Name)
	names, err := dirNames(dir)
	if err != nil {
		return err
	}
	for _, name := range names[:max(0, len(names)-keptLogs)] {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}
