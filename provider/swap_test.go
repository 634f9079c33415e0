package provider_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/memtarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
	"github.com/slipway-platform/terraform-provider-slipway/provider"
)

// interrupting is a clock in whose first pause of which when is true somebody presses Ctrl-C.
type interrupting struct {
	*wait.Fake
	mu     sync.Mutex
	when   func() bool
	cancel context.CancelFunc
}

// Sleep lets the interrupt reach ctx, if it is one that ends with the asker's.
func (c *interrupting) Sleep(ctx context.Context, d time.Duration) error {
	if c.strikes() {
		c.cancel()
		reached, done := context.WithTimeout(ctx, time.Second)
		<-reached.Done()
		done()
	}
	return c.Fake.Sleep(ctx, d)
}

func (c *interrupting) strikes() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.when == nil || !c.when() {
		return false
	}
	c.when = nil
	return true
}

// interrupt applies p and cancels it in the first pause in which when says so.
func (w *world) interrupt(l *lab, c *interrupting, p plan, when func() bool) (object, diagnostics) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	defer cancel()
	c.mu.Lock()
	c.when, c.cancel = when, cancel
	c.mu.Unlock()
	return l.applyWith(ctx, p)
}

// TestAnInterruptedUpdateGoesOnWhereItWas interrupts one while it waits for the environment.
func TestAnInterruptedUpdateGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l, clock := w.interruptible()
	o := l.everything()["environment"]
	w.HinderEnvironment(acme.Environment, "the door is shut", false)
	o, _ = l.read(o)
	o, d := w.interrupt(l, clock, l.plan(o, anEnvironment()), func() bool { return true })
	if said := d.String(); !d.errors() || !strings.Contains(said, "by Ctrl-C") || !strings.Contains(said, "the door is shut") || !strings.Contains(said, "goes on from there") || strings.Contains(said, "context canceled") {
		t.Errorf("got %s", d)
	}
	w.HinderEnvironment(acme.Environment, "", false)
	l.empty(l.changed(o, anEnvironment()), anEnvironment())
}

func (w *world) interruptible() (*lab, *interrupting) {
	c := &interrupting{Fake: w.clock}
	return w.lab(nil, provider.WithClock(c)), c
}

// served says that a release has taken the traffic.
func (w *world) served(release string) func() bool {
	return func() bool {
		log := w.ServedLog(oms)
		return len(log) > 0 && log[len(log)-1] == release
	}
}

// TestCreateThatFailsPastItsCommitPointKeepsTheSlot loses the answer of each change in turn
// and interrupts the create in the pause that follows, if the traffic is switched by then.
func TestCreateThatFailsPastItsCommitPointKeepsTheSlot(t *testing.T) {
	t.Parallel()
	config := with(aSlot(), map[string]any{"deletion_protection": true})
	kept := 0
	for n := 1; ; n++ {
		w := newWorld(t)
		l, clock := w.interruptible()
		l.made("region", aRegion())
		l.made("environment", anEnvironment())
		p := l.plan(l.nothing("deployment_slot"), config)
		struck := w.Struck()
		w.FailChange(n, memtarget.LoseAnswer)
		o, d := w.interrupt(l, clock, p, w.served("1"))
		switch {
		case w.Struck() == struck:
			if kept == 0 {
				t.Error("no create was interrupted past its commit point")
			}
			return
		case !w.served("1")():
			continue
		case d.errors():
			t.Fatalf("change %d: %s", n, d)
		case len(d) == 0:
			continue
		}
		kept++
		if !strings.Contains(d.String(), "The release has taken the traffic") || at(o.state, "live.release") != "1" {
			t.Errorf("change %d: live is %v: %s", n, at(o.state, "live.release"), d)
		}
		l.configure()
		o, d = l.read(o)
		p = l.plan(o, config)
		left := at(o.state, "phase") != "live" // what was lost may have been the last answer
		if (at(p.planned, "phase") == unknown{}) != left || len(d)+len(p.diags) > 0 || p.replace != nil {
			t.Fatalf("change %d: work left: %v, and the plan does not say so: %s %s, replace %v", n, left, d, p.diags, p.replace)
		}
		if o, d = l.apply(p); at(o.state, "phase") != "live" || len(d) > 0 {
			t.Errorf("change %d: the next apply ends in phase %v: %s", n, at(o.state, "phase"), d)
		}
		l.empty(o, config)
		if got := fmt.Sprint(w.ServedLog(oms)); got != "[1]" {
			t.Errorf("change %d: served %s, want [1]", n, got)
		}
	}
}

