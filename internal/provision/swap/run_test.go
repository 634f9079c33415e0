package swap_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/memtarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/swap"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func TestAReleaseComesUpAndTakesTheTraffic(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mustRun("1")
	w.stands("blue 1")
	equal(t, "phases", w.phases(), "preparing migrating starting verifying testing switching watching live")
	w.mustRun("2")
	w.stands("green 2", "blue 1")
	equal(t, "the front door", w.serving(), "2")
	w.clock.Advance(window)
	w.stands("green 2")
	if last := w.record().Swap; last.SwitchedAt == nil || last.EndedAt == nil || last.LastOldAnswerAt == nil || last.By != "the test" || last.FromRelease != "1" {
		t.Errorf("the journal is incomplete: %+v", last)
	}
}

func TestNothingIsDoneWhereEverythingIsAsAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mustRun("1", "2")
	before := w.Target.Log()
	w.mustRun("2")
	if diff := cmp.Diff(before, w.Target.Log()); diff != "" {
		t.Errorf("events (-before +after):\n%s", diff)
	}
	equal(t, "generation", w.record().Meta.Generation, 2)
}

func TestTheOldStackStaysAsLongAsAsked(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*target.Slot)
		want   []string // right after the swap
		later  []string // a day later
	}{
		{"for the window", func(*target.Slot) {}, []string{"green 2", "blue 1"}, []string{"green 2"}},
		{"not at all where the window is zero", noFallback, []string{"green 2"}, []string{"green 2"}},
		{"until the next release", func(s *target.Slot) { s.Policy.FallbackUntilNextRelease = true }, []string{"green 2", "blue 1"}, []string{"green 2", "blue 1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.mustRun("1")
			w.ok(w.run(slot("2", c.change)))
			w.stands(c.want...)
			w.clock.Advance(24 * time.Hour)
			w.stands(c.later...)
			w.ok(w.run(slot("3", c.change)))
			equal(t, "the front door", w.serving(), "3")
		})
	}
}

