package awstarget_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// TestAProcessMayBeKilledAtEachCall kills a process with each call that changes something, one
// after the other: it sends nothing any more, and keeps its lease, which ends by itself. Another
// process does the same again. To whoever comes later it makes no difference which call that only
// reads the dead one would have sent next.
func TestAProcessMayBeKilledAtEachCall(t *testing.T) {
	t.Parallel()
	t.Run("a switch back", func(t *testing.T) {
		t.Parallel()
		s := newStage(t)
		s.may = []string{"a", "b"}
		for n, died := 1, true; died && !t.Failed(); n++ {
			release := []string{"b", "a"}[n%2]
			died = s.killed(n, s.swap(release))
			s.converged(release, s.whole)
			s.may = []string{"a", "b"}
		}
	})
	// Most of it takes long: without SLIPWAY_ACC_ROUNDS there is only what is short.
	const parts = 3 // of the calls of a swap, each with its own slot
	if os.Getenv("SLIPWAY_ACC_ROUNDS") == "" {
		return
	}
	for part := range parts {
		t.Run(fmt.Sprintf("a swap, part %d", part+1), func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			for n := part + 1; ; n += parts {
				release := fmt.Sprint(n)
				s.may = append(s.may, release)
				died := s.killed(n, s.swap(release))
				s.converged(release, s.whole)
				if !died || t.Failed() {
					break
				}
			}
		})
	}
	t.Run("a change in place", func(t *testing.T) {
		t.Parallel()
		s := newStage(t)
		wider := func(web *target.Component) {
			web.Routes = append(web.Routes, target.Route{Host: "store", PathPrefix: "/"})
			web.Scaling.Min, web.Scaling.Schedules = 2, []target.Schedule{{From: "08:00", To: "18:00", Min: 2}}
		}
		whole := ""
		for n, died := 1, true; died && !t.Failed(); n++ {
			died = s.killed(n, s.swap("b", wider))
			if whole == "" {
				whole = s.inventory()
			}
			s.converged("b", whole)
			died = s.killed(n, s.swap("b")) || died
			s.converged("b", s.whole)
		}
	})
	t.Run("a removal and a first deployment", func(t *testing.T) {
		t.Parallel()
		s := newStage(t)
		first := ""
		for n, died := 1, true; died && !t.Failed(); n++ {
			s.may = nil
			died = s.killed(n, func(ctx context.Context, r *trial) error { return r.provisioner().DeleteSlot(ctx, s.id) })
			if got := words(s.running(t, home)); got != "[]" {
				t.Errorf("left: %s", got)
			}
			died = s.killed(n, func(ctx context.Context, r *trial) error {
				_, _, err := r.provisioner().CreateSlot(ctx, s.asked("1"))
				return err
			}) || died
			if first == "" {
				first = s.inventory()
			}
			s.converged("1", first)
		}
	})
}

// killed kills a process with a call, lets another one do the same, and says whether the first one
// came to that call.
func (s *stage) killed(n int, do work) (died bool) {
	s.Helper()
	ctx, cancel := context.WithCancel(s.Context())
	defer cancel()
	victim := s.process()
	victim.calls.DieAfter(n, cancel)
	err := do(ctx, victim)
	if died = victim.calls.Dead(); !died && err != nil {
		s.Fatalf("without being killed it failed: %v", err)
	}
	if made := victim.calls.Made(); died {
		s.Logf("killed with call %d: %s", n, made[len(made)-1])
	}
	if n%4 > 0 { // else the next one waits until the lease is over
		s.clock.Advance(2 * time.Minute)
	}
	if next := do(s.Context(), s.process()); next != nil {
		s.Fatalf("killed with call %d, after %q (%v), the next one failed: %v", n, tail(victim.calls.Made()), err, next)
	}
	return died
}

// tail is the end of a list.
func tail(all []string) []string { return all[max(0, len(all)-12):] }
