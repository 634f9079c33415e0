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
		w.traffic()
		for range rapid.IntRange(1, 5).Draw(t, "events") {
			something(t, w)
			w.serves(t)
		}
		for _, kind := range []string{target.TaskMigrate, target.TaskTest} {
			w.ScriptTask(kind, memtarget.TaskBehaviour{})
		}
		w.Script("", "", memtarget.Behaviour{})
		w.ScriptLoad("", "", 0)
		w.traffic()
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
	switch rapid.SampledFrom([]string{"apply", "apply", "apply", "apply", "promote", "roll back", "time passes", "the world changes", "the world changes"}).Draw(t, "event") {
	case "apply":
		r := release(t)
		s := slot(r, retry(int64(rapid.IntRange(0, 2).Draw(t, "retry"))), suite("suite", rapid.SampledFrom([]string{"a", "b"}).Draw(t, "suite")))
		if rapid.Bool().Draw(t, "wider") {
			wider(&s)
		}
		policy(t, &s)
		run(t, w, r, func(ctx context.Context, m *swap.Machine) error { return m.Run(ctx, s) })
	case "promote":
		r := release(t)
		w.audit.approved[r] = true
		run(t, w, r, func(ctx context.Context, m *swap.Machine) error { return m.Promote(ctx, oms, "an operator", r) })
		delete(w.audit.approved, r)
		if s := w.record().Swap; s != nil && s.Approved != nil {
			w.audit.approved[s.Release] = true // by a run that was killed after it
		}
	case "roll back":
		run(t, w, w.serving(), func(ctx context.Context, m *swap.Machine) error {
			return m.RollBack(ctx, oms, "an operator", "why not")
		})
	case "time passes":
		w.clock.Advance(time.Duration(rapid.SampledFrom([]int{1, 14, 16, 60, 600, 3600, 86400}).Draw(t, "seconds")) * time.Second)
	case "the world changes":
		change(t, w)()
	}
}

// release is one of three, one that is given being the likeliest.
func release(t *rapid.T, likely ...string) string {
	return rapid.SampledFrom(append(likely, "1", "2", "3")).Draw(t, "release")
}

// change is something that happens to a release by itself: now, or while a run is under way,
// then most likely to the one that it is about.
func change(t *rapid.T, w *world, likely ...string) func() {
	r := release(t, likely...)
	switch rapid.SampledFrom([]string{"its instances", "its tasks", "its answers", "its answers", "its load", "an instance dies", "the front door lags"}).Draw(t, "change") {
	case "its instances":
		component := rapid.SampledFrom([]string{"api", "mailer"}).Draw(t, "component")
		b := rapid.SampledFrom([]memtarget.Behaviour{
			{}, {}, {RunningAfter: 2}, {HealthyAfter: 5}, {HealthyIn: 20 * time.Second}, {Crashes: true}, {Missing: true},
			{Answers: func(int) bool { return false }}, {Answers: func(n int) bool { return n%5 > 0 }}, {Answers: func(n int) bool { return n < 15 }},
		}).Draw(t, "behaviour")
		return func() { w.Script(component, r, b) }
	case "its tasks":
		kind := rapid.SampledFrom([]string{target.TaskMigrate, target.TaskTest, target.TaskTest}).Draw(t, "kind")
		b := rapid.SampledFrom([]memtarget.TaskBehaviour{
			{}, {}, {EndsAfter: 3}, {ExitCode: 1}, {Hangs: true}, {Killed: true}, {Missing: true},
		}).Draw(t, "behaviour")
		return func() { w.ScriptTask(kind, b) }
	case "its answers":
		bad := rapid.SampledFrom([]memtarget.Answers{
			{PerSecond: 100, ErrorPercent: 30}, {PerSecond: 100, P99Milliseconds: 900}, {PerSecond: 0.1}, {PerSecond: 100, P99Milliseconds: 50},
		}).Draw(t, "answers")
		share := rapid.SampledFrom([]int{0, 10, 50, 100}).Draw(t, "share")
		in := time.Duration(rapid.SampledFrom([]int{0, 0, 5, 15, 40}).Draw(t, "in seconds")) * time.Second
		return func() { w.answers(r, w.clock.Now().Add(in), share, bad) }
	case "its load":
		instances := rapid.IntRange(0, 5).Draw(t, "instances")
		return func() { w.ScriptLoad("api", r, instances) }
	case "an instance dies":
		color := rapid.SampledFrom([]target.Color{target.Blue, target.Green}).Draw(t, "color")
		return func() { w.KillInstance(oms, color, "api", 1) }
	default:
		probes := rapid.IntRange(0, 200).Draw(t, "probes")
		return func() { w.LagFrontDoor(oms, probes) }
	}
}

