package memtarget_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/memtarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func TestFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		mode  memtarget.Mode
		err   error
		done  bool
		alive bool
	}{
		{"a refused call does nothing", memtarget.Refuse, target.ErrUnavailable, false, true},
		{"a call whose answer is lost is done", memtarget.LoseAnswer, target.ErrUnavailable, true, true},
		{"a client killed before the call did nothing", memtarget.KillBefore, memtarget.ErrKilled, false, false},
		{"a client killed after the call has done it", memtarget.KillAfter, memtarget.ErrKilled, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			other := f.Client()
			f.FailCall(2, c.mode)
			_, err := f.GetRegion(t.Context(), region.Name)
			f.ok(err)

			_, err = f.PutAccountDatabase(t.Context(), database, by)
			if !errors.Is(err, c.err) || f.Struck() != 1 {
				t.Errorf("got error %v and %d faults, want %v and 1", err, f.Struck(), c.err)
			}
			if got := slices.Contains(f.Inventory(), "account database "+acme.String()); got != c.done {
				t.Errorf("the call was done: %t, want %t", got, c.done)
			}

			_, err = f.GetRegion(t.Context(), region.Name)
			if (err == nil) != c.alive {
				t.Errorf("the next call returns %v, want the client alive: %t", err, c.alive)
			}
			_, err = other.GetRegion(t.Context(), region.Name)
			f.ok(err)
			f.Revive()
			rec, err := f.PutAccountDatabase(t.Context(), database, by)
			f.ok(err)
			if rec.Meta.Generation != 1 {
				t.Errorf("the repeated put is at generation %d, want 1", rec.Meta.Generation)
			}
		})
	}
}

func TestFailChangeCountsOnlyWhatMayChangeSomething(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.FailChange(1, memtarget.Refuse)
	for range 3 {
		_, err := f.GetRegion(t.Context(), region.Name)
		f.ok(err)
	}
	if err := f.DeleteRegion(t.Context(), "other"); !errors.Is(err, target.ErrUnavailable) {
		t.Errorf("got error %v, want %v", err, target.ErrUnavailable)
	}
	f.ok(f.DeleteRegion(t.Context(), "other"))
}

func TestEveryClientCountsItsOwnCalls(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	other := f.Client()
	_, err := other.GetRegion(t.Context(), region.Name)
	f.ok(err)
	_, err = other.Observe(t.Context(), oms)
	f.ok(err)
	if diff := cmp.Diff(map[string]int{"GetRegion": 1, "Observe": 1}, other.Counts()); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	if other.Calls() != 2 || f.Calls() != 3 {
		t.Errorf("the clients made %d and %d calls, want 2 and 3", other.Calls(), f.Calls())
	}
	other.Kill()
	if _, err := other.GetRegion(t.Context(), region.Name); !errors.Is(err, memtarget.ErrKilled) {
		t.Errorf("got error %v, want %v", err, memtarget.ErrKilled)
	}
	if other.Calls() != 2 {
		t.Error("a call of a killed client was counted")
	}
}

// A sequence of calls, each repeated until it has its answer, ends the same whichever of
// them fails and however.
func TestCallsThatAreRepeatedLeadToTheSameEnd(t *testing.T) {
	t.Parallel()
	var want []string
	for _, mode := range []memtarget.Mode{memtarget.Refuse, memtarget.LoseAnswer} {
		for n := 1; ; n++ {
			f := newFixture(t)
			f.FailCall(n, mode)
			repeat := func(call func() error) {
				t.Helper()
				err := call()
				if errors.Is(err, target.ErrUnavailable) {
					err = call()
				}
				f.ok(err)
			}
			changed := database
			changed.ConnectionLimit = 9
			repeat(func() error { _, err := f.PutAccountDatabase(t.Context(), database, by); return err })
			repeat(func() error {
				o := by
				o.IfGeneration = 1
				_, err := f.PutAccountDatabase(t.Context(), changed, o)
				return err
			})
			rec := target.SlotRecord{Asked: target.Slot{Environment: environ, Name: oms.Name}}
			repeat(func() error { _, err := f.PutSlot(t.Context(), rec, f.lease); return err })
			repeat(func() error { return f.PutTask(t.Context(), target.TaskSpec{Key: "k", Slot: oms}, f.lease) })
			repeat(func() error { return f.DeleteTask(t.Context(), oms, "k", f.lease) })
			repeat(func() error { return f.DeleteSlot(t.Context(), oms, f.lease) })
			repeat(func() error { return f.ReleaseLease(t.Context(), oms, f.lease.Token) })
			repeat(func() error { return f.DeleteAccountDatabase(t.Context(), acme) })
			repeat(func() error { return f.DeleteEnvironment(t.Context(), environ) })
			if want == nil {
				want = f.Inventory()
			}
			if diff := cmp.Diff(want, f.Inventory()); diff != "" {
				t.Fatalf("call %d %s (-want +got):\n%s", n, mode, diff)
			}
			if f.Struck() == 0 {
				break
			}
		}
	}
	if diff := cmp.Diff([]string{"installation memory", "region eu"}, want); diff != "" {
		t.Errorf("the end (-want +got):\n%s", diff)
	}
}
