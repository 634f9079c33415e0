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
	proven map[string]bool // the stacks that have had traffic, by swap id
	// approved are the releases that somebody promoted.
	approved map[string]bool
}

func newAuditor(w *world) *auditor {
	return &auditor{world: w, tasks: map[string]target.TaskSpec{}, proven: map[string]bool{}, approved: map[string]bool{}}
}

// of puts a client under audit. Changed, if any, is called after each call that may have
// changed something.
func (a *auditor) of(client *memtarget.Target, changed func()) swap.Driver {
	return &audited{Target: client, auditor: a, changed: changed}
}

// fork is an auditor that knows the same, for a fork of the world.
func (a *auditor) fork(w *world) *auditor {
	return &auditor{world: w, tasks: maps.Clone(a.tasks), proven: maps.Clone(a.proven), approved: maps.Clone(a.approved)}
}

// audited is one client under audit.
type audited struct {
	*memtarget.Target
	auditor *auditor
	changed func()
	looks   int
	began   bool
	begun   time.Time
	lost    bool
	// breach is the first one that this run could have measured of the swap that it is in.
	breach struct {
		swapID string
		at     time.Time
	}
}

// effect does an effect and holds its result against what no effect may do.
func (d *audited) effect(what string, do func() error) error {
	a := d.auditor
	a.Helper()
	if d.lost {
		a.Errorf("%s: an effect after the lease was lost", what)
	}
	before := a.observe()
	err := do()
	switch {
	case errors.Is(err, target.ErrLeaseLost):
		d.lost = true
	case errors.Is(err, target.ErrServing), errors.Is(err, target.ErrInvalid), errors.Is(err, target.ErrConflict) && what != "SetTraffic":
		a.Errorf("%s: %v", what, err)
	}
	if after := a.observe(); len(answering(before)) > 0 && len(answering(after)) == 0 {
		for _, c := range answering(before) {
			if !after.Carries(c) { // what still carries traffic may have lost its health by itself
				a.Errorf("%s: nothing answers at the front door any more: the %s stack did", what, c)
			}
		}
	}
	if d.changed != nil {
		d.changed()
	}
	return err
}

func (d *audited) AcquireLease(ctx context.Context, id target.SlotID, token, holder string, ttl time.Duration) (target.Lease, error) {
	l, err := d.Target.AcquireLease(ctx, id, token, holder, ttl)
	if err == nil && d.begun.IsZero() {
		d.begun = d.auditor.clock.Now()
	}
	if d.changed != nil && !d.began { // a heartbeat changes nothing but its own lease
		d.began = true
		d.changed()
	}
	return l, err
}

func (d *audited) PutSlot(ctx context.Context, r target.SlotRecord, l target.Lease) (out target.SlotRecord, err error) {
	err = d.effect("PutSlot", func() error {
		if w, before := r.Swap, d.auditor.record().Swap; w != nil && before != nil && before.Phase == target.PhaseWatching && w.Phase == target.PhaseLive {
			d.checkWatched(w, r.Asked.Policy.BakeSeconds)
		}
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

// PutRequest needs no lease, and changes something for whoever holds it.
func (d *audited) PutRequest(ctx context.Context, id target.SlotID, r target.Request) (target.Request, error) {
	r, err := d.Target.PutRequest(ctx, id, r)
	if d.changed != nil {
		d.changed()
	}
	return r, err
}

func (d *audited) DeleteRequest(ctx context.Context, id target.SlotID, requestID string, l target.Lease) error {
	return d.effect("DeleteRequest", func() error { return d.Target.DeleteRequest(ctx, id, requestID, l) })
}

// answering lists the seats that carry traffic and can answer.
func answering(seen target.Observation) []target.Color {
	var out []target.Color
	for c, st := range seen.Stacks {
		st.Spec.Capacity, st.Scale = nil, nil
		if seen.Carries(c) && healthy(st) {
			out = append(out, c)
		}
	}
	return out
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
	seen, err := d.Target.Observe(ctx, id)
	if err == nil {
		d.checkJudged(seen)
	}
	return seen, err
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
			unproven := rec.Passed[c].SwapID != st.Spec.SwapID // it had traffic and never passed its watch
			unwanted := w.Phase == target.PhaseWatching && w.From == c && (unproven || rec.Asked.Policy.FallbackWindowSeconds == 0)
			replaced := w.Phase == target.PhasePreparing && w.To == c && w.Steps[0].Note == "the fallback is not healthy"
			if !unproven && !overdue && !superseded && !rolledBack && !unwanted && !replaced {
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

// SetTraffic must give traffic only to what passed every gate for exactly what is asked, and
// in the share that the policy says, or to what served before.
func (d *audited) SetTraffic(ctx context.Context, id target.SlotID, t target.Traffic, drain time.Duration, l target.Lease) (s target.Switched, err error) {
	err = d.effect("SetTraffic", func() (err error) {
		a := d.auditor
		before := a.observe()
		for c, st := range before.Stacks {
			if carries(t, c) && !before.Carries(c) && !a.proven[st.Spec.SwapID] {
				a.checkPassed(before, st)
				a.checkApproved(st)
			}
		}
		d.checkShare(before, t)
		s, err = d.Target.SetTraffic(ctx, id, t, drain, l)
		after := a.observe()
		for c, st := range after.Stacks {
			if after.Carries(c) {
				a.proven[st.Spec.SwapID] = true
			}
		}
		return err
	})
	d.auditor.checkWorkers("SetTraffic")
	return s, err
}

func carries(t target.Traffic, c target.Color) bool { return c == t.Color || t.Percent > 0 }

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
			this := known && target.Same(spec.Task, t) && status.ExitCode != nil && *status.ExitCode == 0
			passed = passed || this
			if this && spec.Kind == target.TaskTest {
				a.checkTested(st, before.At, *status.EndedAt)
			}
		}
		if !passed {
			a.Errorf("release %s is to serve, and %q has not passed for it", asked.Release, t.Command)
		}
	}
}

// checkTested wants the instances that are to serve to be those that were tested. What
// changed at this very moment the machine may not have seen.
func (a *auditor) checkTested(st target.StackStatus, now, ended time.Time) {
	a.Helper()
	for _, i := range st.Of("api") {
		if since := i.HealthySince; since != nil && since.After(ended) && since.Before(now) {
			a.Errorf("release %s is to serve, and its instance %d is healthy since %s only, after the test", st.Spec.Definition.Release, i.Index, since)
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
