//go:build linux || darwin

package process

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestStopEnds(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		kind   Kind
		script string
		grace  time.Duration
		want   Exit
	}{
		"an instance that does not listen for signals": {
			Instance, "echo ready; exec sleep 600", time.Minute, Exit{Code: -1, Signal: "SIGTERM", Known: true}},
		"an instance that ends with a code of its own": {
			Instance, "trap 'exit 3' TERM; echo ready; while :; do sleep 0.05; done", time.Minute, Exit{Code: 3, Known: true}},
		"an instance that ignores SIGTERM": {
			Instance, "trap '' TERM; echo ready; sleep 600", 50 * time.Millisecond, Exit{Code: -1, Signal: "SIGKILL", Known: true}},
		"a task, whose result tells the signal": {
			Task, "echo ready; exec sleep 600", time.Minute, Exit{Code: -1, Signal: "SIGTERM", Known: true}},
		"a task that ends with a code of its own": {
			Task, "trap 'exit 3' TERM; echo ready; while :; do sleep 0.05; done", time.Minute, Exit{Code: 3, Known: true}},
		"a task that ignores SIGTERM": {
			Task, "trap '' TERM; echo ready; sleep 600", 50 * time.Millisecond, Exit{Code: -1, Signal: "SIGKILL", Known: true}},
		"an instance whose children in the background ignore SIGTERM": {
			Instance, "trap 'exit 0' TERM; (trap '' TERM; sleep 600 & sleep 600) & echo ready; while :; do sleep 0.05; done",
			200 * time.Millisecond, Exit{Known: true}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spec := script(t, c.kind, c.script)
			p := begin(t, spec)
			awaitContent(t, spec.LogFile, "ready")
			if err := p.Stop(t.Context(), c.grace); err != nil {
				t.Fatal(err)
			}
			assertEmptySession(t, p.Identity())
			if got := awaitDone(t, p); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestStopKillsGrandchildrenThatIgnoreIt(t *testing.T) {
	t.Parallel()
	spec := script(t, Instance, "")
	spec.Command = []string{os.Args[0], "family", "12"}
	p := begin(t, spec)
	eventually(t, "three generations are born", func() bool {
		return strings.Count(content(t, spec.LogFile), "born") == 3
	})
	if err := p.Stop(t.Context(), 100*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	assertEmptySession(t, p.Identity())
}

func TestStopTellsACommandOfATaskOnce(t *testing.T) {
	t.Parallel()
	spec := script(t, Task, "trap 'echo asked' TERM; echo ready; while ! [ -e leave ]; do sleep 0.02; done")
	p := begin(t, spec)
	awaitContent(t, spec.LogFile, "ready")
	stopped := make(chan error, 1)
	go func() { stopped <- p.Stop(context.Background(), time.Minute) }()
	awaitContent(t, spec.LogFile, "asked")
	if err := os.WriteFile(spec.Dir+"/leave", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(content(t, spec.LogFile), "asked"); got != 1 {
		t.Errorf("asked %d times, want once", got)
	}
}

func TestStopMayBeCalledByManyAndAgain(t *testing.T) {
	t.Parallel()
	p := begin(t, script(t, Instance, "exec sleep 600"))
	var group sync.WaitGroup
	for range 5 {
		group.Go(func() {
			if err := p.Stop(context.Background(), time.Minute); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if err := p.Stop(t.Context(), 0); err != nil {
		t.Error(err)
	}
}

func TestStopGivesUpWithItsContext(t *testing.T) {
	t.Parallel()
	spec := script(t, Instance, "trap '' TERM; echo ready; sleep 600")
	p := begin(t, spec)
	awaitContent(t, spec.LogFile, "ready")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := p.Stop(ctx, time.Minute); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the deadline", err)
	}
	if err := p.Identity().verify(); err != nil {
		t.Errorf("got %v, want it to run on", err)
	}
}

// What a crashed leader leaves behind may still hold its port.
func TestStragglersOfADeadLeader(t *testing.T) {
	t.Parallel()
	const crash = "(trap '' TERM; echo ready; sleep 600) & while ! [ -e crash ]; do sleep 0.02; done; kill -9 $$"
	crashed := func(t *testing.T) *Process {
		spec := script(t, Instance, crash)
		p := begin(t, spec)
		awaitContent(t, spec.LogFile, "ready")
		if err := os.WriteFile(spec.Dir+"/crash", nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if got := awaitDone(t, p); got.Signal != "SIGKILL" {
			t.Fatalf("got %+v, want a crash", got)
		}
		if members, err := p.Identity().members(); err != nil || len(members) == 0 {
			t.Fatalf("no straggler: %v, %v", members, err)
		}
		return p
	}
	t.Run("fall to Stop after Done", func(t *testing.T) {
		t.Parallel()
		p := crashed(t)
		if err := p.Stop(t.Context(), 50*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		assertEmptySession(t, p.Identity())
	})
	t.Run("fall to Sweep by an agent that finds the leader gone", func(t *testing.T) {
		t.Parallel()
		p := crashed(t)
		if err := Sweep(t.Context(), p.Identity()); err != nil {
			t.Fatal(err)
		}
		assertEmptySession(t, p.Identity())
	})
}

func TestSweepLeavesAlone(t *testing.T) {
	t.Parallel()
	p := begin(t, script(t, Instance, "exec sleep 600"))
	t.Run("a session whose leader runs", func(t *testing.T) {
		if err := Sweep(t.Context(), p.Identity()); err == nil {
			t.Error("got no error")
		}
	})
	t.Run("a session of another boot", func(t *testing.T) {
		old := p.Identity()
		old.BootID = "another"
		if err := Sweep(t.Context(), old); err != nil {
			t.Error(err)
		}
	})
	t.Run("a session that took over the number", func(t *testing.T) {
		old := p.Identity()
		old.StartTime--
		if err := Sweep(t.Context(), old); err != nil {
			t.Error(err)
		}
	})
	if err := p.Identity().verify(); err != nil {
		t.Errorf("got %v, want it to run on", err)
	}
}

func TestTaskShimPassesASigtermOn(t *testing.T) {
	t.Parallel()
	spec := script(t, Task, "trap 'exit 5' TERM; echo ready; while :; do sleep 0.02; done")
	p := begin(t, spec)
	awaitContent(t, spec.LogFile, "ready")
	if err := unix.Kill(p.Identity().PID, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if got := awaitDone(t, p); got != (Exit{Code: 5, Known: true}) {
		t.Errorf("got %+v, want code 5", got)
	}
}

func TestFindTakesAZombieForGone(t *testing.T) {
	t.Parallel()
	command := exec.Command("/bin/sh", "-c", "read _")
	input, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = command.Wait() }()
	id, err := identify(command.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := input.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is a zombie", func() bool {
		s, err := look(id.PID)
		return err == nil && s.zombie
	})
	if _, err := Find(id); !errors.Is(err, ErrGone) {
		t.Errorf("got %v, want ErrGone", err)
	}
}