// A create that is stopped is tainted: the next apply does not go on with it.
func TestCreateThatIsInterruptedSaysWhatTheNextApplyDoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l, clock := w.interruptible()
	l.made("region", aRegion())
	l.made("environment", anEnvironment())
	w.Script("api", "1", memtarget.Behaviour{HealthyIn: 10 * time.Second})
	_, d := w.interrupt(l, clock, l.plan(l.nothing("deployment_slot"), aSlot()), func() bool { return w.slot().Phase() == target.PhaseVerifying })
	if s := d.String(); !d.errors() || !strings.Contains(s, "terraform untaint") || strings.Contains(s, "Apply again") || strings.Contains(s, "goes on from there") {
		t.Errorf("got %s", d)
	}
}

// empty fails the test unless a refresh and a plan find nothing to change.
func (l *lab) empty(o object, config map[string]any) object {
	l.t.Helper()
	l.configure()
	o, d := l.read(o)
	p := l.plan(o, config)
	if diffs, err := p.planned.Diff(o.state); len(diffs) > 0 || err != nil || len(d)+len(p.diags) > 0 {
		l.t.Errorf("the plan is not empty: %v %s %s", diffs, d, p.diags)
	}
	return o
}

func TestUpdateThatIsInterrupted(t *testing.T) {
	t.Parallel()
	second := with(aSlot(), map[string]any{"release": "2"})
	for name, c := range map[string]struct {
		when         func(w *world) func() bool
		release      string
		wantReleases string
		wantWork     bool
	}{
		"before the switch removes the candidate and leaves the state": {
			func(w *world) func() bool { return func() bool { return w.slot().Phase() == target.PhaseVerifying } }, "1", "[1 2]", false,
		},
		"after the switch leaves the work to the next apply": {
			func(w *world) func() bool { return w.served("2") }, "2", "[1 2]", true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			l, clock := w.interruptible()
			o := l.everything()["deployment_slot"]
			w.Script("api", "2", memtarget.Behaviour{HealthyIn: 10 * time.Second})
			p := l.plan(o, second)
			w.LagFrontDoor(oms, 5)
			o, d := w.interrupt(l, clock, p, c.when(w))
			if !d.errors() || !strings.Contains(d.String(), "interrupted") {
				t.Fatalf("got %s", d)
			}
			if at(o.state, "release") != c.release || at(o.state, "live.release") != c.release {
				t.Errorf("state has release %v, live %v, want %q", at(o.state, "release"), at(o.state, "live.release"), c.release)
			}
			l.configure()
			o, _ = l.read(o)
			if same := l.plan(o, with(aSlot(), map[string]any{"release": c.release})); (at(same.planned, "phase") == unknown{}) != c.wantWork {
				t.Errorf("work left: %v, want %v", !c.wantWork, c.wantWork)
			}
			o = l.changed(o, second)
			if at(o.state, "phase") != "live" || at(o.state, "live.release") != "2" {
				t.Errorf("ended in phase %v", at(o.state, "phase"))
			}
			if got := fmt.Sprint(w.ServedLog(oms)); got != c.wantReleases {
				t.Errorf("served %s, want %s", got, c.wantReleases)
			}
		})
	}
}

func TestKilledApplyIsFinishedByTheNext(t *testing.T) {
	t.Parallel()
	second := with(aSlot(), map[string]any{"release": "2", "migrate": map[string]any{"command": []any{"migrate"}}})
	ended := false
	for n := 1; !ended; n++ {
		if n > 500 {
			t.Fatal("the swap never ends without the fault striking")
		}
		w := newWorld(t)
		l := w.lab(nil)
		o := l.everything()["deployment_slot"]
		struck := w.Struck()
		w.FailChange(n, memtarget.KillAfter)
		_, d := l.apply(l.plan(o, second))
		if ended = w.Struck() == struck; ended {
			break
		}
		if !d.errors() {
			t.Fatalf("killed at change %d: no error", n)
		}
		w.Revive()
		w.clock.Advance(10 * time.Minute) // the lease of the dead runs out
		l.configure()
		o, d = l.read(o)
		if len(d) > 0 {
			t.Fatalf("killed at change %d: read: %s", n, d)
		}
		o = l.changed(o, second)
		if at(o.state, "live.release") != "2" || at(o.state, "phase") != "live" {
			t.Fatalf("killed at change %d: phase %v", n, at(o.state, "phase"))
		}
		l.empty(o, second)
	}
}