// answers makes a release answer badly from a moment on and with a share of the traffic or more.
func (w *world) answers(release string, from time.Time, share int, bad memtarget.Answers) {
	w.ScriptAnswers(release, func(at time.Time, percent int) memtarget.Answers {
		if at.Before(from) || percent < share {
			return memtarget.Answers{PerSecond: 100, P99Milliseconds: 50}
		}
		return bad
	})
}

// policy asks for any way of swapping.
func policy(t *rapid.T, s *target.Slot) {
	p := &s.Policy
	p.Guardrails = target.Guardrails{WindowSeconds: 20, MinimumRequests: 20, MaxErrorPercent: new(5.0), MaxP99Milliseconds: new(500.0)}
	for _, percent := range []int{10, 50} {
		if rapid.Bool().Draw(t, "step") {
			p.Steps = append(p.Steps, target.TrafficStep{Percent: percent, HoldSeconds: rapid.SampledFrom([]int{0, 20}).Draw(t, "hold")})
		}
	}
	p.BakeSeconds = rapid.SampledFrom([]int{0, 30}).Draw(t, "bake")
	p.OnTooFewRequests = rapid.SampledFrom([]target.Verdict{target.VerdictPromote, target.VerdictRollBack}).Draw(t, "too few")
	if rapid.IntRange(0, 3).Draw(t, "manual") == 0 {
		p.Approval, p.ApprovalTimeoutSeconds = target.ApprovalManual, 300
		p.WaitingCapacityPercent = rapid.SampledFrom([]int{0, 34}).Draw(t, "waiting")
		s.ApprovedRelease = rapid.SampledFrom([]string{"", "1", "2", "3"}).Draw(t, "approved")
	}
	s.Policy.FallbackWindowSeconds = rapid.SampledFrom([]int{0, s.Policy.FallbackWindowSeconds}).Draw(t, "window")
}

// run lets a machine do something about a release, with or without trouble on the way.
func run(t *rapid.T, w *world, about string, do func(context.Context, *swap.Machine) error) {
	client := w.Client()
	if mode := memtarget.Mode(rapid.IntRange(0, 4).Draw(t, "fault")); mode > 0 {
		client.FailCall(rapid.IntRange(1, 60).Draw(t, "call"), mode)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	trouble := map[int]func(){}
	for range rapid.IntRange(0, 2).Draw(t, "troubles") {
		at := rapid.IntRange(1, 40).Draw(t, "after change")
		switch rapid.SampledFrom([]string{"interrupted", "asleep", "another run", "asked back", "the world changes", "the world changes", "the world changes"}).Draw(t, "trouble") {
		case "interrupted":
			trouble[at] = cancel
		case "asleep":
			trouble[at] = func() { w.clock.Jump(time.Minute) }
		case "another run":
			trouble[at] = func() { known(t, w.run(slot("2"))) }
		case "asked back":
			trouble[at] = func() {
				if w.record().Swap != nil {
					w.request()
				}
			}
		case "the world changes":
			trouble[at] = change(t, w, about, about, about)
		}
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
	var idle *swap.NotWaitingError
	var leased *target.LeaseHeldError
	switch {
	case err == nil, errors.As(err, &failed), errors.As(err, &held), errors.As(err, &interrupted), errors.As(err, &none), errors.As(err, &idle), errors.As(err, &leased):
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
