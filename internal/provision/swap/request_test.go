package swap_test

import (
	"context"
	"errors"
	"iter"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/memtarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/swap"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// holder is a run that has the slot and goes on by one look at a time.
type holder struct {
	*world
	client *memtarget.Target
	look   func() (struct{}, bool)
	err    error
	over   bool
}

// hold begins a run to a release and leaves it in a phase.
func (w *world) hold(p target.Phase, s target.Slot) *holder {
	h := &holder{world: w, client: w.Client()}
	look, stop := iter.Pull(func(yield func(struct{}) bool) {
		d := &turns{Driver: w.audit.of(h.client, nil), turn: func() { yield(struct{}{}) }}
		h.err = swap.New(d, "the test", swap.Options{Clock: w.clock, Pause: w.pause}).Run(w.withoutCancel(), s)
		h.over = true
	})
	h.look = look
	if c, ok := w.reporter.(*testing.T); ok {
		c.Cleanup(stop)
	}
	for rec := w.record(); rec.Swap == nil || rec.Swap.Release != s.Definition.Release || rec.Swap.Phase != p; rec = w.record() {
		if _, more := h.look(); !more {
			w.Fatalf("the run ended with %v before it was %s", h.err, p)
		}
	}
	return h
}

// end lets the run end.
func (h *holder) end() error {
	for !h.over {
		h.look()
	}
	return h.err
}

// turns is a target of a run that gives others a turn before each of its looks.
type turns struct {
	swap.Driver
	turn func()
}

func (d *turns) Observe(ctx context.Context, id target.SlotID) (target.Observation, error) {
	d.turn()
	return d.Driver.Observe(ctx, id)
}

// patient is the clock of somebody who waits for a run: each time that one goes on by a look.
// A run that is over, or dead, lets the time pass.
type patient struct {
	*wait.Fake
	*holder
	slept func()
}

func (c *patient) Now() time.Time { return c.Fake.Now() }

func (c *patient) Sleep(ctx context.Context, d time.Duration) error {
	if c.slept != nil {
		c.slept()
	}
	if !c.over {
		c.look()
	} else {
		c.Advance(d)
	}
	return context.Cause(ctx)
}

// askBack asks a holder's slot back; slept is called at each look of who asks.
func (h *holder) askBack(ctx context.Context, by string, slept func()) error {
	m := swap.New(h.audit.of(h.Client(), nil), "another", swap.Options{Clock: &patient{h.clock, h, slept}, Pause: h.pause})
	return m.RollBack(ctx, oms, by, "orders were lost")
}

// request leaves a request for whoever holds the slot.
func (w *world) request() {
	_, err := w.PutRequest(w.withoutCancel(), oms, target.Request{
		ID: "r of " + w.record().Swap.ID, Kind: target.RequestRollBack, SwapID: w.record().Swap.ID, By: "an operator", Reason: "orders were lost", At: w.clock.Now(),
	})
	w.ok(err)
}

// once makes a function that does something at its n-th call.
func once(n int, do func()) func() {
	return func() {
		if n--; n == 0 {
			do()
		}
	}
}

func wentBack(t *testing.T, w *world) {
	t.Helper()
	w.stands("blue 1")
	rec := w.record()
	equal(t, "phase", rec.Swap.Phase, target.PhaseRolledBack)
	if h := rec.Hold; h == nil || h.Release != "2" || h.By != "an operator" || h.Reason != "orders were lost" {
		t.Errorf("got hold %+v", h)
	}
	if q := w.observe().Request; q != nil {
		t.Errorf("the request %+v stands", q)
	}
	wantError[*swap.HoldError](t, w.run(slot("2", stepwise)))
}

func TestARollbackIsAskedOfTheRunThatHasTheSlot(t *testing.T) {
	t.Parallel()
	for _, p := range []target.Phase{target.PhaseWatching, target.PhaseRollingBack} {
		t.Run("while it is "+string(p), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.mustRun("1")
			w.traffic()
			h := w.hold(target.PhaseWatching, slot("2", stepwise))
			if p == target.PhaseRollingBack { // somebody else was first
				w.request()
				for w.record().Swap.Phase != p {
					h.look()
				}
			}
			w.ok(h.askBack(t.Context(), "an operator", nil))
			failed := wantError[*swap.FailedError](t, h.end())
			equal(t, "message", failed.Error(), `Slot "oms" of "eu/production": an operator rolled release 2 back (orders were lost). `+
				`Release 1 serves all traffic again; release 2 was removed and is on hold: set another release, or raise retry above 0 to try it once more.`)
			wentBack(t, w)
		})
	}
}

