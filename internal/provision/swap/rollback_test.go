package swap_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/memtarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/swap"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func TestARollbackSendsTheTrafficBackAndLeavesAHold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mustRun("1", "2")
	w.ok(w.rollBack())
	w.stands("blue 1")
	rec := w.record()
	equal(t, "phase", rec.Swap.Phase, target.PhaseRolledBack)
	equal(t, "asked", rec.Asked.Definition.Release, "2")
	if h := rec.Hold; h == nil || h.Release != "2" || h.By != "an operator" || h.Reason != "orders were lost" || h.Retry != 0 {
		t.Errorf("got hold %+v", h)
	}
}

func TestAHoldLetsOnlyOthersPass(t *testing.T) {
	t.Parallel()
	held := func(t *testing.T) *world {
		w := newWorld(t)
		w.mustRun("1", "2")
		w.ok(w.rollBack())
		return w
	}
	t.Run("the same release again is refused and touches nothing at all", func(t *testing.T) {
		t.Parallel()
		w := held(t)
		before, events := w.record(), len(w.Target.Log())
		err := w.run(slot("2", func(s *target.Slot) { s.Tags = map[string]string{"a": "b"} }))
		equal(t, "message", wantError[*swap.HoldError](t, err).Error(), `Slot "oms" of "eu/production": release 2 is on hold: an operator rolled it back at 2026-11-03T12:00:04Z (orders were lost). `+
			`Release 1 serves all traffic; nothing was touched. To go on, set another release, or raise retry above 0 to try this one again.`)
		if diff := cmp.Diff(before, w.record()); diff != "" || len(w.Target.Log()) != events {
			t.Errorf("it touched the slot (-before +after):\n%s", diff)
		}
	})
	t.Run("a raised retry passes, and clears it", func(t *testing.T) {
		t.Parallel()
		w := held(t)
		w.ok(w.run(slot("2", retry(1))))
		w.stands("green 2", "blue 1")
		if w.record().Hold != nil {
			t.Error("the hold stands")
		}
		w.ok(w.rollBack())
		wantError[*swap.HoldError](t, w.run(slot("2", retry(1))))
		w.ok(w.run(slot("2", retry(2))))
	})
	t.Run("the same release with other components is refused too", func(t *testing.T) {
		t.Parallel()
		w := held(t)
		for _, change := range []func(*target.Slot){
			command("api", "mended-{release}"),
			func(s *target.Slot) {
				c := s.Definition.Components["mailer"]
				c.StopTimeoutSeconds, c.Environment = 7, map[string]string{"LEVEL": "debug"}
				s.Definition.Components["mailer"] = c
			},
		} {
			wantError[*swap.HoldError](t, w.run(slot("2", change)))
			w.stands("blue 1")
		}
		w.ok(w.run(slot("2", command("api", "mended-{release}"), retry(1))))
		equal(t, "the front door", w.serving(), "2")
	})
	t.Run("an earlier definition of the same release may go on serving, and no other", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.mustRun("1")
		w.ok(w.run(slot("1", command("api", "worse-{release}"))))
		w.ok(w.rollBack())
		saysAll(t, wantError[*swap.HoldError](t, w.run(slot("1", command("api", "worse-{release}")))), "An earlier definition of it serves all traffic; nothing was touched")
		wantError[*swap.HoldError](t, w.run(slot("1", command("api", "mended-{release}"))))
		w.mustRun("1")
		w.stands("blue 1")
		equal(t, "held", w.record().Hold != nil, true)
	})
	t.Run("another release that gets live clears it, whatever definition was rolled back", func(t *testing.T) {
		t.Parallel()
		w := held(t)
		w.mustRun("3")
		equal(t, "held", w.record().Hold != nil, false)
		w.ok(w.run(slot("2", command("api", "mended-{release}"))))
	})
	t.Run("another release passes, and clears it", func(t *testing.T) {
		t.Parallel()
		w := held(t)
		w.mustRun("3", "2")
		w.stands("blue 2", "green 3")
	})
	t.Run("what serves may be asked for, which does not clear it", func(t *testing.T) {
		t.Parallel()
		w := held(t)
		w.mustRun("1")
		wantError[*swap.HoldError](t, w.run(slot("2")))
		w.stands("blue 1")
	})
	t.Run("another release that fails does not clear it", func(t *testing.T) {
		t.Parallel()
		w := held(t)
		wantError[*swap.FailedError](t, w.run(slot("3", suite(memtarget.ProgramExit, "1"))))
		wantError[*swap.HoldError](t, w.run(slot("2")))
	})
}

func TestARollbackWithoutAFallbackIsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		before func(*world)
		want   string
	}{
		{"after a first deployment", func(w *world) { w.mustRun("1") }, "no fallback stands any more"},
		{"when the window is over", func(w *world) { w.mustRun("1", "2"); w.clock.Advance(window) }, "no fallback stands any more"},
		{"when the fallback is not healthy", func(w *world) { w.mustRun("1", "2"); w.sicken("1", window) }, `the fallback is not healthy: component "api" of release 1 has no healthy instance (instance 1: GET /healthz -> 503)`},
		{"where only a candidate stands", func(w *world) { w.mustRun("1"); w.killedIn(target.PhaseTesting, slot("2")) }, "release 2 has no traffic yet"},
		{"where nothing serves", func(w *world) { _ = w.run(slot("1", suite(memtarget.ProgramExit, "1"))) }, "nothing serves in it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			c.before(w)
			before := w.record()
			saysAll(t, wantError[*swap.NoFallbackError](t, w.rollBack()), `Slot "oms" of "eu/production" can't be rolled back: `+c.want, "Nothing was changed. To go back to an earlier release, set release to it and apply.")
			if diff := cmp.Diff(before, w.record()); diff != "" {
				t.Errorf("it touched the record (-before +after):\n%s", diff)
			}
		})
	}
	w := newWorld(t)
	if err := w.rollBack(); !errors.Is(err, target.ErrNotFound) {
		t.Errorf("got error %v, want %v", err, target.ErrNotFound)
	}
}

func TestAReleaseThatDoesNotAnswerAtTheFrontDoorIsRolledBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mustRun("1")
	w.LagFrontDoor(oms, 1<<30)
	err := wantError[*swap.FailedError](t, w.run(slot("2")))
	equal(t, "message", err.Error(), `Slot "oms" of "eu/production": the front door did not answer with release 2 within 30s after the switch (release "1" answered, with status 200). `+
		`Release 1 serves all traffic again; release 2 was removed and is on hold: set another release, or raise retry above 0 to try it once more.`)
	w.stands("blue 1")
	w.LagFrontDoor(oms, 0)
	wantError[*swap.HoldError](t, w.run(slot("2")))
	w.ok(w.run(slot("2", retry(1))))
}

// The time for an answer begins when somebody can ask; the release is judged meanwhile.
func TestAFrontDoorThatCanNotBeAskedYetTakesNoTimeOfTheAnswer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		deaf, bad  bool
		takes, max time.Duration
		want       string // of the error
	}{
		{"then it answers", false, false, 2 * time.Minute, 3 * time.Minute, ""},
		{"then it does not", true, false, 2*time.Minute + 25*time.Second, 3 * time.Minute, "did not answer with release 2 within 30s"},
		{"the release is bad meanwhile", false, true, 0, time.Minute, "broke a guardrail"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.traffic()
			w.mustRun("1")
			if c.bad {
				w.goesBad("2", 100, memtarget.Answers{ErrorPercent: 50, P50Milliseconds: 10, P99Milliseconds: 50})
			}
			var switched time.Time
			d := &door{Driver: w.audit.of(w.Client(), nil), deaf: c.deaf, pending: func() bool {
				if switched.IsZero() {
					switched = w.clock.Now()
				}
				return w.clock.Now().Before(switched.Add(2 * time.Minute))
			}}
			s := slot("2", gradual)
			s.Policy.Steps = nil
			err := swap.New(d, "the test", swap.Options{Clock: w.clock}).Run(t.Context(), s)
			if took := w.clock.Now().Sub(switched); took < c.takes || took > c.max {
				t.Errorf("it took %s from the switch on, want %s to %s", took, c.takes, c.max)
			}
			if c.want == "" {
				w.ok(err)
				w.stands("green 2", "blue 1")
				return
			}
			saysAll(t, wantError[*swap.FailedError](t, err), c.want)
			w.stands("blue 1")
		})
	}
}

