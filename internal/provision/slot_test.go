package provision_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/memtarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/swap"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func broken(s *target.Slot) {
	c := s.Definition.Components["api"]
	c.Command = []string{memtarget.ProgramMissing}
	s.Definition.Components["api"] = c
}

func (w *world) is(s provision.SlotState, phase target.Phase, serving, candidate, fallback string) {
	w.Helper()
	name := func(st target.StackStatus, ok bool) string {
		if !ok {
			return ""
		}
		return st.Spec.Definition.Release
	}
	got := [4]string{string(s.Phase()), name(s.Serving()), name(s.Candidate()), name(s.Fallback())}
	if want := [4]string{string(phase), serving, candidate, fallback}; got != want {
		w.Errorf("phase, serving, candidate and fallback are %q, want %q", got, want)
	}
}

func TestASlotIsSwappedSwitchedBackAndRolledBack(t *testing.T) {
	t.Parallel()
	w := built(t)
	s, err := w.ReadSlot(t.Context(), oms)
	w.ok(err)
	w.is(s, target.PhaseLive, "1", "", "")
	s, err = w.UpdateSlot(t.Context(), slot(release("2")))
	w.ok(err)
	w.is(s, target.PhaseLive, "2", "", "1")
	s, err = w.UpdateSlot(t.Context(), slot())
	w.ok(err)
	w.is(s, target.PhaseLive, "1", "", "2")
	s, err = w.RollBack(t.Context(), oms, "an operator", "orders were lost")
	w.ok(err)
	w.is(s, target.PhaseRolledBack, "2", "", "")
	var held *swap.HoldError
	if s, err = w.UpdateSlot(t.Context(), slot()); !errors.As(err, &held) {
		t.Errorf("got error %v, want a hold", err)
	}
	w.is(s, target.PhaseRolledBack, "2", "", "")
	all, err := w.ListSlots(t.Context(), production)
	w.ok(err)
	if len(all) != 1 || all[0].Hold == nil {
		t.Errorf("got %+v", all)
	}
}

func TestASlotThatFailsReturnsWhatIsTrue(t *testing.T) {
	t.Parallel()
	w := before(t, nouns()[3])
	s, origin, err := w.CreateSlot(t.Context(), slot(broken))
	var failed *swap.FailedError
	if !errors.As(err, &failed) || origin != provision.Made || !s.Exists() || !s.Unfinished(w.clock.Now()) {
		t.Errorf("got %v, %q, %+v", err, origin, s.Record.Meta)
	}
	w.is(s, target.PhaseFailed, "", "", "")
	s, origin, err = w.CreateSlot(t.Context(), slot())
	w.ok(err)
	if origin != provision.Resumed || s.Unfinished(w.clock.Now()) {
		t.Errorf("got %q, %+v", origin, s.Record.Meta)
	}
	s, err = w.UpdateSlot(t.Context(), slot(release("2"), broken))
	if !errors.As(err, &failed) {
		t.Errorf("got error %v", err)
	}
	w.is(s, target.PhaseFailed, "1", "", "")
}

// What another run of the same owner makes meanwhile is that one's.
func TestASlotThatAnotherRunMakesIsNotOneToRemove(t *testing.T) {
	t.Parallel()
	w := before(t, nouns()[3])
	other := w.target.Client()
	lease, err := other.AcquireLease(t.Context(), oms, "another run", "another machine", time.Hour)
	w.ok(err)
	defer w.clock.Every(time.Second, func() {
		_, _ = other.AcquireLease(t.Context(), oms, lease.Token, lease.Holder, time.Hour)
	})()
	_, origin, err := w.CreateSlot(t.Context(), slot())
	w.refused(err, target.ErrConflict, "another machine")
	if origin == provision.Made {
		t.Errorf("got %q", origin)
	}
}

// What is true is read even where the time of whoever asked is up.
func TestAnInterruptedUpdateReturnsWhatIsTrue(t *testing.T) {
	t.Parallel()
	w := built(t)
	w.target.Script("api", "2", memtarget.Behaviour{RunningAfter: 1 << 20})
	ctx, cancel := context.WithCancel(t.Context())
	defer w.clock.Every(10*time.Second, cancel)()
	s, err := w.UpdateSlot(ctx, slot(release("2")))
	w.refused(err, context.Canceled, "was interrupted while verifying", "Release 1 still serves all traffic; the candidate was removed.")
	w.is(s, target.PhaseFailed, "1", "", "")
}