func TestChangesThatNeedNoSwapHappenInPlace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.lab(nil)
	o, config := l.everything()["deployment_slot"], aSlot()
	api := func(changes map[string]any) map[string]any { return set{"api": with(aComponent(), changes)} }
	for _, change := range []map[string]any{
		{"components": api(set{"routes": []any{set{}, set{"host": "*", "path_prefix": "/api"}}})},
		{"components": api(set{"scaling": set{"min": 2, "max": 3}})},
		{"components": api(set{"scaling": set{"min": 2}})},
		{"components": api(set{"scaling": set{"max": 3, "target_concurrent_requests": 5}})},
		{"components": api(set{"scaling": set{"max": 3, "target_cpu_percent": 50, "schedules": []any{weekday(set{}), weekday(set{"days": []any{"sat", "mon"}, "min": 3, "time_zone": "Europe/Berlin"})}}})},
		{"components": api(set{"scaling": set{"max": 3, "schedules": []any{weekday(set{"min": 3})}}})},
		{"components": api(nil)},
		{"test_suite": set{"command": []any{"another-suite"}}},
		{"test_suite": nil, "allow_untested": true},
		{"migrate": set{"command": []any{"migrate"}}},
		{"swap": set{"fallback_window_seconds": 0, "fallback_until_next_release": true, "start_timeout_seconds": 60, "minimum_healthy_seconds": 1, "drain_seconds": 0}},
		{"swap": set{"steps": []any{set{"percent": 1, "hold_seconds": 5}, set{"percent": 50, "hold_seconds": 0}}, "sticky_by": "account"}},
		{"swap": set{"steps": []any{set{"percent": 10, "hold_seconds": 5}}, "sticky_by": "client", "bake_seconds": 0, "on_too_few_requests": "roll_back"}},
		{"swap": set{"guardrails": set{"max_error_percent": 0.1, "max_error_percent_over_old": 1.5, "max_p99_milliseconds": 500, "max_p99_ratio": 1.25, "window_seconds": 5, "minimum_requests": 1}}},
		{"swap": set{"guardrails": set{"max_p99_milliseconds": 500}}},
		{"swap": set{"guardrails": set{}}},
		{"swap": set{"approval": "manual", "approval_timeout_seconds": 60, "waiting_capacity_percent": 50}, "approved_release": "1"},
		{"approved_release": "2"},
		{"approved_release": nil},
		{"swap": set{}, "tags": set{"a": "b"}},
		{"swap": nil},
		{"retry": 1},
		{"deletion_protection": true},
		{"deletion_protection": false},
	} {
		config = with(config, change)
		o = l.empty(l.changed(o, config), config)
		if again, d := l.imported("deployment_slot", o.id(), nil); len(d) > 0 || !again.state.Equal(o.state) {
			t.Errorf("after %v an import finds something else: %s", change, d)
		}
	}
	if got := fmt.Sprint(w.ServedLog(oms)); got != "[1]" {
		t.Errorf("served %s, want [1]: nothing of this may start a swap", got)
	}
}

func TestSwapThatFailsBeforeTheSwitchKeepsTheState(t *testing.T) {
	t.Parallel()
	api := func(command string) map[string]any {
		return set{"api": with(aComponent(), set{"command": []any{command}})}
	}
	for name, c := range map[string]struct {
		change map[string]any
		want   string
	}{
		"the candidate never gets healthy": {set{"components": api(memtarget.ProgramNeverHealthy)}, "not ready yet"},
		"the candidate flaps":              {set{"components": api(memtarget.ProgramFlaps)}, `component "api"`},
		"the candidate crashes":            {set{"components": api(memtarget.ProgramCrashes)}, "this program crashes"},
		"the command does not exist":       {set{"components": api(memtarget.ProgramMissing)}, "does not exist"},
		"the test suite fails":             {set{"test_suite": set{"command": []any{memtarget.ProgramExit, "3"}}}, "exit 3"},
		"the test suite hangs":             {set{"test_suite": set{"command": []any{memtarget.ProgramHangs}, "timeout_seconds": 5}}, "inconclusive"},
		"the test suite is killed":         {set{"test_suite": set{"command": []any{memtarget.ProgramKilled}}}, "inconclusive"},
		"the migration fails":              {set{"migrate": set{"command": []any{memtarget.ProgramExit, "1"}}}, "migration"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			l := w.lab(nil)
			o := l.everything()["deployment_slot"]
			config := with(with(aSlot(), set{"release": "2", "retry": 7}), c.change)
			first := l.plan(o, config)
			got, d := l.apply(first)
			if !d.errors() || !strings.Contains(d.String(), c.want) || !strings.Contains(d.String(), "Release 1") {
				t.Errorf("got %s, want %q and what is true now in it", d, c.want)
			}
			read, _ := l.read(got)
			if diffs, err := got.state.Diff(read.state); len(diffs) > 0 || err != nil {
				t.Errorf("stored is not what a read returns: %v", diffs)
			}
			for _, path := range []string{"release", "components", "test_suite", "migrate", "live"} {
				if was, is := fmt.Sprint(parts(o.state)[path]), fmt.Sprint(parts(got.state)[path]); was != is {
					t.Errorf("%s changed from %s to %s", path, was, is)
				}
			}
			if at(got.state, "phase") != "failed" || at(got.state, "last_swap.reason") == nil {
				t.Errorf("phase is %v", at(got.state, "phase"))
			}
			l.configure()
			again := l.plan(read, config)
			if at(again.planned, "release") != "2" {
				t.Error("the next plan does not show the same change")
			}
			l.configure()
			back := l.plan(read, with(aSlot(), set{"retry": 7}))
			if diffs, err := back.planned.Diff(read.state); len(diffs) > 0 || err != nil {
				t.Errorf("taking the change back leaves %v", diffs)
			}
		})
	}
}

