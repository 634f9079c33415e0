package swap_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/memtarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/swap"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// Whatever is asked, fails, dies and passes in whatever order: the auditor finds no promise
// broken, every run ends, and once everything is well again the next apply succeeds.
func TestNoOrderOfEventsBreaksAPromise(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		w.pause = 5 * time.Second
		for range rapid.IntRange(1, 5).Draw(t, "events") {
			something(t, w)
			w.serves(t)
		}
		for _, kind := range []string{target.TaskMigrate, target.TaskTest} {
			w.ScriptTask(kind, memtarget.TaskBehaviour{})
		}
		w.Script("", "", memtarget.Behaviour{})
		w.LagFrontDoor(oms, 0)
		w.ok(w.run(slot("final")))
		w.settled()
		equal(t, "the front door", w.serving(), "final")
		if t.Failed() {
			t.Logf("%v", w.Target.Log())
		}
	})
}

// something lets one thing happen.
func something(t *rapid.T, w *world) {
	release := rapid.SampledFrom([]string{"1", "2", "3"})
	switch rapid.SampledFrom([]string{"apply", "apply", "apply", "apply", "roll back", "time passes", "a release changes", "a task changes", "an instance dies", "the front door lags"}).Draw(t, "event") {
	case "apply":
		s := slot(release.Draw(t, "release"), retry(int64(rapid.IntRange(0, 2).Draw(t, "retry"))))
		if rapid.Bool().Draw(t, "wider") {
			wider(&s)
		}
		run(t, w, func(ctx context.Context, m *swap.Machine) error { return m.Run(ctx, s) })
	case "roll back":
		run(t, w, func(ctx context.Context, m *swap.Machine) error {
			return m.RollBack(ctx, oms, "an operator", "why not")
		})
	case "time passes":
		w.clock.Advance(time.Duration(rapid.SampledFrom([]int{1, 14, 16, 60, 600, 3600, 86400}).Draw(t, "seconds")) * time.Second)
	case "a release changes":
		w.Script(rapid.SampledFrom([]string{"api", "mailer"}).Draw(t, "component"), release.Draw(t, "release"), rapid.SampledFrom([]memtarget.Behaviour{
			{}, {}, {RunningAfter: 2}, {HealthyAfter: 5}, {HealthyIn: 20 * time.Second}, {Crashes: true}, {Missing: true},
			{Answers: func(int) bool { return false }}, {Answers: func(n int) bool { return n%5 > 0 }}, {Answers: func(n int) bool { return n < 15 }},
		}).Draw(t, "behaviour"))
	case "a task changes":
		w.ScriptTask(rapid.SampledFrom([]string{target.TaskMigrate, target.TaskTest}).Draw(t, "kind"), rapid.SampledFrom([]memtarget.TaskBehaviour{
			{}, {}, {EndsAfter: 3}, {ExitCode: 1}, {Hangs: true}, {Killed: true}, {Missing: true},
		}).Draw(t, "behaviour"))
	case "an instance dies":
		w.KillInstance(oms, rapid.SampledFrom([]target.Color{target.Blue, target.Green}).Draw(t, "color"), "api", 1)
	case "the front door lags":
		w.LagFrontDoor(oms, rapid.IntRange(0, 200).Draw(t, "probes"))
	}
}

// run lets a machine do something, with or without trouble on the way.
func run(t *rapid.T, w *world, do func(context.Context, *swap.Machine) error) {
	client := w.Client()
	if mode := memtarget.Mode(rapid.IntRange(0, 4).Draw(t, "fault")); mode > 0 {
		client.FailCall(rapid.IntRange(1, 60).Draw(t, "call"), mode)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	trouble := map[int]func(){}
	at := func(what string) int { return rapid.IntRange(1, 40).Draw(t, what+" after change") }
	switch rapid.SampledFrom([]string{"", "", "", "interrupted", "asleep", "another run"}).Draw(t, "trouble") {
	case "interrupted":
		trouble[at("interrupted")] = cancel
	case "asleep":
		trouble[at("asleep")] = func() { w.clock.Jump(time.Minute) }
	case "another run":
		trouble[at("another run")] = func() { known(t, w.run(slot("2"))) }
	}
	changes := 0
	m := w.machineOn(client, func() {
		changes++
		if do := trouble[changes]; do != nil {
			do()
		}
	})
	if err := do(ctx, m); !errors.Is(err, memtarget.ErrKilled) {
		known(t, err)
	}
}

// known wants an error that people can do something with.
func known(t *rapid.T, err error) {
	var failed *swap.FailedError
	var held *swap.HoldError
	var interrupted *swap.InterruptedError
	var none *swap.NoFallbackError
	var leased *target.LeaseHeldError
	switch {
	case err == nil, errors.As(err, &failed), errors.As(err, &held), errors.As(err, &interrupted), errors.As(err, &none), errors.As(err, &leased):
	case errors.Is(err, target.ErrNotFound): // a rollback of what is not there
	default:
		t.Errorf("a run ended with %v (%T)", err, err)
	}
}

// serves wants what has served once to be followed by something that serves.
func (w *world) serves(t *rapid.T) {
	seen := w.observe()
	if _, ok := seen.Stacks[seen.Serving]; !ok && len(w.audit.proven) > 0 {
		t.Errorf("nothing serves any more, in %q", w.phases())
	}
}
