package swap_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/memtarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/swap"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// gradual asks for two shares, a bake and the usual guardrails.
func gradual(s *target.Slot) {
	s.Policy.Steps = []target.TrafficStep{{Percent: 10, HoldSeconds: 20}, {Percent: 50, HoldSeconds: 40}}
	s.Policy.BakeSeconds = 60
	s.Policy.Guardrails = target.Guardrails{WindowSeconds: 10, MinimumRequests: 20, MaxErrorPercent: new(5.0), MaxP99Milliseconds: new(500.0)}
}

// traffic lets a hundred users a second come, all of them well served.
func (w *world) traffic() {
	w.ScriptAnswers("", func(time.Time, int) memtarget.Answers {
		return memtarget.Answers{PerSecond: 100, P50Milliseconds: 10, P99Milliseconds: 50}
	})
}

// goesBad makes a release answer badly once it has a share.
func (w *world) goesBad(release string, percent int, bad memtarget.Answers) {
	w.ScriptAnswers(release, func(_ time.Time, p int) memtarget.Answers {
		if p < percent {
			return memtarget.Answers{PerSecond: 100, P50Milliseconds: 10, P99Milliseconds: 50}
		}
		bad.PerSecond = 100
		return bad
	})
}

// moves says how the traffic of the slot moved: seconds since noon, and who has how much.
func (w *world) moves(from int) []string {
	var out []string
	for _, e := range w.Target.Log(memtarget.Served, memtarget.Shared)[from:] {
		out = append(out, fmt.Sprintf("%s serves but for %d", e.Name, e.Percent))
	}
	return out
}

func TestAReleaseGetsItsTrafficInSteps(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.traffic()
	w.mustRun("1")
	before := w.clock.Now()
	w.ok(w.run(slot("2", gradual)))
	w.stands("green 2", "blue 1")
	equal(t, "phases", w.phases(), "preparing migrating starting verifying testing switching watching switching watching switching watching live")
	if diff := cmp.Diff([]string{"1 serves but for 10", "1 serves but for 50", "2 serves but for 0"}, w.moves(1)); diff != "" {
		t.Errorf("moves (-want +got):\n%s", diff)
	}
	events := w.Target.Log(memtarget.Served, memtarget.Shared)[1:]
	for n, hold := range []time.Duration{20 * time.Second, 40 * time.Second} {
		if held := events[n+1].At.Sub(events[n].At); held < hold || held > hold+2*w.pause {
			t.Errorf("share %d was held for %s, want %s", n+1, held, hold)
		}
	}
	j := w.journals()[0]
	whole, err := w.GetJournal(t.Context(), oms, j.Swap.ID)
	w.ok(err)
	s := whole.Swap
	if s.Phase != target.PhaseLive || s.By != "the test" || s.Host == "" || s.Baseline == nil || s.Baseline.Requests == 0 || len(s.Tasks) != 2 || s.StartedAt.Before(before) {
		t.Errorf("the journal is %+v", s)
	}
	if n := len(s.Samples); n < 110 || n > 125 {
		t.Errorf("%d samples of two minutes of watch, want about one a second", n)
	}
	for _, step := range s.Steps {
		if step.Phase == target.PhaseWatching && (step.Percent == 0 || len(step.Measured) != 2 || step.Measured[0].Requests == 0 || len(step.Health) == 0) {
			t.Errorf("a watch is told as %+v", step)
		}
		if step.Phase == target.PhaseVerifying && len(step.Health) == 0 {
			t.Errorf("a gate is told as %+v", step)
		}
	}
}

// A long watch does not let the journal grow beyond its bounds.
func TestTheSamplesOfALongWatchAreThinnedOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.traffic()
	w.mustRun("1")
	w.pause = 3 * time.Second // within the looks of a run
	w.ok(w.run(slot("2", func(s *target.Slot) { s.Policy.BakeSeconds = 4500 })))
	samples := w.record().Swap.Samples
	if n := len(samples); n < target.MaxSamples/3 || n > target.MaxSamples {
		t.Errorf("%d samples", n)
	}
	if last := samples[len(samples)-1].At.Sub(samples[0].At); last < 4400*time.Second {
		t.Errorf("the samples cover %s", last)
	}
}