func TestFallbackThatIsRetiredInTimeIsNoChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.lab(nil)
	config := with(aSlot(), set{"release": "2"})
	o := l.changed(l.everything()["deployment_slot"], config)
	if at(o.state, "fallback.release") != "1" {
		t.Fatalf("the fallback is %v", at(o.state, "fallback.release"))
	}
	l.empty(o, config)
	w.clock.Advance(time.Hour)
	o = l.empty(o, config)
	if got := at(o.state, "fallback.release"); got != nil {
		t.Errorf("the fallback is %v an hour later", got)
	}
}

// negligent is a target that does not retire what is overdue by its own clock.
type negligent struct {
	*memtarget.Target
	late time.Duration
}

func (n negligent) Observe(ctx context.Context, id target.SlotID) (target.Observation, error) {
	o, err := n.Target.Observe(ctx, id)
	o.At = o.At.Add(n.late)
	return o, err
}

func TestFallbackThatOutlivesItsDeadlineIsCleanedUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.lab(nil)
	config := with(aSlot(), set{"release": "2"})
	o := l.changed(l.everything()["deployment_slot"], config)
	l.empty(o, config)

	l = w.lab(nil, provider.WithDriver(func(provider.Settings) (target.Driver, error) { return negligent{w.Target, time.Hour}, nil }))
	o, _ = l.read(o)
	p := l.plan(o, config)
	if at(p.planned, "fallback") != (unknown{}) || len(p.diags) > 0 {
		t.Fatalf("the plan does not show the overdue fallback: %s", p.diags)
	}
	o, d := l.apply(p)
	if got := at(o.state, "fallback.release"); got != nil || len(d) > 0 {
		t.Errorf("the fallback is %v after the apply: %s", got, d)
	}
	l.empty(o, config)
	if got := fmt.Sprint(w.ServedLog(oms)); got != "[1 2]" {
		t.Errorf("served %s, want [1 2]", got)
	}
}

func TestHeldLeaseNamesItsHolder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.lab(nil)
	o := l.everything()["deployment_slot"]
	if _, err := w.AcquireLease(t.Context(), oms, "token", "ann (laptop, process 1)", time.Hour); err != nil {
		t.Fatal(err)
	}
	p := l.plan(o, with(aSlot(), map[string]any{"release": "2"}))
	same, d := l.apply(p)
	if !d.errors() || !strings.Contains(d.String(), "ann (laptop, process 1)") || !same.state.Equal(o.state) {
		t.Errorf("got %s", d)
	}
}

// What an apply waited for in vain is waited for by the next one too.
func TestChangeInPlaceThatFailedIsPlannedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.lab(nil)
	o := l.everything()["deployment_slot"]
	w.Script("api", "1", memtarget.Behaviour{HealthyIn: 1000 * time.Hour})
	wider := with(aSlot(), components("api", set{"scaling": set{"min": 2}}))
	for range 2 {
		p := l.plan(o, wider)
		if at(p.planned, "phase") != (unknown{}) {
			t.Fatal("nothing is planned")
		}
		failed, d := l.apply(p)
		if !d.errors() {
			t.Fatal("the apply succeeds without a healthy instance")
		}
		l.configure()
		o, _ = l.read(failed)
	}
	w.Script("api", "1", memtarget.Behaviour{})
	o = l.changed(o, wider)
	l.empty(o, wider)
}