// The run may do it, and end, between two looks of whoever asked.
func TestARollbackIsDoneThoughNobodyLooksMeanwhile(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		after func(*world) (end func() error)
		want  []string
	}{
		{"and the slot is free", func(*world) func() error { return nil }, []string{"blue 1"}},
		{"and another release serves", func(w *world) func() error { w.mustRun("3"); return nil }, []string{"green 3", "blue 1"}},
		{"and another release is on its way", func(w *world) func() error { return w.hold(target.PhaseWatching, slot("3", stepwise)).end }, []string{"green 3", "blue 1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.mustRun("1")
			w.traffic()
			h := w.hold(target.PhaseWatching, slot("2", stepwise))
			var end func() error
			w.ok(h.askBack(t.Context(), "an operator", once(1, func() {
				wantError[*swap.FailedError](t, h.end())
				wentBack(t, w)
				end = c.after(w)
			})))
			if end != nil {
				w.ok(end())
			}
			w.stands(c.want...)
		})
	}
}

func TestOfTwoWhoAskForARollbackTheFirstIsNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mustRun("1")
	w.traffic()
	h := w.hold(target.PhaseWatching, slot("2", stepwise))
	w.request()
	w.ok(h.askBack(t.Context(), "another", nil))
	wantError[*swap.FailedError](t, h.end())
	wentBack(t, w)
}

func TestARollbackThatCanNotBeIsRefusedAndTheRunGoesOn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, want string
		phase      target.Phase
		change     func(*world)
	}{
		{"before the first share", "release 2 has no traffic yet", target.PhaseTesting, func(*world) {}},
		{"while the old stack is not healthy", `what served before is not healthy: component "api" of release 1`, target.PhaseWatching, func(w *world) { w.sicken("1", 20*time.Second) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.mustRun("1")
			w.traffic()
			h := w.hold(c.phase, slot("2", stepwise))
			c.change(w)
			saysAll(t, wantError[*swap.NoFallbackError](t, h.askBack(t.Context(), "an operator", nil)), c.want)
			w.ok(h.end())
			w.stands("green 2", "blue 1")
			rec, noted := w.record(), false
			for _, step := range rec.Swap.Steps {
				noted = noted || step.Phase == c.phase && step.Note != ""
			}
			if !noted || rec.Hold != nil || w.observe().Request != nil {
				t.Errorf("noted: %t, hold %+v, request %+v", noted, rec.Hold, w.observe().Request)
			}
		})
	}
}

func TestARollbackThatTheRunGivesUpIsSaidToWhoAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mustRun("1")
	w.traffic()
	h := w.hold(target.PhaseWatching, slot("2", stepwise))
	err := h.askBack(t.Context(), "an operator", func() {
		if w.record().Swap.Phase == target.PhaseRollingBack {
			w.sicken("1", 20*time.Second)
		}
	})
	saysAll(t, wantError[*swap.NoFallbackError](t, err), "what served before lost its health on the way")
	w.Script("", "", memtarget.Behaviour{})
	w.ok(h.end())
	w.stands("green 2", "blue 1")
	if w.record().Hold != nil {
		t.Error("a hold was left")
	}
}

// Whoever asked need not wait: the request stands.
func TestARollbackIsDoneThoughWhoAskedIsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mustRun("1")
	w.traffic()
	h := w.hold(target.PhaseWatching, slot("2", stepwise))
	ctx, cancel := context.WithCancel(t.Context())
	err := h.askBack(ctx, "an operator", once(1, cancel))
	saysAll(t, wantError[*swap.InterruptedError](t, err), "The rollback was asked for")
	wantError[*swap.FailedError](t, h.end())
	wentBack(t, w)
}

// Whoever asked does it where the run that has the slot dies, at whatever look.
func TestARollbackIsDoneThoughTheRunIsGone(t *testing.T) {
	t.Parallel()
	for n := 1; ; n++ {
		w := newWorld(t)
		w.mustRun("1")
		w.traffic()
		h := w.hold(target.PhaseWatching, slot("2", stepwise))
		killed := false
		w.ok(h.askBack(t.Context(), "an operator", once(n, func() { killed = true; h.client.Kill() })))
		if err := h.end(); killed != errors.Is(err, memtarget.ErrKilled) {
			t.Errorf("the run ended with %v; it was killed: %t", err, killed)
		}
		wentBack(t, w)
		if !killed {
			break
		}
		if t.Failed() {
			t.Fatalf("the run was killed at look %d", n)
		}
	}
}

// A run without a swap has nothing to go back from: then who holds the slot is said, as ever.
func TestARollbackIsRefusedWhileTheSlotIsHeldForAnythingElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mustRun("1", "2")
	l, err := w.AcquireLease(t.Context(), oms, "token", "somebody else", time.Hour)
	w.ok(err)
	wantError[*target.LeaseHeldError](t, w.rollBack())
	w.ok(w.ReleaseLease(t.Context(), oms, l.Token))
	if q := w.observe().Request; q != nil {
		t.Errorf("the request %+v was left", q)
	}
}
