package swap_test

import (
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/memtarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/swap"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// approving asks for approval within ten minutes, at a third of the capacity.
func approving(s *target.Slot) {
	s.Policy.Approval, s.Policy.ApprovalTimeoutSeconds, s.Policy.WaitingCapacityPercent = target.ApprovalManual, 600, 34
}

func approves(release string) func(*target.Slot) {
	return func(s *target.Slot) { s.ApprovedRelease = release }
}

func (w *world) promote(release string) error {
	w.audit.approved[release] = true
	return w.machine().Promote(w.Context(), oms, "an operator", release)
}

// waiting is a world whose release 2 waits for approval beside release 1.
func waiting(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.mustRun("1")
	w.ScriptLoad("api", "1", 3)
	w.ok(w.run(slot("2", approving)))
	w.seats("blue 1", "green 2")
	equal(t, "phase", w.record().Swap.Phase, target.PhaseAwaitingApproval)
	w.clock.Advance(time.Minute)
	return w
}

func TestATestedCandidateWaitsForApproval(t *testing.T) {
	t.Parallel()
	w := waiting(t)
	st := w.observe().Stacks[target.Green]
	equal(t, "instances that wait", len(st.Of("api")), 2)
	if want := w.record().Swap.PhaseAt.Add(10 * time.Minute); st.RetireAt == nil || !st.RetireAt.Equal(want) {
		t.Errorf("it is removed at %v, want %s", st.RetireAt, want)
	}
	before := len(w.Target.Log())
	w.ok(w.run(slot("2", approving)))
	w.ok(w.run(slot("2", approving, approves("1"))))
	if now := w.Target.Log(); len(now) != before {
		t.Errorf("another run did something: %v", now[before:])
	}
}

func TestACandidateWaitsWithLessThanItsMinimum(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	many := func(s *target.Slot) {
		approving(s)
		c := s.Definition.Components["api"]
		c.Scaling.Min, c.Scaling.Max = 4, 4
		c.Scaling.Schedules = []target.Schedule{{From: "00:00", To: "23:59", TimeZone: "UTC", Min: 4}}
		s.Definition.Components["api"] = c
	}
	w.ok(w.run(slot("1", many, approves("1"))))
	w.ok(w.run(slot("2", many)))
	equal(t, "instances that wait", len(w.observe().Stacks[target.Green].Of("api")), 2)
	equal(t, "instances that serve", len(w.observe().Stacks[target.Blue].Of("api")), 4)
	w.ok(w.promote("2"))
	st := w.observe().Stacks[target.Green]
	equal(t, "instances that were approved", len(st.Of("api")), 4)
	equal(t, "the minimum", st.Spec.Definition.Components["api"].Scaling.Min, 4)
}

func TestAnApprovedCandidateTakesTheTraffic(t *testing.T) {
	t.Parallel()
	for name, approve := range map[string]func(*world) error{
		"by its release":              func(w *world) error { return w.run(slot("2", approving, approves("2"))) },
		"by a command":                func(w *world) error { return w.promote("2") },
		"by a policy without it":      func(w *world) error { return w.run(slot("2")) },
		"by a command, after a crash": func(w *world) error { w.KillInstance(oms, target.Green, "api", 1); return w.promote("2") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := waiting(t)
			w.ok(approve(w))
			w.stands("green 2", "blue 1")
			equal(t, "tests", w.made(memtarget.TaskStarted, "test"), 3) // release 1, release 2, and its new instances
			if s := w.record().Swap; s.Approved == nil || s.Approved.By == "" {
				t.Errorf("nobody is said to have approved it: %+v", s)
			}
			w.settled()
		})
	}
}

// What was tested as it is needs no second test.
func TestACandidateThatWaitedUnchangedIsNotTestedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mustRun("1")
	whole := func(s *target.Slot) { approving(s); s.Policy.WaitingCapacityPercent = 0 }
	w.ok(w.run(slot("2", whole)))
	w.clock.Advance(5 * time.Minute)
	w.ok(w.promote("2"))
	equal(t, "tests", w.made(memtarget.TaskStarted, "test"), 2)
	equal(t, "the front door", w.serving(), "2")

	// Another suite is another matter.
	w.ok(w.run(slot("3", whole)))
	w.ok(w.run(slot("3", whole, suite("another suite"), approves("3"))))
	equal(t, "tests", w.made(memtarget.TaskStarted, "test"), 4)
	equal(t, "the front door", w.serving(), "3")
}

func TestAnApprovedCandidateThatFailsItsTestIsRemoved(t *testing.T) {
	t.Parallel()
	w := waiting(t)
	w.ScriptTask(target.TaskTest, memtarget.TaskBehaviour{ExitCode: 1})
	wantError[*swap.FailedError](t, w.promote("2"))
	w.stands("blue 1")
}

func TestAnApprovalThatNeverComesRemovesTheCandidate(t *testing.T) {
	t.Parallel()
	w := waiting(t)
	w.clock.Advance(10 * time.Minute)
	w.seats("blue 1") // its target removed it, without us
	saysAll(t, wantError[*swap.NotWaitingError](t, w.promote("2")), "nobody approved release 2 in time, and it was removed")
	w.ok(w.run(slot("2", approving)))
	w.seats("blue 1", "green 2")
	old := w.journals()[0].Swap
	if old.Phase != target.PhaseFailed || old.FailedIn != target.PhaseAwaitingApproval {
		t.Errorf("the journal of what waited in vain: %+v", old)
	}
	w.ok(w.promote("2"))
	equal(t, "the front door", w.serving(), "2")
}

func TestWhatDoesNotWaitCantBePromoted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mustRun("1")
	saysAll(t, wantError[*swap.NotWaitingError](t, w.promote("2")), `Slot "oms" of "eu/production" has nothing to promote: no release waits for approval. Nothing was changed.`)
	w = waiting(t)
	saysAll(t, wantError[*swap.NotWaitingError](t, w.promote("3")), "release 2 waits for approval, not release 3")
	w.seats("blue 1", "green 2")
	saysAll(t, wantError[*swap.NoFallbackError](t, w.rollBack()), "release 2 has no traffic yet")
	w.ok(w.run(slot("1")))
	w.stands("blue 1")
}

func TestAFirstDeploymentWaitsForApprovalToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ok(w.run(slot("1", approving)))
	w.seats("nothing", "blue 1")
	w.ok(w.promote("1"))
	w.stands("blue 1")
	w.ok(w.run(slot("2", approving, approves("2"))))
	w.ok(w.run(slot("1", approving))) // a way back needs none
	equal(t, "the front door", w.serving(), "1")
}
