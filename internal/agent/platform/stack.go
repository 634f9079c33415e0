//go:build !windows

package platform

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/proxy"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// keptLogs is how many swaps' and tasks' logs a slot keeps.
const keptLogs = 40

// stack is one running copy of a release, in one seat.
type stack struct {
	s      *slot
	swapID string

	mu        sync.Mutex
	spec      target.StackSpec
	instances map[string]*instance // by "component/index"
	front     *proxy.Proxy
}

func (s *slot) newStack(spec target.StackSpec) *stack {
	return &stack{s: s, swapID: spec.SwapID, spec: spec, instances: map[string]*instance{}}
}

// id is what the front door calls the stack.
func (st *stack) id() string { return st.s.id.Name + "/" + st.swapID }

// run starts and ends instances until they are as many as asked, taking over those that
// were remembered. It returns when the new ones were started or found and probed once, and
// those in surplus are gone.
func (st *stack) run(ctx context.Context, remembered map[string]*instanceFile) {
	st.mu.Lock()
	wanted := map[string]bool{}
	var begun, ending sync.WaitGroup
	for name, c := range st.spec.Definition.Components {
		n := st.spec.Capacity[name]
		if c.Worker() && st.spec.HoldWorkers {
			n = 0
		}
		for index := 1; index <= n; index++ {
			key := name + "/" + strconv.Itoa(index)
			wanted[key] = true
			if st.instances[key] == nil {
				i := newInstance(st, name, index)
				st.instances[key] = i
				begun.Go(func() { i.start(ctx, remembered[key]) })
			}
		}
	}
	for key, i := range st.instances {
		if !wanted[key] {
			ending.Go(func() {
				// Begun it is finished, whatever becomes of who asked: one whose life has ended
				// is started by nobody again.
				if err := i.stop(context.WithoutCancel(ctx)); err != nil {
					st.s.e.p.log.Error("an instance did not stop", "instance", i.name(), "error", err)
					return
				}
				st.mu.Lock()
				delete(st.instances, key)
				st.mu.Unlock()
			})
		}
	}
	// What was remembered and is wanted no more still runs.
	for key, file := range remembered {
		if !wanted[key] {
			ending.Go(func() { st.s.sweep(ctx, key, st.spec.Color, file) })
		}
	}
	st.mu.Unlock()
	begun.Wait()
	ending.Wait()
}

// change changes the stack in place.
func (st *stack) change(ctx context.Context, spec target.StackSpec) error {
	st.mu.Lock()
	st.spec = spec
	front := st.front
	st.mu.Unlock()
	st.run(ctx, nil)
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
	st.mu.Lock()
	d := st.spec.Definition.Expand()
	st.mu.Unlock()
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
	out := target.StackStatus{Spec: st.spec}
	front := st.front
	st.mu.Unlock()
	for _, i := range st.all() {
		out.Instances = append(out.Instances, i.status())
	}
	if front != nil {
		out.InFlight = int(front.Stats(st.id()).InFlight)
	}
	return out
}

// stop ends every instance and returns when all are gone.
func (st *stack) stop(ctx context.Context) error {
	instances := st.all()
	errs := make([]error, len(instances))
	var wg sync.WaitGroup
	for n, i := range instances {
		wg.Go(func() { errs[n] = i.stop(ctx) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// release stops looking after the instances and leaves them running.
func (st *stack) release() {
	for _, i := range st.all() {
		i.release()
	}
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