func TestWhatDoesNotMakeAStackChangesInPlace(t *testing.T) {
	t.Parallel()
	api := func(change func(*target.Component)) func(*target.Slot) {
		return func(s *target.Slot) {
			c := s.Definition.Components["api"]
			change(&c)
			s.Definition.Components["api"] = c
		}
	}
	for _, c := range []struct {
		name   string
		change func(*target.Slot)
	}{
		{"scaling", api(func(c *target.Component) { c.Scaling.Min = 2 })},
		{"routes", api(func(c *target.Component) { c.Routes = append(c.Routes, target.Route{Host: "api", PathPrefix: "/"}) })},
		{"the test suite", suite("another suite")},
		{"the migration", migrate("another migration")},
		{"no test suite any more", func(s *target.Slot) { s.Definition.TestSuite, s.Definition.AllowUntested = nil, true }},
		{"the policy", func(s *target.Slot) { s.Policy.FallbackWindowSeconds = 1; s.Policy.DrainSeconds = 9 }},
		{"deletion protection", func(s *target.Slot) { s.DeletionProtection = true }},
		{"tags", func(s *target.Slot) { s.Tags = map[string]string{"team": "orders"} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.mustRun("1", "2")
			before, events := w.observe(), len(w.Target.Log())
			asked := slot("2", c.change)
			w.ok(w.run(asked))
			w.stands("green 2", "blue 1")
			after, rec := w.observe(), w.record()
			equal(t, "events", len(w.Target.Log()), events)
			equal(t, "phases", w.phases(), "preparing migrating starting verifying testing switching watching live")
			if diff := cmp.Diff(asked, rec.Asked); diff != "" {
				t.Errorf("asked (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(asked.Definition, after.Stacks[target.Green].Spec.Definition); diff != "" {
				t.Errorf("the serving stack's definition (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(before.Stacks[target.Blue].Spec, after.Stacks[target.Blue].Spec); diff != "" {
				t.Errorf("the fallback (-before +after):\n%s", diff)
			}
			if !after.Stacks[target.Blue].RetireAt.Equal(*before.Stacks[target.Blue].RetireAt) {
				t.Error("the fallback's deadline moved")
			}
			equal(t, "instances", len(after.Stacks[target.Green].Of("api")), asked.Definition.Components["api"].Scaling.Min)
			equal(t, "generation", rec.Meta.Generation, 3)
		})
	}
}

// The candidate comes up as large as what serves is under its load, both keep their size
// until the watch is over, the fallback for its whole window, and then load counts again.
func TestTheCandidateComesUpWithTheSizeOfWhatServes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	baking := func(s *target.Slot) { s.Policy.BakeSeconds = 30 }
	api := func(c target.Color) int { return len(w.observe().Stacks[c].Of("api")) }
	w.mustRun("1")
	w.ScriptLoad("api", "1", 3)
	equal(t, "instances under load", api(target.Blue), 3)
	sizes := map[target.Phase][2]int{}
	changed := func() {
		if s := w.record().Swap; s != nil && sizes[s.Phase] == [2]int{} { // at its beginning
			sizes[s.Phase] = [2]int{api(target.Blue), api(target.Green)}
		}
	}
	relieve := w.when(target.PhaseWatching, func() { w.ScriptLoad("", "", 0) })
	w.ok(w.machineOn(w.Client(), func() { relieve(); changed() }).Run(t.Context(), slot("2", baking)))
	for _, p := range []target.Phase{target.PhaseVerifying, target.PhaseTesting, target.PhaseSwitching, target.PhaseWatching} {
		equal(t, "sizes in "+string(p), sizes[p], [2]int{3, 3})
	}
	equal(t, "the fallback's size", api(target.Blue), 3)
	equal(t, "the size of what serves, without load", api(target.Green), 1)

	w.ok(w.run(slot("1", func(s *target.Slot) {
		c := s.Definition.Components["api"]
		c.Scaling.Max = 2
		s.Definition.Components["api"] = c
	})))
	w.stands("blue 1", "green 2")
	equal(t, "the size of what was switched back to, without load", api(target.Blue), 1)
}

// A run that asks for more instances waits until they are healthy, and says so if one never is.
func TestMoreInstancesMustGetHealthy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mustRun("1")
	w.Script("api", "1", memtarget.Behaviour{HealthyIn: 20 * time.Second})
	more := func(n int) func(*target.Slot) {
		return func(s *target.Slot) {
			c := s.Definition.Components["api"]
			c.Scaling.Min = n
			s.Definition.Components["api"] = c
		}
	}
	w.ok(w.run(slot("1", more(2))))
	if !healthy(w.observe().Stacks[target.Blue]) {
		t.Error("the run ended before all instances were healthy")
	}
	w.clock.Advance(5 * time.Minute)
	w.Script("api", "1", memtarget.Behaviour{HealthyIn: 2 * time.Minute})
	err := wantError[*swap.FailedError](t, w.run(slot("1", more(3))))
	saysAll(t, err, `component "api" of release 1 did not become healthy within 1m0s (instance 3: GET /healthz -> 503). Release 1 serves all traffic.`)
}

func TestSwitchingBackIsOneSwitch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mustRun("1", "2")
	began, events := w.clock.Now(), len(w.Target.Log())
	w.mustRun("1")
	w.stands("blue 1", "green 2")
	equal(t, "phases", w.phases(), "preparing verifying switching watching live")
	if took := w.clock.Now().Sub(began); took > time.Second {
		t.Errorf("it took %s", took)
	}
	if diff := cmp.Diff([]string{"eu/production/oms served blue 1"}, words(w.Target.Log()[events:])); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	w.clock.Advance(window - 2*time.Second)
	w.mustRun("2")
	w.stands("green 2", "blue 1")
	equal(t, "stacks of release 2", w.made(memtarget.StackMade, "2"), 1)
}

func words(events []memtarget.Event) []string {
	var out []string
	for _, e := range events {
		out = append(out, e.String())
	}
	return out
}

func TestSwitchingBackToWhatIsGoneBringsItUpAnew(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		before func(*world)
	}{
		{"the window is over", func(w *world) { w.clock.Advance(window) }},
		{"the window ends under way", func(w *world) { w.clock.Advance(window - 3*time.Second); w.sicken("1", 8*time.Second) }},
		{"the fallback is not healthy any more", func(w *world) { w.sicken("1", 20*time.Second) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.mustRun("1", "2")
			c.before(w)
			w.mustRun("1")
			w.stands("blue 1", "green 2")
			equal(t, "stacks of release 1", w.made(memtarget.StackMade, "1"), 2)
			equal(t, "phases", w.phases(), "preparing migrating starting verifying testing switching watching live")
		})
	}
}

