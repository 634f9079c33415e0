package awstarget_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget/awstest"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// TestAProcessMayBeKilledAtEachCall kills a process with each call that changes something, one
// after the other: it sends nothing any more, and keeps its lease, which ends by itself. Another
// process does the same again. To whoever comes later it makes no difference which call that only
// reads the dead one would have sent next.
//
// By default it is a switch back, and the other process dies too, with the first call that nobody
// has died with: one switch back is made by as many processes as it takes calls. With
// SLIPWAY_ACC_ROUNDS each of them is followed by one that lives, and there is more than that.
func TestAProcessMayBeKilledAtEachCall(t *testing.T) {
	t.Parallel()
	t.Run("a switch back by many", func(t *testing.T) {
		t.Parallel()
		s := newStage(t)
		s.may = []string{"a", "b"}
		const most, least = 120, 30
		died := map[string]bool{}
		n := 1
		for ; s.killedAnew(n, died, s.swap("a")); n++ {
			if n == most {
				t.Fatalf("%d processes have died, and it is not done", n)
			}
		}
		if n < least {
			t.Errorf("only %d processes have died, want one for each of at least %d calls", n-1, least)
		}
		s.converged("a", s.whole)
	})
	t.Run("in a switch, and another release is wanted then", func(t *testing.T) {
		t.Parallel()
		s := newStage(t)
		s.may = []string{"a", "b"}
		for n, fatal := range []func(awstest.Call) bool{
			func(c awstest.Call) bool { return strings.Contains(string(c.Body), `\"moving\":`) }, // it is noted, and no more
			func(c awstest.Call) bool { return c.Operation == "ModifyRule" },
		} {
			given, wanted := fmt.Sprint("given", n), fmt.Sprint("wanted", n)
			s.may = append(s.may, given, wanted)
			ctx, cancel := context.WithCancel(t.Context())
			victim := s.process()
			victim.calls.DieWith(fatal, cancel)
			if err := s.swap(given)(ctx, victim); !victim.calls.Dead() {
				t.Fatalf("it was not killed: %v", err)
			}
			s.clock.Advance(2 * time.Minute)
			if err := s.swap(wanted)(t.Context(), s.process()); err != nil {
				t.Fatal(err)
			}
			s.converged(wanted, s.whole)
			s.may = []string{wanted}
		}
	})
	// The rest takes long.
	const parts = 3 // of the calls of a swap, each with its own slot
	if os.Getenv("SLIPWAY_ACC_ROUNDS") == "" {
		return
	}
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

// killedAnew kills a process with the first call that none has died with, and says whether it came
// to one: if not, it has done everything.
func (s *stage) killedAnew(n int, died map[string]bool, do work) bool {
	s.Helper()
	ctx, cancel := context.WithCancel(s.Context())
	defer cancel()
	victim := s.process()
	victim.calls.DieWith(func(c awstest.Call) bool {
		what := s.essence(c)
		known := died[what]
		died[what] = true
		return !known
	}, cancel)
	err := do(ctx, victim)
	made := victim.calls.Made()
	if !victim.calls.Dead() {
		if err != nil {
			s.Fatalf("process %d was not killed, after %q, and failed: %v", n, tail(made), err)
		}
		return false
	}
	s.Logf("process %d was killed with %s", n, made[len(made)-1])
	if n%16 > 0 { // else the next one waits until the lease is over
		s.clock.Advance(2 * time.Minute)
	}
	return true
}

// unlike is what is another one each time that the same is sent again: random tokens, counts, times,
// and what was measured so far.
var unlike = regexp.MustCompile(`":(lease_)?token":\{"S":"[A-Z0-9]+"\}|[A-Z2-7]{26}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}|\\"samples\\":\[.*?\],?|[0-9]+`)

// essence is what of a call is the same when another process sends it again, with what it writes.
func (s *stage) essence(c awstest.Call) string {
	body := c.Form.Encode()
	if c.Form == nil {
		var members any
		if err := json.Unmarshal(c.Body, &members); err != nil {
			s.Errorf("read a call of %s: %v", c.Operation, err)
		}
		sorted, err := json.Marshal(members)
		if err != nil {
			s.Error(err)
		}
		body = string(sorted)
	}
	return c.Service + " " + c.Operation + " " + unlike.ReplaceAllString(body, "#")
}

// tail is the end of a list.
func tail(all []string) []string { return all[max(0, len(all)-12):] }
