package swap_test

import (
	"errors"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/memtarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/swap"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// Whatever keeps a release from being switched to, what serves is not touched, the message is
// complete, and the next apply tries again.
func TestAReleaseThatFailsBeforeTheSwitchTouchesNothing(t *testing.T) {
	t.Parallel()
	const truth = " Release 1 still serves all traffic; the candidate was removed. Put the cause right and apply again."
	for _, c := range []struct {
		name   string
		change func(*target.Slot)
		script func(*world)
		want   string
		within time.Duration
	}{
		{"its migration fails", migrate(memtarget.ProgramExit, "3"), nil,
			"the migration failed with exit code 3\nIts last lines:\n  exit 3\n\n" + truth[1:], time.Minute},
		{"its migration hangs", migrate(memtarget.ProgramHangs), nil,
			"the migration was inconclusive (did not end within 1m0s and was killed)." + truth, 2 * time.Minute},
		{"its migration is killed", migrate(memtarget.ProgramKilled), nil,
			"the migration was inconclusive (killed by signal 9)." + truth, time.Minute},
		{"it never gets healthy", command("api", memtarget.ProgramNeverHealthy), nil,
			"component \"api\" of release 2 did not become healthy within 1m0s (instance 1: GET /healthz -> 503)\nIts last lines:\n  not ready yet\n\n" + truth[1:], 70 * time.Second},
		{"it flaps", command("api", memtarget.ProgramFlaps), nil,
			`component "api" of release 2 did not become healthy within 1m0s (instance 1: GET /healthz -> `, 70 * time.Second},
		{"it does not stay healthy long enough", func(s *target.Slot) { s.Policy.MinimumHealthySeconds = 30 }, func(w *world) {
			w.Script("api", "2", memtarget.Behaviour{Answers: func(int) bool { return int(w.clock.Now().Sub(noon).Seconds())%25 != 20 }})
		}, `component "api" of release 2 did not stay healthy for 30s within 1m0s (instance 1: GET /healthz -> 200).` + truth, 70 * time.Second},
		{"it crashes at start", command("api", memtarget.ProgramCrashes), nil,
			"times (instance 1: exited with code 1)\nIts last lines:\n  panic: this program crashes\n\n" + truth[1:], 10 * time.Second},
		{"its program does not exist", command("api", memtarget.ProgramMissing), nil,
			`component "api" of release 2 can't be started (instance 1: program "missing" does not exist).` + truth, 10 * time.Second},
		{"it never runs", func(*target.Slot) {}, func(w *world) { w.Script("api", "2", memtarget.Behaviour{RunningAfter: 1 << 20}) },
			`component "api" of release 2 did not become healthy within 1m0s (instance 1: not running).` + truth, 70 * time.Second},
		{"its test suite fails", suite(memtarget.ProgramExit, "1"), nil,
			"the test suite failed with exit code 1\nIts last lines:\n  exit 1\n\n" + truth[1:], time.Minute},
		{"its test suite hangs", suite(memtarget.ProgramHangs), nil,
			"the test suite was inconclusive (did not end within 1m0s and was killed)." + truth, 2 * time.Minute},
		{"its test suite is killed", suite(memtarget.ProgramKilled), nil,
			"the test suite was inconclusive (killed by signal 9)." + truth, time.Minute},
		{"its test suite does not exist", suite(memtarget.ProgramMissing), nil,
			`the test suite could not be started (program "missing" does not exist).` + truth, time.Minute},
		{"it breaks while it is tested", func(*target.Slot) {}, func(w *world) {
			w.ScriptTask(target.TaskTest, memtarget.TaskBehaviour{Hangs: true})
			kills := 3
			w.clock.Every(10*time.Second, func() {
				for ; kills > 0; kills-- {
					w.KillInstance(oms, target.Green, "api", 1)
				}
			})
		}, `the candidate broke while it was tested: component "api" of release 2 ended 3 times (instance 1: GET /healthz -> 200).` + truth, time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.mustRun("1")
			if c.script != nil {
				c.script(w)
			}
			before, began := w.record(), w.clock.Now()
			err := wantError[*swap.FailedError](t, w.run(slot("2", c.change)))
			saysAll(t, err, `Slot "oms" of "eu/production": `, c.want, truth[1:])
			if took := w.clock.Now().Sub(began); took > c.within {
				t.Errorf("it took %s, want at most %s", took, c.within)
			}
			w.stands("blue 1")
			rec := w.record()
			equal(t, "phase", rec.Swap.Phase, target.PhaseFailed)
			equal(t, "the phase that it failed in", rec.Swap.FailedIn, err.Phase)
			if rec.Hold != nil || !rec.Meta.Ready || rec.Passed[target.Blue] != before.Passed[target.Blue] {
				t.Errorf("the record tells something else: %+v", rec)
			}
			w.Script("", "", memtarget.Behaviour{})
			w.ScriptTask(target.TaskTest, memtarget.TaskBehaviour{})
			w.mustRun("2")
			w.stands("green 2", "blue 1")
		})
	}
}