func (w *world) journals() []target.Journal {
	w.Helper()
	all, err := w.ListJournals(w.withoutCancel(), oms)
	w.ok(err)
	return all
}

func TestABreachSwitchesBackAtOnceAndSaysTheFigures(t *testing.T) {
	t.Parallel()
	slow := memtarget.Answers{P50Milliseconds: 400, P99Milliseconds: 900}
	failing := memtarget.Answers{ErrorPercent: 20, P50Milliseconds: 10, P99Milliseconds: 50}
	for _, c := range []struct {
		name    string
		percent int
		bad     memtarget.Answers
		says    string
	}{
		{"errors at the first step", 10, failing, "release 2 broke a guardrail with 10 % of the traffic: 20.00 % of 20 requests in 2s failed, at most 5 % may"},
		{"errors at the second step", 50, failing, "release 2 broke a guardrail with 50 % of the traffic: 20.00 % of 50 requests in 1s failed, at most 5 % may"},
		{"slow at the second step", 50, slow, "the p99 latency of 50 requests in 1s was 900 ms, at most 500 ms is allowed"},
		{"errors with all traffic", 100, failing, "release 2 broke a guardrail with 100 % of the traffic: 20.00 % of 100 requests in 1s failed, at most 5 % may"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.traffic()
			w.mustRun("1")
			w.goesBad("2", c.percent, c.bad)
			err := wantError[*swap.FailedError](t, w.run(slot("2", gradual)))
			equal(t, "phase", err.Phase, target.PhaseWatching)
			saysAll(t, err, c.says, "Release 1 serves all traffic again; release 2 was removed and is on hold")
			w.stands("blue 1")
			rec := w.record()
			equal(t, "who took it back", rec.Hold.By, "the watch of the swap")
			equal(t, "who asked for it", rec.Swap.By, "the test")
			events := w.Target.Log(memtarget.Served, memtarget.Shared)
			if last := len(events) - 1; events[last].At.Sub(events[last-1].At) > 3*time.Second {
				t.Errorf("it took from %s to %s to switch back", events[last-1].At, events[last].At)
			}
			saysAll(t, wantError[*swap.HoldError](t, w.run(slot("2", gradual))), c.says)
			s := w.journals()[0].Swap
			if s.Phase != target.PhaseRolledBack || !strings.Contains(s.Reason, c.says) {
				t.Errorf("the journal ends in %s: %s", s.Phase, s.Reason)
			}
			w.ok(w.run(slot("3", gradual)))
		})
	}
}

// A release that takes requests and answers none must not pass for one that nobody asks.
func TestAReleaseThatHangsIsSwitchedBack(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		percent int
		policy  func(*target.Slot)
		says    string
		within  time.Duration
	}{
		"by its latency, in a step": {50, func(s *target.Slot) {
			s.Policy.Steps = []target.TrafficStep{{Percent: 50, HoldSeconds: 12}}
			s.Policy.Guardrails = target.Guardrails{MinimumRequests: 10, MaxErrorPercent: new(5.0), MaxP99Milliseconds: new(500.0)}
		}, "of them still waiting, was", 7 * time.Second},
		"by what is not answered, all at once": {100, func(s *target.Slot) {
			s.Policy.BakeSeconds = 10
			s.Policy.Guardrails = target.Guardrails{MinimumRequests: 20, MaxErrorPercent: new(5.0)}
		}, "by waiting in vain for 5s, at most 5 % may", 10 * time.Second},
		"by what is not answered, in a step": {50, func(s *target.Slot) {
			s.Policy.Steps = []target.TrafficStep{{Percent: 50, HoldSeconds: 12}}
			s.Policy.Guardrails = target.Guardrails{MinimumRequests: 20, MaxErrorPercentOverOld: new(5.0)}
		}, "by waiting in vain for 5s and 0.00 % of the old release's", 10 * time.Second},
		"since too few requests are known of": {50, func(s *target.Slot) {
			s.Policy.Steps = []target.TrafficStep{{Percent: 50, HoldSeconds: 12}}
			s.Policy.Guardrails = target.Guardrails{MinimumRequests: 200, MaxErrorPercent: new(5.0)}
			s.Policy.OnTooFewRequests = target.VerdictRollBack
		}, "are too few to judge release 2", 13 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			answers := func(hang float64) func(time.Time, int) memtarget.Answers {
				return func(time.Time, int) memtarget.Answers {
					return memtarget.Answers{PerSecond: 8, P50Milliseconds: 10, P99Milliseconds: 50, HangPercent: hang}
				}
			}
			w.ScriptAnswers("", answers(0))
			w.mustRun("1")
			w.clock.Advance(time.Minute)
			w.ScriptAnswers("2", answers(100))
			err := wantError[*swap.FailedError](t, w.run(slot("2", c.policy)))
			saysAll(t, err, c.says, "Release 1 serves all traffic again; release 2 was removed and is on hold")
			events := w.Target.Log(memtarget.Served, memtarget.Shared)
			if last := len(events) - 1; events[last].At.Sub(events[last-1].At) > c.within {
				t.Errorf("it took from %s to %s to switch back", events[last-1].At, events[last].At)
			}
		})
	}
}

