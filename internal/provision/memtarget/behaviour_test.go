package memtarget_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/memtarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func TestInstancesBehaveAsScripted(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		script memtarget.Behaviour
		want   string // one letter per observation: - not running, r running, h healthy
	}{
		{"by default it passes its first check and is healthy at its threshold", memtarget.Behaviour{}, "rhhh"},
		{"it may need observations to run and more to pass", memtarget.Behaviour{RunningAfter: 2, HealthyAfter: 2}, "--rrrhh"},
		{"it may fail its checks for a time by the clock", memtarget.Behaviour{HealthyIn: 3 * time.Second}, "rrrrhh"},
		{"it may never pass", memtarget.Behaviour{Answers: func(int) bool { return false }}, "rrrr"},
		{"it may lose its health after as many failures as the threshold", memtarget.Behaviour{Answers: func(n int) bool { return n < 4 }}, "rhhhrr"},
		{"it may crash", memtarget.Behaviour{Crashes: true}, "---"},
		{"it may be missing", memtarget.Behaviour{Missing: true}, "---"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			f.Script("", "", memtarget.Behaviour{Missing: true})
			f.Script("web", "1", c.script)
			f.Script("web", "2", memtarget.Behaviour{Missing: true})
			f.put(target.Blue, "1", "app")
			got := ""
			for range c.want {
				switch i := f.web(target.Blue); {
				case i.Healthy:
					got += "h"
				case i.Running:
					got += "r"
				default:
					got += "-"
				}
				f.clock.Advance(time.Second)
			}
			if got != c.want {
				t.Errorf("observed %q, want %q", got, c.want)
			}
		})
	}
}

func TestAnInstanceLivesOnWhileNobodyObservesIt(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.put(target.Blue, "1", "app")
	f.put(target.Green, "2", memtarget.ProgramCrashes)
	f.clock.Advance(10 * time.Second) // ten intervals of its check
	if i := f.web(target.Blue); !i.Healthy || i.Passes != 10 || !i.HealthySince.Equal(start.Add(time.Second)) {
		t.Errorf("got %+v, want ten checks passed in a row", i)
	}
	f.clock.Advance(10 * time.Second)
	if i := f.web(target.Green); i.Restarts != 20 {
		t.Errorf("got %+v, want 20 restarts", i)
	}
}

func TestAFlappingInstanceNeverPassesTwiceInARow(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.put(target.Blue, "1", memtarget.ProgramFlaps)
	passed := 0
	for range 6 {
		i := f.web(target.Blue)
		if i.Healthy || i.Passes > 1 {
			t.Fatalf("got %+v", i)
		}
		passed += i.Passes
	}
	if passed != 3 {
		t.Errorf("%d of 6 checks passed, want 3", passed)
	}
}

func TestAScriptChangesWhatRunsAlready(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.serve(target.Blue, "1")
	f.Script("web", "1", memtarget.Behaviour{Answers: func(int) bool { return false }})
	f.web(target.Blue)
	if i := f.web(target.Blue); i.Healthy || !i.Running {
		t.Errorf("got %+v, want it running and unhealthy", i)
	}
	p, err := f.ProbeFrontDoor(t.Context(), oms)
	f.ok(err)
	if p.Release != "" || p.StatusCode != http.StatusServiceUnavailable || p.Problem == "" {
		t.Errorf("the front door answers %+v", p)
	}
}

func TestATaskThatNobodyObservedForLongEndedWithinItsTime(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	spec := target.TaskSpec{Key: "k", Kind: target.TaskMigrate, Slot: oms, Task: target.Task{Command: []string{"migrate"}, TimeoutSeconds: 10}}
	f.ok(f.PutTask(t.Context(), spec, f.lease))
	f.clock.Advance(time.Hour)
	obs, err := f.Observe(t.Context(), oms)
	f.ok(err)
	if got := obs.Tasks["k"]; got.ExitCode == nil || *got.ExitCode != 0 || !got.EndedAt.Equal(start.Add(10*time.Second)) {
		t.Errorf("got %+v, want exit code 0 within 10 s", got)
	}
}

func TestTasksBehaveAsScripted(t *testing.T) {
	t.Parallel()
	one := 1
	for _, c := range []struct {
		name   string
		script memtarget.TaskBehaviour
		looks  int
		want   target.TaskStatus
	}{
		{"it runs for as many looks as told and ends with its code", memtarget.TaskBehaviour{ExitCode: 1, EndsAfter: 2, Lines: []string{"no"}}, 2, target.TaskStatus{ExitCode: &one, LastLines: []string{"no"}}},
		{"it may be killed", memtarget.TaskBehaviour{Killed: true}, 0, target.TaskStatus{Problem: "killed by signal 9"}},
		{"it may be missing", memtarget.TaskBehaviour{Missing: true}, 0, target.TaskStatus{Problem: `program "suite" does not exist`, NotStarted: true}},
		{"it may hang until its time is over", memtarget.TaskBehaviour{Hangs: true}, 9, target.TaskStatus{Problem: "did not end within 10s and was killed"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			f.ScriptTask(target.TaskTest, c.script)
			spec := target.TaskSpec{Key: "k", Kind: target.TaskTest, Slot: oms, Task: target.Task{Command: []string{"suite"}, TimeoutSeconds: 10}}
			f.ok(f.PutTask(t.Context(), spec, f.lease))
			for look := range c.looks + 1 {
				f.clock.Advance(time.Second)
				obs, err := f.Observe(t.Context(), oms)
				f.ok(err)
				got := obs.Tasks["k"]
				if look < c.looks {
					if !got.Running {
						t.Fatalf("look %d found it ended: %+v", look, got)
					}
					continue
				}
				if got.EndedAt == nil || got.EndedAt.Before(got.StartedAt) {
					t.Fatalf("ended at %v, started at %s", got.EndedAt, got.StartedAt)
				}
				want := c.want
				want.Key, want.Kind, want.StartedAt, want.EndedAt = "k", target.TaskTest, start, got.EndedAt
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("the task (-want +got):\n%s", diff)
				}
			}
		})
	}
}
