package awstarget_test

import (
	"context"
	"os"
	"testing"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget/awstest"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// TestAWholeSlotSurvivesEveryFault lets calls fail of what Terraform does with a slot as a whole: its removal, its
// creation, a change in place, and a swap. Whoever does the same again comes to the end, and what is there is counted.
//
// By default each kind of call fails once in each of these, in one way after the other, and some waits are interrupted.
// With SLIPWAY_ACC_ROUNDS each call that changes something fails in each way, and each wait is interrupted.
func TestAWholeSlotSurvivesEveryFault(t *testing.T) {
	t.Parallel()
	t.Run("each kind of call", func(t *testing.T) {
		t.Parallel()
		s := newStage(t)
		for _, d := range s.life() {
			s.brokenOff(d)
		}
	})
	if os.Getenv("SLIPWAY_ACC_ROUNDS") == "" {
		return
	}
	for _, fault := range awstest.Faults {
		t.Run("each call, "+fault.String(), func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			for n := 1; s.fails(func(r *trial, end func()) func() bool {
				r.calls.Interrupts(end)
				r.calls.FailChange(n, fault)
				return r.calls.Failed
			}); n++ {
			}
		})
	}
	t.Run("each wait", func(t *testing.T) {
		t.Parallel()
		s := newStage(t)
		for n := 1; s.fails(func(r *trial, end func()) func() bool { r.clock.interrupt(n, end); return r.clock.interrupted }); n++ {
		}
	})
}

// deed is something that is done with a whole slot, and what is there then: the release that serves, "" for none, and
// all that it is made of.
type deed struct {
	name, release, whole string
	do                   work
}

// life is that of the slot of a stage from its removal on.
func (s *stage) life() []deed {
	wider := func(web *target.Component) {
		web.Routes = append(web.Routes, target.Route{Host: "store", PathPrefix: "/"})
		web.Scaling.Min, web.Scaling.Schedules = 2, []target.Schedule{{From: "08:00", To: "18:00", Min: 2}}
	}
	return []deed{
		{"removal", "", "[]", func(ctx context.Context, r *trial) error { return r.provisioner().DeleteSlot(ctx, s.id) }},
		{"creation", "1", "[1 scaling policy 1 target group 2 scalable target 2 service 2 task definition 3 rule]", func(ctx context.Context, r *trial) error {
			_, _, err := r.provisioner().CreateSlot(ctx, s.asked("1"))
			return err
		}},
		{"change in place", "1", "[1 scaling policy 1 target group 2 scalable target 2 scheduled action 2 service 2 task definition 5 rule]", s.swap("1", wider)},
		{"swap", "2", "[2 scaling policy 2 scheduled action 2 target group 4 rule 4 scalable target 4 service 4 task definition]", s.swap("2")},
	}
}

// done wants a deed to have come to its end, with nothing left of what was broken off.
func (s *stage) done(d deed) {
	s.Helper()
	if d.release != "" {
		s.converged(d.release, d.whole)
	} else if got := words(s.running(s.T, home)); got != d.whole {
		s.Errorf("there is %s\nwant %s", got, d.whole)
	}
}

// serves says which releases may answer while a deed is done.
func (s *stage) serves(d deed) {
	switch d.name {
	case "swap":
		s.may = []string{"1", "2"}
	case "change in place":
		s.may = []string{"1"}
	default:
		s.may = nil
	}
}

// fails breaks each deed of a life off where struck says, has another process do it again, and says whether it came to
// that place in any of them.
func (s *stage) fails(strike func(r *trial, end func()) (struck func() bool)) (any bool) {
	s.Helper()
	for _, d := range s.life() {
		s.serves(d)
		ctx, cancel := context.WithCancel(s.Context())
		victim := s.process()
		struck := strike(victim, cancel)
		err := d.do(ctx, victim)
		cancel()
		if struck() {
			any = true
			s.Logf("%s was broken off (%t)", d.name, err != nil)
		}
		if err != nil {
			err = d.do(s.Context(), s.process())
		}
		if err != nil {
			s.Fatalf("%s, after %q: %v", d.name, tail(victim.calls.Made()), err)
		}
		s.done(d)
	}
	return any && !s.Failed()
}

// brokenOff lets each kind of call fail once while a deed is done, in one way after the other, and has one process
// after the other do it until it is done. Each of the first is interrupted in a later wait than the one before.
func (s *stage) brokenOff(d deed) {
	s.Helper()
	s.serves(d)
	const most = 100
	failed := map[string]bool{}
	for n := range most {
		ctx, cancel := context.WithCancel(s.Context())
		r := s.process()
		r.calls.Interrupts(cancel)
		r.clock.interrupt(1<<min(n, 30), cancel)
		r.calls.FailAs(func(c awstest.Call) (awstest.Fault, bool) {
			what := c.Service + " " + c.Operation
			known := failed[what]
			failed[what] = true
			return awstest.Faults[len(failed)%len(awstest.Faults)], !known
		})
		err := d.do(ctx, r)
		cancel()
		if err == nil {
			s.Logf("%s: %d kinds of calls have failed in %d processes", d.name, len(failed), n+1)
			s.done(d)
			return
		}
	}
	s.Fatalf("%s was broken off %d times, and is not done", d.name, most)
}