func TestAFallbackThatIsHealthyAgainIsUsed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mustRun("1", "2")
	for range 5 {
		w.KillInstance(oms, target.Blue, "api", 1)
	}
	w.sicken("1", 10*time.Second)
	w.mustRun("1")
	equal(t, "phases", w.phases(), "preparing verifying switching watching live")
}

func TestANewerReleaseSupersedesASwapInEachPhase(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		phase target.Phase
		want  []string // what served
	}{
		{target.PhasePreparing, []string{"1", "2", "4"}},
		{target.PhaseMigrating, []string{"1", "2", "4"}},
		{target.PhaseStarting, []string{"1", "2", "4"}},
		{target.PhaseVerifying, []string{"1", "2", "4"}},
		{target.PhaseTesting, []string{"1", "2", "4"}},
		{target.PhaseSwitching, []string{"1", "2", "4"}},
		{target.PhaseAborting, []string{"1", "2", "4"}},
		{served, []string{"1", "2", "3", "2", "4"}},
	} {
		t.Run(string(c.phase), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.mustRun("1", "2")
			asked := slot("3")
			if c.phase == target.PhaseAborting {
				asked = slot("3", suite(memtarget.ProgramExit, "1"))
			}
			client := w.Client()
			if err := w.machineOn(client, w.when(c.phase, client.Kill)).Run(t.Context(), asked); err == nil {
				t.Fatal("the run was not killed")
			}
			w.mustRun("4")
			w.settled()
			if diff := cmp.Diff(c.want, w.ServedLog(oms)); diff != "" {
				t.Errorf("served (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnotherTestSuiteIsRunBeforeTheSwitch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mustRun("1")
	client := w.Client()
	_ = w.machineOn(client, w.when(target.PhaseSwitching, client.Kill)).Run(t.Context(), slot("2"))
	w.ok(w.run(slot("2", suite("a better suite"))))
	equal(t, "suites of release 2", w.made(memtarget.TaskStarted, w.record().Swap.ID+"-test"), 2)
	equal(t, "phases", w.phases(), "preparing migrating starting verifying testing switching testing switching watching live")
}

func TestASlotWithoutMigrationAndSuiteSwapsToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	bare := func(s *target.Slot) {
		s.Definition.Migrate, s.Definition.TestSuite, s.Definition.AllowUntested = nil, nil, true
	}
	w.ok(w.run(slot("1", bare)))
	w.ok(w.run(slot("2", bare)))
	w.stands("green 2", "blue 1")
	equal(t, "tasks", len(w.Target.Log(memtarget.TaskStarted)), 0)
}

func TestADeletedSlotLeavesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ok(w.run(slot("1", func(s *target.Slot) { s.DeletionProtection = true })))
	saysAll(t, w.machine().Delete(t.Context(), oms), `deletion protection of slot "eu/production/oms" is on`, "set deletion_protection = false")
	w.mustRun("1")
	w.ok(w.machine().Delete(t.Context(), oms))
	if diff := cmp.Diff([]string{"environment eu/production", "installation memory", "region eu"}, w.Inventory()); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
}

func TestTheWorkersOfTwoReleasesNeverRunTogether(t *testing.T) {
	t.Parallel()
	w := newWorld(t) // its auditor looks after every effect
	w.mustRun("1", "2")
	working := func(c target.Color) bool { return len(w.observe().Stacks[c].Of("mailer")) > 0 }
	want := func(c target.Color) {
		t.Helper()
		if !working(c) || working(c.Other()) {
			t.Errorf("workers run in blue: %t, in green: %t; want them in %s only", working(target.Blue), working(target.Green), c)
		}
	}
	want(target.Green)
	w.mustRun("1")
	want(target.Blue)
	w.ok(w.machine().RollBack(t.Context(), oms, "an operator", "why not"))
	want(target.Green)
}

// A worker that does not stop must not be joined by that of the other release.
func TestAWorkerThatDoesNotStopIsReported(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mustRun("1")
	d := &stubborn{Driver: w.audit.of(w.Client(), nil), color: target.Blue}
	err := swap.New(d, "the test", swap.Options{Clock: w.clock}).Run(t.Context(), slot("2"))
	saysAll(t, err, `component "mailer" of release 1 did not stop within 1m40s`, "Release 2 has taken the traffic")
	if st := w.observe().Stacks[target.Green]; !st.Spec.HoldWorkers {
		t.Error("the new release's workers run too")
	}
	w.mustRun("2")
	w.settled()
}