// Where requests wait for long on either side, they do because of what they ask for.
func TestAnApplicationThatAnswersLateIsNotSwitchedBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ScriptAnswers("", func(time.Time, int) memtarget.Answers {
		return memtarget.Answers{PerSecond: 8, P50Milliseconds: 10, P99Milliseconds: 50, HangPercent: 50}
	})
	w.mustRun("1")
	w.clock.Advance(time.Minute)
	w.ok(w.run(slot("2", func(s *target.Slot) {
		s.Policy.Steps = []target.TrafficStep{{Percent: 50, HoldSeconds: 12}}
		s.Policy.BakeSeconds = 10
		s.Policy.Guardrails = target.Guardrails{MinimumRequests: 20, MaxErrorPercent: new(5.0)}
	})))
	w.stands("green 2", "blue 1")
}

// However seldom a watch is sampled, what it broke with is in its journal.
func TestTheJournalShowsWhatAShareEndedWith(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.traffic()
	w.mustRun("1")
	w.pause = 300 * time.Millisecond
	w.goesBad("2", 50, memtarget.Answers{ErrorPercent: 20})
	wantError[*swap.FailedError](t, w.run(slot("2", gradual)))
	whole, err := w.GetJournal(t.Context(), oms, w.journals()[0].Swap.ID)
	w.ok(err)
	s := whole.Swap
	for n, step := range s.Steps[:len(s.Steps)-1] {
		end := s.Steps[n+1].At
		if step.Phase == target.PhaseWatching && !slices.ContainsFunc(s.Samples, func(v target.Sample) bool { return v.At.Equal(end) && v.Percent == step.Percent }) {
			t.Errorf("no sample of the end of the share of %d percent", step.Percent)
		}
	}
	if last := s.Samples[len(s.Samples)-1]; last.New.Errors == 0 {
		t.Errorf("the last sample is %+v", last)
	}
}