// The candidate's own deadline is put off as long as somebody waits for it.
func TestACandidateMayTakeLong(t *testing.T) {
	t.Parallel()
	for _, well := range []time.Duration{50 * time.Minute, 70 * time.Minute} {
		t.Run("it is healthy after "+well.String(), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.mustRun("1")
			w.sicken("2", well)
			m := swap.New(w.audit.of(w.Client(), nil), "the test", swap.Options{Clock: w.clock, Pause: 5 * time.Second})
			err := m.Run(t.Context(), slot("2", func(s *target.Slot) { s.Policy.StartTimeoutSeconds = 3600 }))
			if well < time.Hour {
				w.ok(err)
				w.stands("green 2", "blue 1")
			} else {
				saysAll(t, wantError[*swap.FailedError](t, err), "did not become healthy within 1h0m0s")
				w.stands("blue 1")
			}
			equal(t, "stacks of release 2", w.made(memtarget.StackMade, "2"), 1)
		})
	}
}

func TestAFirstDeploymentThatFailsLeavesNothingServing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	err := wantError[*swap.FailedError](t, w.run(slot("1", command("api", memtarget.ProgramMissing))))
	saysAll(t, err, "does not exist). Nothing serves in this slot; the candidate was removed. Put the cause right and apply again.")
	w.stands()
	rec := w.record()
	equal(t, "ready", rec.Meta.Ready, false)
	w.mustRun("1")
	w.stands("blue 1")
	equal(t, "generation", w.record().Meta.Generation, 1)
}

// An effect that can't be done at all fails the swap like any other reason.
func TestAnEffectThatCanNotBeDoneFailsTheSwap(t *testing.T) {
	t.Parallel()
	full := errors.New("the disk is full")
	for _, c := range []struct {
		method, want string
		serving      string
	}{
		{"PutStack", "put the green stack: the disk is full. Release 1 still serves all traffic; the candidate was removed.", "1"},
		{"RetireStack", "set the deadline of the green stack: the disk is full. Release 1 still serves all traffic; the candidate was removed.", "1"},
		{"PutTask", "start the migration: the disk is full. Release 1 still serves all traffic; the candidate was removed.", "1"},
		{"SetTraffic", "switch the traffic to the green stack: the disk is full. Release 1 still serves all traffic; the candidate was removed.", "1"},
		{"ProbeFrontDoor", "probe the front door: the disk is full. Release 2 has taken the traffic.", "2"},
	} {
		t.Run(c.method, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.mustRun("1")
			d := &broken{Driver: w.audit.of(w.Client(), nil), method: c.method, err: full}
			err := swap.New(d, "the test", swap.Options{Clock: w.clock}).Run(t.Context(), slot("2"))
			saysAll(t, wantError[*swap.FailedError](t, err), c.want+" Put the cause right and apply again.")
			if !errors.Is(err, full) {
				t.Error("the error does not lead to what the target reported")
			}
			equal(t, "the front door", w.serving(), c.serving)
			w.mustRun("2")
			w.settled()
		})
	}
}

func TestAnEffectThatTheTargetCanNotDoNowIsTriedForSomeTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mustRun("1")
	d := &broken{Driver: w.audit.of(w.Client(), nil), method: "PutStack", err: target.Errorf(target.ErrUnavailable, "the front door is not open")}
	began := w.clock.Now()
	err := swap.New(d, "the test", swap.Options{Clock: w.clock, Pause: time.Second}).Run(t.Context(), slot("2"))
	saysAll(t, wantError[*swap.FailedError](t, err), "put the green stack: the front door is not open. Release 1 still serves all traffic; the candidate was removed.")
	if took := w.clock.Now().Sub(began); took < time.Minute || took > 65*time.Second {
		t.Errorf("it took %s, want a minute", took)
	}
	w.stands("blue 1")
}

func TestACandidateThatKeepsLosingItsHealthIsGivenUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mustRun("1")
	// It is well as long as it is not about to be switched to.
	d := &shy{Driver: w.audit.of(w.Client(), nil), world: w}
	err := swap.New(d, "the test", swap.Options{Clock: w.clock}).Run(t.Context(), slot("2"))
	saysAll(t, wantError[*swap.FailedError](t, err), `the candidate lost its health again and again: component "api" of release 2 did not become healthy`)
	w.stands("blue 1")
}

func TestARouterThatDoesNotTakeTheCandidateFailsTheSwap(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mustRun("1")
	d := &broken{Driver: w.audit.of(w.Client(), nil), method: "SetTraffic", err: target.Errorf(target.ErrConflict, "component \"api\" has no healthy instance")}
	began := w.clock.Now()
	err := swap.New(d, "the test", swap.Options{Clock: w.clock}).Run(t.Context(), slot("2"))
	saysAll(t, wantError[*swap.FailedError](t, err), `the router did not take the candidate within 30s (component "api" has no healthy instance). Release 1 still serves`)
	if took := w.clock.Now().Sub(began); took > 40*time.Second {
		t.Errorf("it took %s", took)
	}
	w.stands("blue 1")
}

func TestAPhaseOfAnotherVersionIsLeftAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mustRun("1")
	w.killedIn(target.PhaseTesting, slot("2"))
	w.clock.Advance(leaseTTL)
	lease, err := w.AcquireLease(t.Context(), oms, "token", "a newer version", time.Second)
	w.ok(err)
	rec := w.record()
	rec.Swap.Phase = "pondering"
	_, err = w.PutSlot(t.Context(), rec, lease)
	w.ok(err)
	events := len(w.Target.Log())
	saysAll(t, wantError[*swap.FailedError](t, w.run(slot("2"))), `the swap to release 2 is in phase "pondering", which this version of Slipway does not know: finish it with the version that began it. Release 1 still serves all traffic.`)
	equal(t, "events", len(w.Target.Log()), events)
}
