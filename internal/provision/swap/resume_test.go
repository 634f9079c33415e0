package swap_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/memtarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/swap"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// killedIn runs a swap and kills its machine as soon as the swap is in a phase.
func (w *world) killedIn(p target.Phase, s target.Slot) {
	w.Helper()
	client := w.Client()
	err := w.machineOn(client, w.when(p, client.Kill)).Run(w.Context(), s)
	if !errors.Is(err, memtarget.ErrKilled) {
		w.Fatalf("the run was not killed in %q but ended with: %v", p, err)
	}
}

// However much later a run is resumed, the healthy release that has taken the traffic stays.
func TestAReleaseThatServesStaysHoweverLateItsSwapIsResumed(t *testing.T) {
	t.Parallel()
	for _, later := range []time.Duration{0, 40 * time.Second, window, 24 * time.Hour} {
		t.Run(later.String(), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.mustRun("1")
			w.killedIn(served, slot("2"))
			w.clock.Advance(later)
			w.mustRun("2")
			w.settled()
			equal(t, "the front door", w.serving(), "2")
			if h := w.record().Hold; h != nil {
				t.Errorf("a hold was left: %+v", h)
			}
		})
	}
}

// Neither does it matter how long the switch itself took before its answer was lost.
func TestAReleaseThatServesStaysHoweverLateItsSwitchIsAnswered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mustRun("1")
	d := &slow{Driver: w.audit.of(w.Client(), nil), clock: w.clock, takes: 10 * time.Minute}
	w.ok(swap.New(d, "the test", swap.Options{Clock: w.clock}).Run(t.Context(), slot("2")))
	w.stands("green 2", "blue 1")
}

// Requests in flight outlive the run that switched under them.
func TestAResumedRunLetsTheOldStackAnswerBeforeItIsRemoved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mustRun("1")
	w.HoldRequests(oms, target.Blue, 1)
	w.killedIn(served, slot("2", noFallback))
	answered := w.clock.Now().Add(leaseTTL + 3*time.Second) // 3 s after the next run begins
	defer w.clock.Every(500*time.Millisecond, func() {
		if w.clock.Now().After(answered) {
			w.HoldRequests(oms, target.Blue, 0)
		}
	})()
	w.ok(w.run(slot("2", noFallback)))
	w.stands("green 2")
	for _, e := range w.Target.Log(memtarget.StackRemoved) {
		if e.Name == "1" && e.At.Before(answered) {
			t.Errorf("the old stack was removed %s before its last answer", answered.Sub(e.At))
		}
	}
}

// What a dead run brought up is used as long as it stands, and made anew when its time was up.
func TestACandidateIsResumedOrMadeAnew(t *testing.T) {
	t.Parallel()
	for _, phase := range []target.Phase{target.PhaseStarting, target.PhaseVerifying, target.PhaseTesting, target.PhaseSwitching} {
		for _, c := range []struct {
			later time.Duration
			made  int
		}{{0, 1}, {2 * time.Minute, 1}, {24 * time.Hour, 2}} {
			t.Run(fmt.Sprintf("killed while %s, resumed after %s", phase, c.later), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				w.mustRun("1")
				w.killedIn(phase, slot("2"))
				w.clock.Advance(c.later)
				w.mustRun("2")
				w.settled()
				made := c.made
				if phase == target.PhaseStarting { // it had made nothing yet
					made = 1
				}
				equal(t, "stacks of release 2", w.made(memtarget.StackMade, "2"), made)
			})
		}
	}
}

func TestADeadRunsTaskCountsOnlyWithAnExitCode(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{target.TaskMigrate, target.TaskTest} {
		for _, c := range []struct {
			name      string
			dead, now memtarget.TaskBehaviour
			tasks     int
			fails     string
		}{
			{"it passed", memtarget.TaskBehaviour{}, memtarget.TaskBehaviour{ExitCode: 9}, 1, ""},
			{"it failed", memtarget.TaskBehaviour{ExitCode: 9}, memtarget.TaskBehaviour{}, 1, "failed with exit code 9"},
			{"it was killed, and passes when it is run again", memtarget.TaskBehaviour{Killed: true}, memtarget.TaskBehaviour{}, 2, ""},
			{"it hung, and fails when it is run again", memtarget.TaskBehaviour{Hangs: true}, memtarget.TaskBehaviour{ExitCode: 9}, 2, "failed with exit code 9"},
			{"it was killed, and is killed again", memtarget.TaskBehaviour{Killed: true}, memtarget.TaskBehaviour{Killed: true}, 2, "was inconclusive (killed by signal 9)"},
			{"it was not there, and is not now", memtarget.TaskBehaviour{Missing: true}, memtarget.TaskBehaviour{Missing: true}, 2, "could not be started"},
		} {
			t.Run(kind+": "+c.name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				w.mustRun("1")
				started := len(w.Target.Log(memtarget.TaskStarted))
				w.ScriptTask(kind, c.dead)
				client := w.Client()
				_ = w.machineOn(client, w.whenStarted(kind, client.Kill)).Run(t.Context(), slot("2"))
				dead := w.record().Swap.ID
				w.clock.Advance(2 * time.Minute)
				w.observe()
				w.ScriptTask(kind, c.now)
				err := w.run(slot("2"))
				equal(t, "tasks of that kind", w.made(memtarget.TaskStarted, dead+"-"+kind), c.tasks)
				if c.fails != "" {
					saysAll(t, wantError[*swap.FailedError](t, err), c.fails)
					w.ScriptTask(kind, memtarget.TaskBehaviour{})
					err = w.run(slot("2")) // and the next apply tries once more
				}
				w.ok(err)
				w.settled()
				equal(t, "the front door", w.serving(), "2")
				if len(w.Target.Log(memtarget.TaskStarted)) == started {
					t.Error("no task was started")
				}
			})
		}
	}
}

func TestATaskThatStillRunsIsWaitedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mustRun("1")
	w.ScriptTask(target.TaskTest, memtarget.TaskBehaviour{EndsAfter: 30})
	client := w.Client()
	_ = w.machineOn(client, w.whenStarted(target.TaskTest, client.Kill)).Run(t.Context(), slot("2"))
	w.mustRun("2")
	equal(t, "test suites", w.made(memtarget.TaskStarted, w.record().Swap.ID+"-test"), 1)
}

func TestASwapThatWasKilledWhileItCleanedUpIsTriedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mustRun("1")
	w.ScriptTask(target.TaskTest, memtarget.TaskBehaviour{ExitCode: 1})
	w.killedIn(target.PhaseAborting, slot("2"))
	w.ScriptTask(target.TaskTest, memtarget.TaskBehaviour{})
	w.mustRun("2")
	w.stands("green 2", "blue 1")
	equal(t, "stacks of release 2", w.made(memtarget.StackMade, "2"), 2)
}

func TestASwapUnderWhichTheTrafficMovedBeginsAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mustRun("1", "2")
	w.killedIn(target.PhasePreparing, slot("3"))
	w.clock.Advance(time.Minute)
	lease, err := w.AcquireLease(t.Context(), oms, "token", "a stranger", time.Second)
	w.ok(err)
	_, err = w.SetTraffic(t.Context(), oms, target.Traffic{Color: target.Blue}, 0, lease)
	w.ok(err)
	w.mustRun("3")
	w.stands("green 3", "blue 1")
	if diff := cmp.Diff([]string{"1", "2", "1", "3"}, w.ServedLog(oms)); diff != "" {
		t.Errorf("served (-want +got):\n%s", diff)
	}
}