// What the old stack was asked before the switch may take long to answer: nobody waits for
// that who has to look at the release, or to go back from it.
func TestTheReleaseIsJudgedWhileTheOldStackDrains(t *testing.T) {
	t.Parallel()
	slowly := func(s *target.Slot) {
		gradual(s)
		s.Policy.Steps, s.Policy.BakeSeconds, s.Policy.DrainSeconds = nil, 5, 300
	}
	begin := func(t *testing.T) *world {
		w := newWorld(t)
		w.traffic()
		w.mustRun("1")
		w.HoldRequests(oms, target.Blue, 2)
		return w
	}
	t.Run("and goes back where it is bad", func(t *testing.T) {
		t.Parallel()
		w := begin(t)
		w.goesBad("2", 100, memtarget.Answers{ErrorPercent: 20})
		saysAll(t, wantError[*swap.FailedError](t, w.run(slot("2", slowly))), "20.00 %", "Release 1 serves all traffic again")
		if took := w.clock.Now().Sub(w.Target.Log(memtarget.Served)[0].At); took > time.Minute {
			t.Errorf("it was over after %s", took)
		}
	})
	t.Run("and goes back where that is asked for", func(t *testing.T) {
		t.Parallel()
		w := begin(t)
		h := w.hold(target.PhaseWatching, slot("2", slowly))
		asked := w.clock.Now()
		w.ok(h.askBack(t.Context(), "an operator", nil))
		if took := w.clock.Now().Sub(asked); took > 10*time.Second {
			t.Errorf("the rollback took %s", took)
		}
		wantError[*swap.FailedError](t, h.end())
	})
	t.Run("and is live when it has drained", func(t *testing.T) {
		t.Parallel()
		w := begin(t)
		defer w.clock.Every(time.Second, func() {
			if at := w.record().Swap.SwitchedAt; at != nil && w.clock.Now().Sub(*at) > 100*time.Second {
				w.HoldRequests(oms, target.Blue, 0)
			}
		})()
		w.ok(w.run(slot("2", slowly)))
		s := w.record().Swap
		if took := s.EndedAt.Sub(*s.SwitchedAt); took < 100*time.Second || took > 120*time.Second {
			t.Errorf("it was live after %s", took)
		}
		if s.LastOldAnswerAt == nil || s.LastOldAnswerAt.Sub(*s.SwitchedAt) < 100*time.Second {
			t.Errorf("the last old answer was at %s, the switch at %s", s.LastOldAnswerAt, s.SwitchedAt)
		}
	})
}

func TestABreachWithNothingBehindItDegrades(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.traffic()
	w.mustRun("1")
	w.goesBad("2", 100, memtarget.Answers{ErrorPercent: 20})
	m := w.machineOn(w.Client(), w.when(served, func() { w.sicken("1", time.Hour) }))
	err := wantError[*swap.FailedError](t, m.Run(t.Context(), slot("2", gradual)))
	saysAll(t, err, "20.00 %", "It was not rolled back, since nothing healthy stands behind it. Release 2 has taken the traffic. Apply again")
	equal(t, "phase", w.record().Swap.Phase, target.PhaseDegraded)
	w.seats("green 2", "blue 1")
	equal(t, "journals", w.journals()[0].Swap.Phase, target.PhaseDegraded)
	for name, f := range map[string]*world{"another release": w.fork(), "the same, still bad": w.fork(), "the same, well again": w.fork()} {
		switch name {
		case "another release":
			f.ok(f.run(slot("3", gradual)))
			f.stands("blue 3") // what was degraded is no fallback
		case "the same, still bad":
			wantError[*swap.FailedError](t, f.run(slot("2", gradual)))
		default:
			f.traffic()
			f.ok(f.run(slot("2", gradual)))
			f.settled()
			equal(t, "reason of what went well", f.record().Swap.Reason, "")
			if !slices.ContainsFunc(f.record().Swap.Steps, func(s target.Step) bool { return strings.Contains(s.Note, "20.00 %") }) {
				t.Error("no step says what was wrong at first")
			}
		}
	}
}

func TestWorkersAreJudgedAfterTheSwitch(t *testing.T) {
	t.Parallel()
	for name, behaviour := range map[string]memtarget.Behaviour{
		"crash": {Crashes: true}, "do not exist": {Missing: true}, "never run": {RunningAfter: 1 << 30},
	} {
		t.Run("that "+name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.mustRun("1")
			w.Script("mailer", "2", behaviour)
			err := wantError[*swap.FailedError](t, w.run(slot("2")))
			saysAll(t, err, `component "mailer" of release 2`, "Release 1 serves all traffic again")
			w.stands("blue 1")
			if !w.observe().Stacks[target.Blue].Of("mailer")[0].Running {
				t.Error("the old workers did not come back")
			}
			wantError[*swap.HoldError](t, w.run(slot("2")))
		})
	}
}

func TestTooFewRequestsAreJudgedAsAsked(t *testing.T) {
	t.Parallel()
	for verdict, want := range map[target.Verdict]string{"": "2", target.VerdictPromote: "2", target.VerdictRollBack: "1"} {
		w := newWorld(t)
		w.mustRun("1")
		err := w.run(slot("2", gradual, func(s *target.Slot) { s.Policy.OnTooFewRequests = verdict }))
		if (err != nil) != (want == "1") {
			t.Errorf("%q ended with %v", verdict, err)
		}
		equal(t, "the front door", w.serving(), want)
	}
}

