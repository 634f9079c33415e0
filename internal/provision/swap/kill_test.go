package swap_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/memtarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/swap"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// scenario is something that happens to a slot, is struck by a fault at one of its calls,
// and is followed by the next apply.
type scenario struct {
	name   string
	before func(*world)
	struck func(*world, *swap.Machine) error
	next   func(*world, *swap.Machine) error
	// ends are what may serve at the end; nothing at all if empty. fails says that the next
	// apply ends with an error of these, besides nil.
	ends  []string
	fails []error
	// rare is played less often.
	rare bool
}

func asks(s target.Slot) func(*world, *swap.Machine) error {
	return func(w *world, m *swap.Machine) error { return m.Run(w.Context(), s) }
}

func deletes(w *world, m *swap.Machine) error {
	err := m.Delete(w.Context(), oms)
	if errors.Is(err, target.ErrNotFound) {
		return nil
	}
	return err
}

func wider(s *target.Slot) {
	c := s.Definition.Components["api"]
	c.Scaling.Min, c.Routes = 2, append(c.Routes, target.Route{Host: "api", PathPrefix: "/"})
	s.Definition.Components["api"] = c
	s.Definition.TestSuite = &target.Task{Command: []string{"another suite"}, TimeoutSeconds: 60}
	s.Policy.FallbackWindowSeconds = 7
}

func scenarios() []scenario {
	nothing := func(*world) {}
	failed, held := error(&swap.FailedError{}), error(&swap.HoldError{})
	one := func(w *world) { w.mustRun("1") }
	two := func(w *world) { w.mustRun("1", "2") }
	rollsBack := func(w *world, m *swap.Machine) error { return m.RollBack(w.Context(), oms, "an operator", "why not") }
	busyOne := func(w *world) { one(w); w.traffic() }
	badSecond := func(w *world) { busyOne(w); w.goesBad("2", 50, memtarget.Answers{ErrorPercent: 50}) }
	crashing := func(w *world) { one(w); w.Script("mailer", "2", memtarget.Behaviour{Crashes: true}) }
	inSteps := func(w *world) {
		busyOne(w)
		w.killedIn(target.PhaseWatching, slot("2", stepwise))
		w.clock.Advance(time.Minute)
	}
	requested := func(w *world) { inSteps(w); w.request() }
	waits := func(w *world) { one(w); w.ok(w.run(slot("2", approving))) }
	promotes := func(w *world, m *swap.Machine) error {
		w.audit.approved["2"] = true
		return m.Promote(w.Context(), oms, "an operator", "2")
	}
	lags := func(w *world) { two(w); w.LagFrontDoor(oms, 1<<30) }
	return []scenario{
		{"a first deployment", nothing, asks(slot("1")), asks(slot("1")), []string{"1"}, nil, false},
		{"a first deployment that fails", nothing, asks(slot("1", suite(memtarget.ProgramExit, "1"))), asks(slot("1")), []string{"1"}, nil, true},
		{"a swap", one, asks(slot("2")), asks(slot("2")), []string{"2"}, nil, false},
		{"a swap without a fallback after it", one, asks(slot("2", noFallback)), asks(slot("2", noFallback)), []string{"2"}, nil, true},
		{"a swap that fails", one, asks(slot("2", suite(memtarget.ProgramExit, "1"))), asks(slot("2", suite(memtarget.ProgramExit, "1"))), []string{"1"}, []error{failed}, false},
		{"a swap that is superseded", two, asks(slot("3")), asks(slot("4")), []string{"4"}, nil, true},
		{"a swap that is taken back", one, asks(slot("2")), asks(slot("1")), []string{"1"}, nil, true},
		{"a switch back", two, asks(slot("1")), asks(slot("1")), []string{"1"}, nil, false},
		{"a switch back that is taken back", two, asks(slot("1")), asks(slot("2")), []string{"2"}, nil, true},
		{"a swap whose front door lags", lags, asks(slot("3")), asks(slot("3")), []string{"2"}, []error{failed, held}, false},
		{"a rollback", two, rollsBack, asks(slot("2")), []string{"1", "2"}, []error{held}, false},
		{"a rollback before the next release", two, rollsBack, asks(slot("3")), []string{"3"}, nil, true},
		{"a change in place", two, asks(slot("2", wider)), asks(slot("2", wider)), []string{"2"}, nil, false},
		{"a removal", two, deletes, deletes, nil, nil, false},
		{"a swap in steps", busyOne, asks(slot("2", stepwise)), asks(slot("2", stepwise)), []string{"2"}, nil, false},
		{"a swap in steps that is superseded", busyOne, asks(slot("2", stepwise)), asks(slot("3", stepwise)), []string{"3"}, nil, true},
		{"a swap in steps that is taken back", busyOne, asks(slot("2", stepwise)), asks(slot("1", stepwise)), []string{"1"}, nil, true},
		{"a swap in steps that breaks its guardrails", badSecond, asks(slot("2", stepwise)), asks(slot("2", stepwise)), []string{"1"}, []error{failed, held}, false},
		{"a swap whose workers crash", crashing, asks(slot("2")), asks(slot("2")), []string{"1"}, []error{failed, held}, true},
		{"a rollback of a share", inSteps, rollsBack, asks(slot("2", stepwise)), []string{"1", "2"}, []error{held}, true},
		{"a rollback that was requested of a run", requested, asks(slot("2", stepwise)), asks(slot("2", stepwise)), []string{"1"}, []error{failed, held}, false},
		{"a swap that waits for approval", one, asks(slot("2", approving)), asks(slot("2", approving, approves("2"))), []string{"2"}, nil, true},
		{"an approval", waits, promotes, asks(slot("2", approving, approves("2"))), []string{"2"}, nil, false},
		{"an approval that is superseded", waits, promotes, asks(slot("3")), []string{"3"}, nil, true},
	}
}

