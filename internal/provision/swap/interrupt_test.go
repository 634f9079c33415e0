package swap_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/memtarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/swap"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// interruptedIn runs a change and takes the asker's context away when its swap is in a phase.
func (w *world) interruptedIn(p target.Phase, cause error, s target.Slot) *swap.InterruptedError {
	w.Helper()
	ctx, cancel := context.WithCancelCause(w.Context())
	defer cancel(nil)
	err := w.machineOn(w.Client(), w.when(p, func() { cancel(cause) })).Run(ctx, s)
	e := wantError[*swap.InterruptedError](w, err)
	if !errors.Is(err, cause) {
		w.Errorf("got error %v, want one that matches %v", err, cause)
	}
	return e
}

func TestBeforeTheSwitchAnInterruptedRunRemovesItsCandidate(t *testing.T) {
	t.Parallel()
	for _, first := range []bool{false, true} {
		for _, phase := range []target.Phase{target.PhasePreparing, target.PhaseMigrating, target.PhaseStarting, target.PhaseVerifying, target.PhaseTesting, target.PhaseSwitching} {
			t.Run(fmt.Sprintf("in phase %s, first deployment: %t", phase, first), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				truth := "Nothing serves in this slot; the candidate was removed."
				if !first {
					w.mustRun("1")
					truth = "Release 1 still serves all traffic; the candidate was removed."
				}
				w.ScriptTask(target.TaskTest, memtarget.TaskBehaviour{EndsAfter: 5})
				e := w.interruptedIn(phase, context.Canceled, slot("2"))
				equal(t, "phase", e.Phase, phase)
				saysAll(t, e, `Slot "oms" of "eu/production": the swap to release 2 was interrupted while `+string(phase)+" by Ctrl-C, or because Terraform was told to stop. "+truth+" Apply again to go on.")
				if first {
					w.stands()
				} else {
					w.stands("blue 1")
				}
				w.mustRun("2")
				w.settled()
				equal(t, "the front door", w.serving(), "2")
			})
		}
	}
}

// A swap that was interrupted before it removed the fallback leaves it where it is.
func TestAFallbackOutlivesAnInterruptedSwap(t *testing.T) {
	t.Parallel()
	for _, s := range []target.Slot{slot("3"), slot("1")} {
		t.Run("to release "+s.Definition.Release, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.mustRun("1", "2")
			e := w.interruptedIn(target.PhasePreparing, context.Canceled, s)
			saysAll(t, e, "Release 2 still serves all traffic, and the fallback, release 1, still stands.")
			w.stands("green 2", "blue 1")
			w.mustRun("1")
			equal(t, "stacks of release 1", w.made(memtarget.StackMade, "1"), 1)
		})
	}
}

func TestAfterTheSwitchAnInterruptedRunLeavesEverythingAsItIs(t *testing.T) {
	t.Parallel()
	late := errors.New("the time limit has passed")
	for during, phase := range map[string]target.Phase{"the switch": target.PhaseSwitching, "the drain": target.PhaseWatching} {
		t.Run("during "+during, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.mustRun("1")
			var e *swap.InterruptedError
			if during == "the switch" {
				e = w.interruptedIn(served, late, slot("2"))
			} else {
				w.HoldRequests(oms, target.Blue, 2)
				began := w.clock.Now()
				ctx, cancel := context.WithCancelCause(t.Context())
				defer w.clock.Every(time.Second, func() {
					if w.observe().Serving == target.Green {
						cancel(late)
					}
				})()
				e = wantError[*swap.InterruptedError](t, w.machine().Run(ctx, slot("2", func(s *target.Slot) { s.Policy.DrainSeconds = 300 })))
				if took := w.clock.Now().Sub(began); took > 301*time.Second {
					t.Errorf("it took %s to end", took)
				}
			}
			equal(t, "phase", e.Phase, phase)
			saysAll(t, e, fmt.Sprintf("interrupted while %s: the time limit has passed. Release 2 has taken the traffic. The next apply goes on from there.", phase))
			w.seats("green 2", "blue 1")
			equal(t, "the stored phase", w.record().Swap.Phase, phase)
			w.mustRun("2")
			w.settled()
		})
	}
}

// A switch that was asked for before the interruption may happen after it.
func TestASwitchThatComesLateIsFinished(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mustRun("1")
	ctx, cancel := context.WithCancel(t.Context())
	d := &late{Driver: w.Client(), interrupt: cancel}
	err := swap.New(d, "the test", swap.Options{Clock: w.clock}).Run(ctx, slot("2"))
	saysAll(t, wantError[*swap.InterruptedError](t, err), "Release 2 serves all traffic. Apply again to go on.")
	w.stands("green 2", "blue 1")
	w.mustRun("2")
}

func TestAnInterruptedRollbackIsFinishedByTheNextRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mustRun("1", "2")
	ctx, cancel := context.WithCancel(t.Context())
	err := w.machineOn(w.Client(), w.when(target.PhaseRollingBack, cancel)).RollBack(ctx, oms, "an operator", "orders were lost")
	saysAll(t, wantError[*swap.InterruptedError](t, err), "interrupted while rolling back", "Release 2 serves all traffic. The next apply goes on from there.")
	wantError[*swap.HoldError](t, w.run(slot("2")))
	w.stands("blue 1")
}

func TestACandidateThatCanNotBeRemovedInTimeIsLeftToTheNextRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mustRun("1")
	ctx, cancel := context.WithCancel(t.Context())
	d := &immovable{Driver: w.audit.of(w.Client(), w.when(target.PhaseTesting, cancel))}
	began := w.clock.Now()
	err := swap.New(d, "the test", swap.Options{Clock: w.clock}).Run(ctx, slot("2"))
	saysAll(t, wantError[*swap.InterruptedError](t, err), "Release 1 still serves all traffic.", "The candidate was not removed within 30s", "the next apply removes it")
	if took := w.clock.Now().Sub(began); took > 40*time.Second {
		t.Errorf("it took %s", took)
	}
	w.mustRun("1")
	w.stands("blue 1")
}

func TestAnInterruptedChangeInPlaceSaysWhatIsTrue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mustRun("1")
	ctx, cancel := context.WithCancel(t.Context())
	err := w.machineOn(w.Client(), cancel).Run(ctx, slot("1", wider))
	saysAll(t, wantError[*swap.InterruptedError](t, err), `Slot "oms" of "eu/production": the change was interrupted by Ctrl-C, or because Terraform was told to stop. Release 1 serves all traffic. Apply again to go on.`)
	w.ok(w.run(slot("1", wider)))
	equal(t, "instances", len(w.observe().Stacks[target.Blue].Of("api")), 2)
}

func TestWhoGivesUpBeforeTheLeaseIsTakenTouchesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mustRun("1")
	_, err := w.AcquireLease(t.Context(), oms, "token", "somebody else", time.Hour)
	w.ok(err)
	before := w.record()
	for _, run := range []func(context.Context) error{
		func(ctx context.Context) error { return w.machine().Run(ctx, slot("2")) },
		func(ctx context.Context) error { return w.machine().RollBack(ctx, oms, "me", "why not") },
		func(ctx context.Context) error { return w.machine().Delete(ctx, oms) },
	} {
		ctx, cancel := context.WithCancel(t.Context())
		stop := w.clock.Every(time.Second, cancel)
		err := run(ctx)
		stop()
		saysAll(t, wantError[*swap.InterruptedError](t, err), "the change was interrupted by Ctrl-C, or because Terraform was told to stop. Nothing was touched.")
	}
	equal(t, "revision", w.record().Revision, before.Revision)
}