// Where nothing healthy stands behind it, a release that does not answer stays, and the next
// apply looks again.
func TestAReleaseWithNothingBehindItStays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mustRun("1")
	run := func(release string, deaf bool) error {
		d := &door{Driver: w.audit.of(w.Client(), w.when(served, func() { w.sicken("1", window) })), deaf: deaf}
		return swap.New(d, "the test", swap.Options{Clock: w.clock}).Run(t.Context(), slot(release))
	}
	const stays = `Slot "oms" of "eu/production": the front door did not answer with release 2 within 30s after the switch (connection refused). ` +
		`It was not rolled back, since nothing healthy stands behind it. Release 2 has taken the traffic. Apply again to have it judged once more, or set another release, which goes ahead at once.`
	for range 2 {
		equal(t, "message", wantError[*swap.FailedError](t, run("2", true)).Error(), stays)
		w.seats("green 2", "blue 1")
		equal(t, "phase", w.record().Swap.Phase, target.PhaseDegraded)
		if w.record().Hold != nil {
			t.Error("a hold was left")
		}
	}
	other := w.fork()
	w.ok(run("2", false))
	w.settled()

	// Another release is a way out too.
	w = other
	w.ok(w.run(slot("3")))
	w.settled()
	equal(t, "the front door", w.serving(), "3")
}

func TestARollbackWhoseFallbackLosesItsHealthIsGivenUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mustRun("1", "2")
	deadline := *w.observe().Stacks[target.Blue].RetireAt
	w.clock.Advance(time.Minute)
	err := w.machineOn(w.Client(), w.when(target.PhaseRollingBack, func() { w.sicken("1", window) })).RollBack(t.Context(), oms, "an operator", "why not")
	saysAll(t, wantError[*swap.NoFallbackError](t, err), "what served before lost its health on the way")
	w.stands("green 2", "blue 1")
	if w.record().Hold != nil {
		t.Error("the hold stands")
	}
	if at := w.observe().Stacks[target.Blue].RetireAt; !at.Equal(deadline) {
		t.Errorf("the fallback's deadline moved from %s to %s", deadline, at)
	}
	w.mustRun("2")
}

// Then the release that could not be rolled back is not held back either.
func TestARollbackThatWasGivenUpLeavesNoHold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mustRun("1")
	w.killedIn(served, slot("2"))
	d := &door{Driver: w.audit.of(w.Client(), w.when(target.PhaseRollingBack, func() { w.sicken("1", window) })), deaf: true}
	err := swap.New(d, "the test", swap.Options{Clock: w.clock}).RollBack(t.Context(), oms, "an operator", "why not")
	saysAll(t, wantError[*swap.NoFallbackError](t, err), "what served before lost its health on the way")
	equal(t, "phase", w.record().Swap.Phase, target.PhaseWatching)
	if w.record().Hold != nil {
		t.Error("a hold was left")
	}
	w.mustRun("2")
	w.settled()
}

func TestAnUnfinishedRollbackIsFinishedFirst(t *testing.T) {
	t.Parallel()
	for _, next := range []string{"2", "3", "another rollback"} {
		t.Run("before "+next, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.mustRun("1", "2")
			client := w.Client()
			err := w.machineOn(client, w.when(target.PhaseRollingBack, client.Kill)).RollBack(t.Context(), oms, "an operator", "orders were lost")
			if !errors.Is(err, memtarget.ErrKilled) {
				t.Fatalf("the rollback was not killed: %v", err)
			}
			switch next {
			case "2":
				wantError[*swap.HoldError](t, w.run(slot("2")))
			case "3":
				w.mustRun("3")
				equal(t, "the front door", w.serving(), "3")
			default:
				w.ok(w.rollBack())
				w.stands("blue 1")
			}
			if diff := cmp.Diff([]string{"1", "2", "1"}, w.ServedLog(oms)[:3]); diff != "" {
				t.Errorf("served (-want +got):\n%s", diff)
			}
		})
	}
}

// A rollback may be asked for while a swap to the bad release is not yet finished.
func TestASwapThatWasNotFinishedCanBeRolledBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mustRun("1")
	w.killedIn(served, slot("2"))
	w.ok(w.rollBack())
	w.stands("blue 1")
	wantError[*swap.HoldError](t, w.run(slot("2")))
}