func TestARunCutOffInTheStepsIsResumed(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"interrupted", "killed"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.traffic()
			w.mustRun("1")
			client := w.Client()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			end := cancel
			if how == "killed" {
				end = client.Kill
			}
			watches := 0
			err := w.machineOn(client, func() {
				if s := w.record().Swap; s.Phase == target.PhaseWatching && s.StepsPassed == 1 {
					if watches++; watches == 2 { // when the watch has begun
						end()
					}
				}
			}).Run(ctx, slot("2", gradual))
			if how == "killed" != errors.Is(err, memtarget.ErrKilled) {
				t.Fatal(err)
			} else if how == "interrupted" {
				saysAll(t, wantError[*swap.InterruptedError](t, err), "while watching", "Release 1 serves 50 % of the traffic and release 2 the other 50 %. The next apply goes on from there.")
			}
			equal(t, "the share", w.observe().Percent, 50)
			w.clock.Advance(time.Hour)
			at := w.clock.Now()
			w.ok(w.run(slot("2", gradual)))
			w.settled()
			events := w.Target.Log(memtarget.Served)
			if held := events[len(events)-1].At.Sub(at); held < 40*time.Second {
				t.Errorf("all traffic moved %s after the next run began: the watch was not begun anew", held)
			}
		})
	}
}

func TestWhatHappensWhileAShareIsWatched(t *testing.T) {
	t.Parallel()
	watched := func(t *testing.T) *world {
		t.Helper()
		w := newWorld(t)
		w.traffic()
		w.mustRun("1")
		w.killedIn(target.PhaseWatching, slot("2", gradual))
		equal(t, "the share", w.observe().Percent, 10)
		return w
	}
	t.Run("a newer release: back first, without a hold", func(t *testing.T) {
		t.Parallel()
		w := watched(t)
		w.ok(w.run(slot("3", gradual)))
		w.stands("green 3", "blue 1")
		if diff := cmp.Diff([]string{"1 serves but for 10", "1 serves but for 0", "1 serves but for 10", "1 serves but for 50", "3 serves but for 0"}, w.moves(1)); diff != "" {
			t.Errorf("moves (-want +got):\n%s", diff)
		}
		w.ok(w.run(slot("2", gradual)))
	})
	t.Run("the release before: back, and that is all", func(t *testing.T) {
		t.Parallel()
		w := watched(t)
		w.ok(w.run(slot("1", gradual)))
		w.stands("blue 1")
		equal(t, "phase", w.record().Swap.Phase, target.PhaseRolledBack)
	})
	t.Run("a rollback: back, with a hold", func(t *testing.T) {
		t.Parallel()
		w := watched(t)
		w.ok(w.rollBack())
		w.stands("blue 1")
		saysAll(t, wantError[*swap.HoldError](t, w.run(slot("2", gradual))), "an operator rolled it back")
	})
	t.Run("other steps: they count from the next look", func(t *testing.T) {
		t.Parallel()
		w := watched(t)
		w.ok(w.run(slot("2", gradual, func(s *target.Slot) {
			s.Policy.Steps = []target.TrafficStep{{Percent: 5, HoldSeconds: 5}, {Percent: 30, HoldSeconds: 5}}
		})))
		w.settled()
		if diff := cmp.Diff([]string{"1 serves but for 10", "1 serves but for 30", "2 serves but for 0"}, w.moves(1)); diff != "" {
			t.Errorf("moves (-want +got):\n%s", diff)
		}
	})
	t.Run("the old stack is sick and a newer release is asked for: all traffic first", func(t *testing.T) {
		t.Parallel()
		w := watched(t)
		w.Script("api", "1", memtarget.Behaviour{Answers: func(int) bool { return false }})
		w.observe()
		w.observe()
		w.ok(w.run(slot("3", gradual)))
		w.stands("blue 3")
		if diff := cmp.Diff([]string{"1 serves but for 10", "2 serves but for 0"}, w.moves(1)[:2]); diff != "" {
			t.Errorf("moves (-want +got):\n%s", diff)
		}
	})
}
