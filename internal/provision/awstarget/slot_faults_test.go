package awstarget_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget/awstest"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// TestASlotSurvivesEveryFault lets each call of a slot's life fail once in each way, repeats what
// was asked until it succeeds, and counts what is there.
func TestASlotSurvivesEveryFault(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	r := l.try(t, wait.NewFake(time.Now()), time.Second)
	e := production(t, r)
	for _, fault := range awstest.Faults {
		t.Run(fault.String(), func(t *testing.T) {
			(&life{T: t, lab: l, trial: r, id: target.SlotID{Environment: e, Name: "shop"}, fault: fault}).live()
			if got := words(l.running(t, home)); got != "[]" {
				t.Errorf("left: %s", got)
			}
		})
	}
	t.Run("an end that is put off too late", func(t *testing.T) {
		(&life{T: t, lab: l, trial: r, id: target.SlotID{Environment: e, Name: "shop"}}).endedTooEarly()
	})
	t.Run("a switch that is interrupted as it begins", func(t *testing.T) {
		(&life{T: t, lab: l, trial: r, id: target.SlotID{Environment: e, Name: "shop"}}).interruptedEarly()
	})
	t.Run("what AWS tells late", func(t *testing.T) { (&late{T: t, lab: l, id: target.SlotID{Environment: e, Name: "batch"}}).live() })
}

// life is that of a slot.
type life struct {
	*testing.T
	*lab
	*trial
	id    target.SlotID
	fault awstest.Fault
	lease target.Lease
}

// do does something until it succeeds.
func (f *life) do(what func(context.Context) error) {
	f.Helper()
	if err := f.untilDone(f.Context(), f.fault, what); err != nil {
		f.Fatal(err)
	}
}

func (f *life) live() {
	f.Helper()
	f.do(func(ctx context.Context) (err error) {
		f.lease, err = f.AcquireLease(ctx, f.id, "token", "me", 1000*time.Hour)
		return err
	})
	put := func(s target.StackSpec) {
		f.Helper()
		f.do(func(ctx context.Context) error { return f.PutStack(ctx, s, f.lease) })
	}
	blue, green := stackOf(shop(f.id.Environment, "1"), target.Blue), stackOf(shop(f.id.Environment, "2"), target.Green)
	for _, s := range []target.StackSpec{blue, green} {
		put(s)
		f.healthy(s.Color)
	}
	task := target.TaskSpec{Key: "suite", Kind: target.TaskTest, Slot: f.id, Color: target.Green, Release: "2", Task: apps{}.TaskHangs()}
	f.do(func(ctx context.Context) error { return f.PutTask(ctx, task, f.lease) })
	for _, to := range []target.Traffic{{Color: target.Blue}, {Color: target.Blue, Percent: 20}, {Color: target.Green}} {
		f.do(func(ctx context.Context) error { return second(f.SetTraffic(ctx, f.id, to, time.Second, f.lease)) })
		var obs target.Observation
		f.do(func(ctx context.Context) (err error) { obs, err = f.Observe(ctx, f.id); return err })
		if obs.Serving != to.Color || obs.Percent != to.Percent {
			f.Fatalf("%q serves but for %d percent, want %+v", obs.Serving, obs.Percent, to)
		}
	}
	f.changedInPlace(green, put)
	retire := func(at *time.Time) {
		f.Helper()
		f.do(func(ctx context.Context) error { return f.RetireStack(ctx, f.id, target.Blue, at, f.lease) })
	}
	at := time.Now().Add(2000 * time.Hour)
	retire(&at)
	later := at.Add(time.Hour)
	// While it is put off, it has an end, whenever a process dies.
	made := f.watched(func(ctx context.Context) error { return f.RetireStack(ctx, f.id, target.Blue, &later, f.lease) })
	if put, deleted := strings.Index(made, "PutScheduledAction"), strings.Index(made, "DeleteScheduledAction"); put < 0 || deleted < put {
		f.Errorf("its end was taken away before it had another one: %s", made)
	}
	f.holds("[1 scheduled action 2 scalable target 2 service 2 target group 3 rule 3 task definition]")
	retire(nil)
	f.do(func(ctx context.Context) error { return f.DeleteTask(ctx, f.id, task.Key, f.lease) })
	if f.fault == awstest.FailBefore {
		f.givenUp(task)
	}
	f.do(func(ctx context.Context) error { return f.DeleteStack(ctx, f.id, target.Blue, f.lease) })
	// What serves must still be in a rule while ECS ends it: else that would not wait for requests under way.
	made = f.watched(func(ctx context.Context) error { return f.DeleteSlot(ctx, f.id, f.lease) })
	if service, rule := strings.LastIndex(made, "DeleteService"), strings.LastIndex(made, "DeleteRule"); service < 0 || rule < service {
		f.Errorf("its service was deleted when no rule led to it any more: %s", made)
	}
}