// stepwise asks for two shares and a bake, each long enough to be looked at twice.
func stepwise(s *target.Slot) {
	gradual(s)
	s.Policy.Steps = []target.TrafficStep{{Percent: 10, HoldSeconds: 10}, {Percent: 50, HoldSeconds: 10}}
	s.Policy.BakeSeconds = 10
}

func noFallback(s *target.Slot) { s.Policy.FallbackWindowSeconds = 0 }

// A run that is killed leaves what its calls have done so far, and it does not matter to
// anybody what it would have done next. So the world is forked after each call that changed
// something, and the next apply comes there: when the dead run's lease is over, when its time
// limits are, and when everything of it is.
func TestARunMayBeKilledAtAnyCall(t *testing.T) {
	t.Parallel()
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.pause = 5 * time.Second // few looks: there are many runs
			s.before(w)
			var killed []*world
			_ = s.struck(w, w.machineOn(w.Client(), func() { killed = append(killed, w.fork()) }))
			for n, k := range killed {
				delays := []time.Duration{0, 5 * time.Minute, 3 * time.Hour}
				if s.rare {
					delays = delays[n%3:][:1]
				}
				for _, delay := range delays {
					f := k.fork()
					f.clock.Advance(delay)
					f.converged(s, s.next(f, f.machine()))
					if delay == 0 {
						f.quiet(s)
					}
					if t.Failed() {
						t.Fatalf("the run was killed after change %d, in %q; the next apply came after %s", n+1, k.phases(), delay)
					}
				}
			}
		})
	}
}

// A call may be refused, or done without an answer: the run goes on by itself or ends, and
// then the next apply succeeds.
func TestAnyCallMayGoUnanswered(t *testing.T) {
	t.Parallel()
	for _, s := range scenarios() {
		if s.rare {
			continue
		}
		for _, mode := range []memtarget.Mode{memtarget.Refuse, memtarget.LoseAnswer} {
			if mode == memtarget.Refuse && s.name != "a swap" && s.name != "a rollback" {
				continue // what was not done is done again, whatever it is
			}
			t.Run(fmt.Sprintf("%s, a call %s", s.name, mode), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				w.pause = 5 * time.Second
				s.before(w)
				for n := 1; ; n++ {
					f := w.fork()
					client := f.Client()
					if mode == memtarget.Refuse {
						client.FailCall(n, mode) // also what only reads
					} else {
						client.FailChange(n, mode)
					}
					err := s.struck(f, f.machineOn(client, nil))
					if client.Struck() == 0 {
						break
					}
					f.converged(s, s.next(f, f.machine()))
					if t.Failed() {
						t.Fatalf("call %d was struck; the run ended with: %v", n, err)
					}
				}
			})
		}
	}
}

// quiet wants one more apply to find nothing to do.
func (w *world) quiet(s scenario) {
	w.Helper()
	before := len(w.Target.Log())
	err := s.next(w, w.machine())
	if now := w.Target.Log(); err == nil && len(now) != before {
		w.Errorf("one more apply did something: %v", now[before:])
	}
}

// converged wants a legal end of the scenario.
func (w *world) converged(s scenario, err error) {
	w.Helper()
	if err != nil && !slices.ContainsFunc(s.fails, func(e error) bool { return fmt.Sprintf("%T", e) == fmt.Sprintf("%T", err) }) {
		w.Errorf("the next apply failed: %v", err)
	}
	defer func() {
		if w.Failed() {
			w.Logf("the next apply ended in %q:\n%v", w.phases(), w.Target.Log())
		}
	}()
	if len(s.ends) == 0 {
		if left := w.Inventory(); len(left) > 3 { // the installation, the region, the environment
			w.Errorf("left over: %q", left)
		}
		return
	}
	serving := w.serving()
	if !slices.Contains(s.ends, serving) {
		w.Errorf("%q answers, want one of %q", serving, s.ends)
	}
	w.settled()
}

// settled wants a slot with nothing left to do and nothing left over: at most a fallback that
// has served, with a deadline.
func (w *world) settled() {
	w.Helper()
	rec, seen := w.record(), w.observe()
	if rec.Swap == nil || !rec.Swap.Phase.Finished() || !rec.Meta.Ready {
		w.Errorf("the slot is not finished: %q", w.phases())
	}
	for c, st := range seen.Stacks {
		switch {
		case !w.audit.proven[st.Spec.SwapID]:
			w.Errorf("the candidate of release %s is left over", st.Spec.Definition.Release)
		case c != seen.Serving && st.RetireAt == nil && !rec.Asked.Policy.FallbackUntilNextRelease:
			w.Errorf("the fallback, release %s, has no deadline", st.Spec.Definition.Release)
		case c == seen.Serving && st.Spec.HoldWorkers:
			w.Errorf("the workers of release %s are held", st.Spec.Definition.Release)
		}
	}
	w.nothingRuns()
}
