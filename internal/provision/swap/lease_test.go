package swap_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/swap"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

const leaseTTL = 15 * time.Second

func TestASecondRunSaysWhoHoldsTheSlotAndUntilWhen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mustRun("1")
	var second error
	var took time.Duration
	w.ok(w.machineOn(w.Client(), w.when(target.PhaseTesting, func() {
		began := w.clock.Now()
		second = w.run(slot("3"))
		took = w.clock.Now().Sub(began)
	})).Run(t.Context(), slot("2")))
	held := wantError[*target.LeaseHeldError](t, second)
	saysAll(t, second, `slot "eu/production/oms" is held by the test (`, ", process ", ") until 2026-11-03T12:00:")
	if took > leaseTTL || held.Lease.Holder == "" {
		t.Errorf("it took %s to see that %q lives", took, held.Lease.Holder)
	}
	w.stands("green 2", "blue 1")
	equal(t, "stacks of release 3", w.made("stack made", "3"), 0)
}

func TestTheLeaseOfADeadRunIsTakenOverWithinItsTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mustRun("1")
	w.killedIn(target.PhaseTesting, slot("2"))
	began := w.clock.Now()
	w.mustRun("2")
	if took := w.clock.Now().Sub(began); took > leaseTTL+2*time.Second {
		t.Errorf("the next run was over after %s, want it to begin within the lease's %s", took, leaseTTL)
	}
}

func TestALongRunKeepsItsLease(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mustRun("1")
	w.sicken("2", 50*time.Second)
	w.mustRun("2")
	w.stands("green 2", "blue 1")
	if took := w.clock.Now().Sub(noon); took < 3*leaseTTL {
		t.Errorf("the run took only %s", took)
	}
}

// A machine that slept must do nothing more once it has lost its lease, even if nobody else
// has taken it.
func TestARunThatLostItsLeaseEndsAtOnce(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		phase  target.Phase
		truth  string
		freeze func(w *world)
	}{
		{"it slept before the switch", target.PhaseVerifying, "Release 1 still serves all traffic. The next apply goes on from there.", func(w *world) { w.clock.Jump(time.Minute) }},
		{"it slept after the switch", served, "Release 2 has taken the traffic. The next apply goes on from there.", func(w *world) { w.clock.Jump(time.Minute) }},
		{"somebody else took it meanwhile", target.PhaseVerifying, "Release 1 still serves all traffic. The next apply goes on from there.", func(w *world) {
			w.clock.Jump(time.Minute)
			_, err := w.AcquireLease(w.Context(), oms, "token", "somebody else", 10*time.Second)
			w.ok(err)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.mustRun("1")
			err := w.machineOn(w.Client(), w.when(c.phase, func() { c.freeze(w) })).Run(t.Context(), slot("2"))
			saysAll(t, wantError[*swap.InterruptedError](t, err), "the swap to release 2 was interrupted", "lease", c.truth)
			if !errors.Is(err, target.ErrLeaseLost) {
				t.Errorf("got error %v, want %v", err, target.ErrLeaseLost)
			}
			w.mustRun("2")
			w.settled()
		})
	}
}

func TestARunOnATargetThatIsGoneEndsWithItsLease(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mustRun("1")
	d := &mute{Driver: w.audit.of(w.Client(), nil), clock: w.clock, from: noon.Add(5 * time.Second)}
	w.sicken("2", 40*time.Second)
	err := swap.New(d, "the test", swap.Options{Clock: w.clock}).Run(t.Context(), slot("2"))
	saysAll(t, wantError[*swap.InterruptedError](t, err), "the lease ran out at", "What is true now could not be seen.")
	if took := w.clock.Now().Sub(d.from); took > 3*leaseTTL {
		t.Errorf("it took %s to give up", took)
	}
	w.mustRun("2")
	w.settled()
}

func TestALeaseThatCanNotBeTakenIsAnError(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := &mute{Driver: w.audit.of(w.Client(), nil), clock: w.clock, from: noon}
	err := swap.New(d, "the test", swap.Options{Clock: w.clock}).Run(t.Context(), slot("1"))
	if saysAll(t, err, `take the lease of slot "eu/production/oms": no answer`); !errors.Is(err, target.ErrUnavailable) {
		t.Errorf("got error %v, want %v", err, target.ErrUnavailable)
	}
}

func TestARunOutlivesShortSilencesOfItsTarget(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mustRun("1")
	d := &mute{Driver: w.audit.of(w.Client(), nil), clock: w.clock, from: noon.Add(3 * time.Second), until: noon.Add(12 * time.Second)}
	w.sicken("2", 20*time.Second)
	w.ok(swap.New(d, "the test", swap.Options{Clock: w.clock}).Run(t.Context(), slot("2")))
	w.stands("green 2", "blue 1")
}

// The machine's own clock: a heartbeat in real time, with a context of its own.
func TestTheRealClockServesToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	quick := func(s *target.Slot) { s.Policy.MinimumHealthySeconds = 0 }
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	w.ok(swap.New(w.audit.of(w.Client(), nil), "the test", swap.Options{Pause: time.Millisecond}).Run(ctx, slot("1", quick)))
	w.stands("blue 1")
}
