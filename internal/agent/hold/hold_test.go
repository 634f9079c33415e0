//go:build linux || darwin

package hold

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestServeKilledUnderLoadRefusesNoConnection(t *testing.T) {
	t.Parallel()
	a := startAgent(t)
	l := startLoad(t, a.front())
	held := a.hold()
	for range 5 {
		l.grow(a, 20)
		a.killServe()
	}
	l.grow(a, 20)
	l.stop()
	if n := l.refused.Load(); n != 0 {
		t.Errorf("%d connections refused (%v)", n, l.last.Load())
	}
	if now := a.hold(); now != held {
		t.Errorf("hold was %+v and is %+v", held, now)
	}
}

func TestHoldKilledUnderLoadLosesNothing(t *testing.T) {
	t.Parallel()
	a := startAgent(t)
	_, serving := a.serve()
	l := startLoad(t, a.front())
	for range 3 {
		l.grow(a, 20)
		a.killHold()
		a.assertRefusesSecond()
	}
	l.grow(a, 20)
	if n := l.refused.Load() + l.cut.Load(); n != 0 {
		t.Errorf("%d connections lost (%v)", n, l.last.Load())
	}
	if _, pid := a.serve(); pid != serving {
		t.Errorf("serve was %d and is %d", serving, pid)
	}
	a.killServe() // which the new hold, not its parent, must notice
	l.grow(a, 20)
	a.killHold()
	a.killServe()
	l.grow(a, 20)
	l.stop()
	if n := l.refused.Load(); n != 0 {
		t.Errorf("%d connections refused (%v)", n, l.last.Load())
	}
}

func TestBothKilledLeaveTheLockFree(t *testing.T) {
	t.Parallel()
	a := startAgent(t)
	before := a.hold()
	_, serving := a.serve()
	// Stopped, neither can react to the death of the other.
	for _, pid := range []int{before.PID, serving} {
		if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
	}
	a.kill(before.PID)
	a.kill(serving)
	a.eventually("the lock is free", func() bool {
		lock, err := acquire(a.dataDir)
		if err != nil {
			return false
		}
		return lock.Close() == nil
	})
	if err := os.Remove(filepath.Join(a.dataDir, "front")); err != nil {
		t.Fatal(err)
	}
	a.spawn("v1") // over everything that the dead ones left
	if _, err := net.Dial("tcp", a.front()); err != nil {
		t.Error(err)
	}
}

func TestAgentEndsCleanly(t *testing.T) {
	t.Parallel()
	cases := map[string]func(*agent){
		"when serve says bye":          func(a *agent) { a.mustAsk("bye") },
		"when hold hears SIGTERM":      func(a *agent) { _ = syscall.Kill(a.hold().PID, syscall.SIGTERM) },
		"when hold hears SIGINT":       func(a *agent) { _ = syscall.Kill(a.hold().PID, syscall.SIGINT) },
		"after hold was replaced":      func(a *agent) { a.killHold(); a.mustAsk("bye") },
		"by SIGTERM to a replacement":  func(a *agent) { a.killHold(); _ = syscall.Kill(a.hold().PID, syscall.SIGTERM) },
		"after an upgrade":             func(a *agent) { a.upgrade("v2"); a.mustAsk("bye") },
		"by SIGTERM after an upgrade":  func(a *agent) { a.upgrade("v2"); _ = syscall.Kill(a.hold().PID, syscall.SIGTERM) },
		"when its terminal was closed": func(a *agent) { _ = syscall.Kill(a.hold().PID, syscall.SIGHUP); a.mustAsk("bye") },
	}
	for name, end := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := startAgent(t)
			front := a.front()
			end(a)
			a.eventually("all processes are gone", func() bool { return len(a.processes("")) == 0 })
			a.assertNoFiles()
			if _, err := net.Dial("tcp", front); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("got %v, want the connection refused", err)
			}
			a.spawn("v1") // and may come back at once
		})
	}
}

func TestHoldEndsBySignalWhileServeCannotRun(t *testing.T) {
	t.Parallel()
	a := newAgent(t)
	hold := exec.Command(a.executable(fickle), commands(a.dataDir).Hold...)
	if err := hold.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = hold.Process.Kill(); _ = hold.Wait() }()
	_, serving := a.serve()
	a.kill(serving)
	a.eventually("serve is gone", func() bool { return len(a.processes("serve")) == 0 })
	if err := hold.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := hold.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("got %v, want exit code 1: nobody said bye", err)
	}
	a.assertNoFiles()
}

func TestAgentLivesUnderALongPath(t *testing.T) {
	t.Parallel()
	if !canBeLong {
		t.Skip("this system has a limit")
	}
	a := newAgent(t)
	a.dataDir = filepath.Join(a.dataDir, strings.Repeat("long/", 40))
	if err := os.MkdirAll(a.dataDir, 0o700); err != nil {
		t.Fatal(err)
	}
	a.spawn("v1")
	a.killServe()
	a.killHold()
	a.mustAsk("bye")
}
