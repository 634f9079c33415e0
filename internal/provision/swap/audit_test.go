package swap_test

import (
	"context"
	"errors"
	"maps"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/memtarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/swap"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// maxLooks is how many observations no run may need.
const maxLooks = 2000

// auditor holds every effect against the promises of a swap, whichever run does it and
// however that run ends. What it knows is what it saw, not what a journal says.
type auditor struct {
	*world
	tasks  map[string]target.TaskSpec
	proven map[string]bool // the stacks that have served, by swap id
}

func newAuditor(w *world) *auditor {
	return &auditor{world: w, tasks: map[string]target.TaskSpec{}, proven: map[string]bool{}}
}

// of puts a client under audit. Changed, if any, is called after each call that may have
// changed something.
func (a *auditor) of(client *memtarget.Target, changed func()) swap.Driver {
	return &audited{Target: client, auditor: a, changed: changed}
}

// fork is an auditor that knows the same, for a fork of the world.
func (a *auditor) fork(w *world) *auditor {
	return &auditor{world: w, tasks: maps.Clone(a.tasks), proven: maps.Clone(a.proven)}
}

// audited is one client under audit.
type audited struct {
	*memtarget.Target
	auditor *auditor
	changed func()
	looks   int
	began   bool
	lost    bool
}

// effect does an effect and holds its result against what no effect may do.
func (d *audited) effect(what string, do func() error) error {
	a := d.auditor
	a.Helper()
	if d.lost {
		a.Errorf("%s: an effect after the lease was lost", what)
	}
	answered := a.serving()
	err := do()
	switch {
	case errors.Is(err, target.ErrLeaseLost):
		d.lost = true
	case errors.Is(err, target.ErrServing), errors.Is(err, target.ErrInvalid), errors.Is(err, target.ErrConflict) && what != "Serve":
		a.Errorf("%s: %v", what, err)
	}
	if answered != "" && a.serving() == "" {
		seen := a.observe() // what still serves may have lost its health by itself
		if release := seen.Stacks[seen.Serving].Spec.Definition.Release; release != answered {
			a.Errorf("%s: nothing answers at the front door any more: release %q did, now %q should", what, answered, release)
		}
	}
	if d.changed != nil {
		d.changed()
	}
	return err
}

func (d *audited) AcquireLease(ctx context.Context, id target.SlotID, token, holder string, ttl time.Duration) (target.Lease, error) {
	l, err := d.Target.AcquireLease(ctx, id, token, holder, ttl)
	if d.changed != nil && !d.began { // a heartbeat changes nothing but its own lease
		d.began = true
		d.changed()
	}
	return l, err
}

func (d *audited) PutSlot(ctx context.Context, r target.SlotRecord, l target.Lease) (out target.SlotRecord, err error) {
	err = d.effect("PutSlot", func() error {
		out, err = d.Target.PutSlot(ctx, r, l)
		return err
	})
	return out, err
}

func (d *audited) DeleteSlot(ctx context.Context, id target.SlotID, l target.Lease) error {
	err := d.Target.DeleteSlot(ctx, id, l)
	if d.changed != nil {
		d.changed()
	}
	return err
}

// checkWorkers wants the workers of one stack at most.
func (a *auditor) checkWorkers(when string) {
	a.Helper()
	working := ""
	for c, st := range a.observe().Stacks {
		for _, i := range st.Instances {
			if !i.Running || !st.Spec.Definition.Components[i.Component].Worker() {
				continue
			}
			if working != "" && working != string(c) {
				a.Errorf("%s: the workers of both stacks run", when)
			}
			working = string(c)
		}
	}
}

func (d *audited) Observe(ctx context.Context, id target.SlotID) (target.Observation, error) {
	if d.looks++; d.looks > maxLooks {
		d.auditor.Fatalf("the run does not end: after %d looks it is in %q", maxLooks, d.auditor.phases())
	}
	return d.Target.Observe(ctx, id)
}

func (d *audited) PutStack(ctx context.Context, s target.StackSpec, l target.Lease) error {
	err := d.effect("PutStack", func() error { return d.Target.PutStack(ctx, s, l) })
	d.auditor.checkWorkers("PutStack")
	return err
}

func (d *audited) PutTask(ctx context.Context, t target.TaskSpec, l target.Lease) error {
	return d.effect("PutTask", func() error {
		if t.Kind == target.TaskTest {
			d.auditor.tasks[d.auditor.observe().Stacks[t.Color].Spec.SwapID+t.Key] = t
		} else {
			d.auditor.tasks[d.auditor.record().Swap.ID+t.Key] = t
		}
		return d.Target.PutTask(ctx, t, l)
	})
}

func (d *audited) DeleteTask(ctx context.Context, id target.SlotID, key string, l target.Lease) error {
	return d.effect("DeleteTask", func() error { return d.Target.DeleteTask(ctx, id, key, l) })
}

// DeleteStack must not remove what served and could serve again, but for a reason.
func (d *audited) DeleteStack(ctx context.Context, id target.SlotID, c target.Color, l target.Lease) error {
	return d.effect("DeleteStack", func() error {
		a := d.auditor
		before, rec := a.observe(), a.record()
		st := before.Stacks[c]
		if w := rec.Swap; a.proven[st.Spec.SwapID] && healthy(st) {
			same := w.Release == st.Spec.Definition.Release && w.Fingerprint == st.Spec.Fingerprint
			overdue := st.RetireAt != nil && !before.At.Before(*st.RetireAt)
			superseded := w.Phase == target.PhasePreparing && w.To == c && !same
			rolledBack := w.Phase == target.PhaseRollingBack && w.To == c
			unwanted := w.Phase == target.PhaseSwitching && w.From == c && rec.Asked.Policy.FallbackWindowSeconds == 0
			replaced := w.Phase == target.PhasePreparing && w.To == c && w.Steps[0].Note == "the fallback is not healthy"
			if !overdue && !superseded && !rolledBack && !unwanted && !replaced {
				a.Errorf("the fallback, release %s, was removed in phase %s", st.Spec.Definition.Release, w.Phase)
			}
		}
		return d.Target.DeleteStack(ctx, id, c, l)
	})
}

// RetireStack must leave a fallback its whole window.
func (d *audited) RetireStack(ctx context.Context, id target.SlotID, c target.Color, at *time.Time, l target.Lease) error {
	return d.effect("RetireStack", func() error {
		a := d.auditor
		if st := a.observe().Stacks[c]; a.proven[st.Spec.SwapID] && at != nil {
			served := a.Target.Log(memtarget.Served)
			end := served[len(served)-1].At.Add(time.Duration(a.record().Asked.Policy.FallbackWindowSeconds) * time.Second)
			if at.Before(end) {
				a.Errorf("the fallback, release %s, is to be retired at %s, before %s", st.Spec.Definition.Release, at, end)
			}
		}
		return d.Target.RetireStack(ctx, id, c, at, l)
	})
}

// Serve must move the traffic only to what passed every gate for exactly what is asked, or
// back to what served before.
func (d *audited) Serve(ctx context.Context, id target.SlotID, c target.Color, drain time.Duration, l target.Lease) (s target.Switched, err error) {
	err = d.effect("Serve", func() (err error) {
		a := d.auditor
		before := a.observe()
		if st := before.Stacks[c]; before.Serving != c && !a.proven[st.Spec.SwapID] {
			a.checkPassed(before, st)
		}
		s, err = d.Target.Serve(ctx, id, c, drain, l)
		if st := a.observe(); st.Serving == c {
			a.proven[st.Stacks[c].Spec.SwapID] = true
		}
		return err
	})
	d.auditor.checkWorkers("Serve")
	return s, err
}

func (a *auditor) checkPassed(before target.Observation, st target.StackStatus) {
	a.Helper()
	asked := a.record().Asked.Definition.Expand()
	if st.Spec.Definition.Release != asked.Release || !target.Same(st.Spec.Definition.Expand().Components, asked.Components) {
		a.Errorf("release %s is to serve, asked is %s, or its components differ", st.Spec.Definition.Release, asked.Release)
	}
	for _, t := range []*target.Task{asked.Migrate, asked.TestSuite} {
		passed := t == nil
		for key, status := range before.Tasks {
			spec, known := a.tasks[st.Spec.SwapID+key]
			passed = passed || known && target.Same(spec.Task, t) && status.ExitCode != nil && *status.ExitCode == 0
		}
		if !passed {
			a.Errorf("release %s is to serve, and %q has not passed for it", asked.Release, t.Command)
		}
	}
}

// healthy says that a stack could take the traffic: the judgement of a load balancer.
func healthy(st target.StackStatus) bool {
	for name, c := range st.Spec.Definition.Components {
		well := 0
		for _, i := range st.Of(name) {
			if i.Healthy {
				well++
			}
		}
		if !c.Worker() && well < max(1, st.Spec.Capacity[name]) {
			return false
		}
	}
	return len(st.Spec.Definition.Components) > 0
}