// ok wants no error.
func (f *life) ok(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// lend gives it the slot's lease.
func (f *life) lend() {
	f.Helper()
	var err error
	f.lease, err = f.AcquireLease(f.Context(), f.id, "token", "me", 1000*time.Hour)
	f.ok(err)
}

// endedTooEarly puts the end of a stack off when AWS has begun to end it: it lives on as large as before.
func (f *life) endedTooEarly() {
	f.Helper()
	f.lend()
	s := stackOf(shop(f.id.Environment, "1"), target.Blue)
	s.Definition.Components["worker"] = apps{}.Worker()
	s.Fingerprint, _ = s.Definition.Fingerprint(nil)
	f.ok(f.PutStack(f.Context(), s, f.lease))
	spoil := &spoiler{f.Context(), f.lab, f.T}
	// The scheduler comes to one component after the other.
	for n, end := range []func(*spoiler){rescaled("web", "blue", ended), rescaled("worker", "blue", ended)} {
		at := f.clock.Now().Add(time.Hour)
		f.ok(f.RetireStack(f.Context(), f.id, target.Blue, &at, f.lease))
		f.clock.Advance(time.Hour + time.Duration(n)*time.Minute)
		end(spoil)
		at = at.Add(10 * time.Hour)
		f.ok(f.RetireStack(f.Context(), f.id, target.Blue, &at, f.lease))
		for _, component := range []string{"web", "worker"} {
			if got := spoil.bounds(component, "blue"); got != "1 to 1" {
				f.Errorf("component %q is scaled from %s, want 1 to 1", component, got)
			}
		}
	}
	f.ok(f.DeleteSlot(f.Context(), f.id, f.lease))
}

// interruptedEarly interrupts a switch when it is noted and nothing has moved: the stack can be removed.
func (f *life) interruptedEarly() {
	f.Helper()
	f.lend()
	f.ok(f.PutStack(f.Context(), stackOf(shop(f.id.Environment, "1"), target.Blue), f.lease))
	f.healthy(target.Blue)
	ctx, cancel := context.WithCancel(f.Context())
	defer cancel()
	f.calls.Interrupts(cancel)
	f.calls.FailWith(func(c awstest.Call) bool { return strings.Contains(string(c.Body), `\"moving\":`) }, awstest.Interrupt)
	if _, err := f.SetTraffic(ctx, f.id, target.Traffic{Color: target.Blue}, time.Second, f.lease); err == nil {
		f.Error("the switch was made")
	}
	f.calls.FailAt(0, awstest.Interrupt)
	f.ok(f.DeleteStack(f.Context(), f.id, target.Blue, f.lease))
	f.ok(f.DeleteSlot(f.Context(), f.id, f.lease))
}

// watched does something, and returns the operations that it called, in order.
func (f *life) watched(what func(context.Context) error) string {
	f.Helper()
	var mu sync.Mutex
	var made []string
	f.calls.Watch(func(c awstest.Call) {
		mu.Lock()
		defer mu.Unlock()
		made = append(made, c.Operation)
	})
	f.do(what)
	f.calls.Watch(func(awstest.Call) {})
	return strings.Join(made, " ")
}

// givenUp looks at a task whose start has failed, once before and once after it took effect, and removes it:
// nothing is started for that, and nothing is left.
func (f *life) givenUp(task target.TaskSpec) {
	f.Helper()
	before := f.running(f.T, home)["task"]
	for _, fault := range []awstest.Fault{awstest.FailBefore, awstest.FailAfter} {
		task.Key = "given up, " + fault.String()
		f.calls.FailWith(func(c awstest.Call) bool { return c.Operation == "RunTask" }, fault)
		if err := f.PutTask(f.Context(), task, f.lease); err == nil {
			f.Errorf("%s: the task was started", fault)
		}
		f.calls.FailAt(0, fault)
		seen, err := f.Observe(f.Context(), f.id)
		if err != nil {
			f.Fatal(err)
		}
		if got, begun := seen.Tasks[task.Key], fault == awstest.FailAfter; got.Running != begun || (got.Problem == "") != begun {
			f.Errorf("%s: it is seen as %+v", fault, got)
		}
		if err := f.DeleteTask(f.Context(), f.id, task.Key, f.lease); err != nil {
			f.Fatal(err)
		}
		if slices.Contains(f.calls.Made(), "ecs RunTask") {
			f.Errorf("%s: a task was started in order to be looked at or removed", fault)
		}
		if got := f.running(f.T, home)["task"]; got != before {
			f.Errorf("%s: there are %d tasks, want %d", fault, got, before)
		}
	}
}

// changedInPlace gives what serves other routes and another scaling, and takes them back.
func (f *life) changedInPlace(s target.StackSpec, put func(target.StackSpec)) {
	f.Helper()
	answers := func(host string) {
		f.Helper()
		if release, status := f.request(f.T, host+"."+environment(nil, eu.Name, f.id.Environment.Name).DomainName, "/"); release != "2" {
			f.Errorf("at %s release %q answers with status %d", host, release, status)
		}
	}
	wider, web := s, s.Definition.Components["web"]
	web.Routes = append(slices.Clone(web.Routes), target.Route{Host: "store", PathPrefix: "/"})
	web.Scaling.TargetCPUPercent, web.Scaling.Schedules = 60, []target.Schedule{{From: "08:00", To: "18:00", Min: 1}}
	wider.Definition.Components = map[string]target.Component{"web": web}
	put(wider)
	f.holds("[1 scaling policy 2 scalable target 2 scheduled action 2 service 2 target group 3 task definition 5 rule]")
	answers("store")
	put(s)
	f.holds("[2 scalable target 2 service 2 target group 3 rule 3 task definition]")
	answers("shop")
}

// holds compares what the slot is made of but for its tasks.
func (f *life) holds(want string) {
	f.Helper()
	got := f.running(f.T, home)
	delete(got, "task")
	if words(got) != want {
		f.Errorf("there is %s\nwant %s", words(got), want)
	}
}

// stackOf asks for the stack of a slot's application, without its worker and its schedules.
func stackOf(s target.Slot, c target.Color) target.StackSpec {
	web := s.Definition.Components["web"]
	web.Scaling = target.Scaling{Min: 1, Max: 3}
	d := target.Definition{Release: s.Definition.Release, Components: map[string]target.Component{"web": web}}
	fingerprint, _ := d.Fingerprint(nil)
	return target.StackSpec{Slot: s.ID(), Color: c, SwapID: "swap to " + d.Release, Definition: d, Fingerprint: fingerprint}
}

// healthy waits until a stack's instances are, by the client's clock: it takes as health what it saw
// a moment ago by that.
func (f *life) healthy(c target.Color) {
	f.Helper()
	ctx, cancel := context.WithTimeout(f.Context(), 5*time.Minute)
	defer cancel()
	_, err := wait.Until(ctx, wait.Options{Clock: f.clock}, func(ctx context.Context) (sight, bool, error) {
		obs, err := f.Observe(ctx, f.id)
		all := obs.Stacks[c].Instances
		return "not yet", len(all) == 1 && all[0].Healthy, err
	})
	if err != nil {
		f.Fatal(err)
	}
}

// sight is what was seen last.
type sight string

func (w sight) String() string { return string(w) }