func TestASlotThatDoesNotFitIsRefused(t *testing.T) {
	t.Parallel()
	w := built(t)
	for _, c := range []struct {
		change func(*target.Slot)
		want   string
	}{
		{func(s *target.Slot) { s.Environment.Name = "nowhere" }, `environment_id: there is no environment "eu/nowhere" on memory target "memory"`},
		{func(s *target.Slot) { s.Definition.AllowUntested = false }, "a slot needs a test_suite"},
		{func(s *target.Slot) { s.Name = "web" }, `path_prefix "/" of any host leads to component "api" of slot "eu/production/oms" already`},
		{func(s *target.Slot) {
			c := s.Definition.Components["api"]
			c.Command, c.Image = nil, "app:1"
			s.Definition.Components["api"] = c
		}, "components.api.image: this target runs commands, not images"},
	} {
		events := len(w.target.Log())
		_, err := w.UpdateSlot(t.Context(), slot(c.change))
		w.refused(err, target.ErrInvalid, c.want)
		if s := slot(c.change); s.ID() != oms {
			_, _, err = w.CreateSlot(t.Context(), s)
			w.refused(err, target.ErrInvalid, c.want)
		}
		if len(w.target.Log()) != events {
			t.Errorf("a refused slot did something: %v", w.target.Log()[events:])
		}
	}
}

func TestASlotIsUnfinishedWhileThereIsSomethingToResume(t *testing.T) {
	t.Parallel()
	w := built(t)
	unfinished := func(after time.Duration) bool {
		s, err := w.ReadSlot(t.Context(), oms)
		w.ok(err)
		return s.Unfinished(w.clock.Now().Add(after))
	}
	if unfinished(0) {
		t.Error("a slot that is live is unfinished")
	}
	_, err := w.UpdateSlot(t.Context(), slot(release("2")))
	w.ok(err)
	for _, c := range []struct {
		after time.Duration
		want  bool
	}{{0, false}, {10 * time.Minute, false}, {11 * time.Minute, false}, {13 * time.Minute, true}} {
		if got := unfinished(c.after); got != c.want { // as if the target did not retire it
			t.Errorf("%s after the swap unfinished is %t, want %t", c.after, got, c.want)
		}
	}

	client := w.target.Client()
	client.FailChange(6, memtarget.KillAfter)
	p := provision.New(client, "this state", provision.Options{Clock: w.clock})
	if _, err := p.UpdateSlot(t.Context(), slot(release("3"))); !errors.Is(err, memtarget.ErrKilled) {
		t.Fatalf("got error %v", err)
	}
	if !unfinished(0) {
		t.Error("a swap that was killed is not unfinished")
	}
	s, err := w.ReadSlot(t.Context(), oms)
	w.ok(err)
	w.is(s, target.PhaseStarting, "2", "3", "")
	_, err = w.UpdateSlot(t.Context(), slot(release("3")))
	w.ok(err)
	if unfinished(0) {
		t.Error("the resumed swap is unfinished")
	}
}

func TestTwoAppliesAtOnce(t *testing.T) {
	t.Parallel()
	w := built(t)
	_, err := w.target.AcquireLease(t.Context(), oms, "token", "somebody else", 15*time.Second)
	w.ok(err)
	stop := w.clock.Every(5*time.Second, func() {
		_, err := w.target.AcquireLease(t.Context(), oms, "token", "somebody else", 15*time.Second)
		w.ok(err)
	})
	s, err := w.UpdateSlot(t.Context(), slot(release("2")))
	stop()
	var held *target.LeaseHeldError
	if !errors.As(err, &held) || held.Lease.Holder != "somebody else" {
		t.Errorf("got error %v", err)
	}
	w.is(s, target.PhaseLive, "1", "", "")
	_, err = w.UpdateSlot(t.Context(), slot(release("2"))) // somebody else died
	w.ok(err)
}
