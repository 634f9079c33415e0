//go:build linux || darwin

package hold

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
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

func TestUpgradeUnderLoadLosesNothing(t *testing.T) {
	t.Parallel()
	for _, replaced := range []bool{false, true} {
		name := "with the first hold"
		if replaced {
			name = "with a hold that replaced a dead one"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := startAgent(t)
			if replaced {
				a.killHold()
			}
			l := startLoad(t, a.front())
			held := a.hold()
			for _, version := range []string{"v2", "v3"} {
				l.grow(a, 20)
				a.upgrade(version)
				l.grow(a, 20)
			}
			if n := l.refused.Load() + l.cut.Load(); n != 0 {
				t.Errorf("%d connections lost (%v)", n, l.last.Load())
			}
			if now := a.hold(); now.PID != held.PID || now.Executable != a.executable("v3") {
				t.Errorf("hold was %+v and is %+v", held, now)
			}
			a.killServe()
			if version, _ := a.serve(); version != "v3" {
				t.Errorf("the next serve is %s, want v3", version)
			}
			a.killHold()
			a.killServe()
			if version, _ := a.serve(); version != "v3" {
				t.Errorf("the next serve is %s, want v3", version)
			}
			a.eventually("only one serve is left", func() bool { return len(a.processes("serve")) == 1 })
			if got := a.processes("hold"); len(got) != 1 {
				t.Errorf("got %v, want one hold", got)
			}
		})
	}
}

// upgrade upgrades the agent and waits until hold is the new executable too.
func (a *agent) upgrade(version string) {
	a.t.Helper()
	if answer := a.mustAsk("upgrade " + a.executable(version)); answer != "<nil>" {
		a.t.Fatalf("upgrade to %s: %s", version, answer)
	}
	a.eventually("hold is "+version, func() bool { return a.hold().Version == version })
	if now, _ := a.serve(); now != version {
		a.t.Errorf("serve is %s, want %s", now, version)
	}
}

func TestUpgradeLetsTheOldServeFinish(t *testing.T) {
	t.Parallel()
	a := startAgent(t)
	_, old := a.serve()
	conn, err := net.Dial("tcp", a.front())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	a.eventually("the connection was accepted", func() bool { return visit(a.front()) == nil })
	a.upgrade("v2")
	if _, err := conn.Write([]byte("?")); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if want := fmt.Sprintf("v1 %d", old); err != nil || string(answer) != want {
		t.Errorf("got %q, %v; want %q", answer, err, want)
	}
	a.eventually("the old serve is gone", func() bool { return !alive(old) }) // waited for by the new hold
}

func TestUpgradeThatFailsChangesNothing(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ version, says string }{
		"to what is no agent":                    {mute, "what is a handshake"},
		"to another protocol":                    {foreign, "version foreign speaks protocol 99"},
		"to a serve that dies":                   {broken, "ended several times before it was ready"},
		"to an executable that does not exist":   {"", "no such file"},
		"to an executable that is not named so ": {"relative", "is not an absolute path"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := startAgent(t)
			held := a.hold()
			version, serving := a.serve()
			executable := filepath.Join(a.bin, "missing")
			switch c.version {
			case "":
			case "relative":
				executable = c.version
			default:
				executable = a.executable(c.version)
			}
			if answer := a.mustAsk("upgrade " + executable); !strings.Contains(answer, c.says) {
				t.Errorf("got %q, want it to say %q", answer, c.says)
			}
			if now, pid := a.serve(); now != version || pid != serving {
				t.Errorf("serve was %s %d and is %s %d", version, serving, now, pid)
			}
			if now := a.hold(); now != held {
				t.Errorf("hold was %+v and is %+v", held, now)
			}
			a.upgrade("v2") // the next one is not in the way of the last one
		})
	}
}

func TestUpgradeThatHoldCannotFollowKeepsTheNewServe(t *testing.T) {
	t.Parallel()
	a := startAgent(t)
	held := a.hold()
	if answer := a.mustAsk("upgrade " + a.executable(vanishing)); answer != "<nil>" {
		t.Fatal(answer)
	}
	a.eventually("the new serve answers", func() bool { version, _ := a.serve(); return version == vanishing })
	if now := a.hold(); now.PID != held.PID {
		t.Errorf("hold was %+v and is %+v", held, now)
	}
	a.killServe() // the only executable left is hold's own
	if version, _ := a.serve(); version != "v1" {
		t.Errorf("serve is %s, want v1", version)
	}
}

func TestUpgradeWhoseOldServeDiesIsFinished(t *testing.T) {
	t.Parallel()
	a := startAgent(t)
	_, old := a.serve()
	conn, err := DialUnix(t.Context(), SocketPath(a.dataDir))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "upgrade "+a.executable("v2")+"\n"); err != nil {
		t.Fatal(err)
	}
	a.eventually("the new serve is started", func() bool { return len(a.processes("serve")) == 2 })
	a.kill(old)
	a.eventually("the new serve answers", func() bool { version, _ := a.serve(); return version == "v2" })
	a.eventually("hold is v2", func() bool { return a.hold().Version == "v2" })
}

func TestSpawnByManyAtOnceStartsOneAgent(t *testing.T) {
	t.Parallel()
	a := newAgent(t)
	var group sync.WaitGroup
	for i := range 10 {
		group.Go(func() {
			if i%2 == 0 { // half of them in this process
				if err := spawnAgent(t.Context(), a.executable("v1"), a.dataDir); err != nil {
					t.Error(err)
				}
			} else if output, err := exec.Command(a.executable("v1"), "spawn", a.dataDir).CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, output)
			}
			if _, err := a.ask("who"); err != nil {
				t.Errorf("right after Spawn: %v", err)
			}
		})
	}
	group.Wait()
	if holds, serves := a.processes("hold"), a.processes("serve"); len(holds) != 1 || len(serves) != 1 {
		t.Errorf("got %v and %v, want one of each", holds, serves)
	}
	log, err := os.ReadFile(filepath.Join(a.dataDir, "agent.log"))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(log), `msg="serve started"`); n != 1 {
		t.Errorf("serve was started %d times:\n%s", n, log)
	}
}

func TestSpawnSaysWhyTheAgentDoesNotComeUp(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		version, says string
	}{
		"because serve dies":                    {broken, "this version is broken"},
		"because the executable does not exist": {"", "no such file"},
		"because the executable is no agent":    {"/bin/false", "exit status 1"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAgent(t)
			executable := c.version
			switch c.version {
			case "":
				executable = filepath.Join(a.bin, "missing")
			case broken:
				executable = a.executable(broken)
			}
			err := spawnAgent(t.Context(), executable, a.dataDir)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want it to say %q", err, c.says)
			}
			a.assertNoFiles()
		})
	}
}

func TestSpawnGivesUpWithItsContext(t *testing.T) {
	t.Parallel()
	a := newAgent(t)
	lock, err := acquire(a.dataDir) // somebody who never answers
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	err = Spawn(ctx, a.executable("v1"), a.dataDir, commands(a.dataDir).Hold, filepath.Join(a.dataDir, "agent.log"))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the deadline", err)
	}
}

func TestSpawnGivesTheAgentLittle(t *testing.T) {
	t.Setenv("AWS_SECRET_ACCESS_KEY", "inherited") // so not parallel
	t.Setenv("TF_VAR_password", "inherited")
	t.Setenv("LANG", "C.UTF-8")
	a := startAgent(t)
	for line := range strings.Lines(a.mustAsk("environment")) {
		name, _, _ := strings.Cut(line, "=")
		switch name {
		case "PATH", "HOME", "TMPDIR", "LANG":
		default:
			t.Errorf("the agent has %s", line)
		}
	}
	log, err := os.Stat(filepath.Join(a.dataDir, "agent.log"))
	if err != nil {
		t.Fatal(err)
	}
	if log.Mode().Perm() != 0o600 {
		t.Errorf("log has mode %v, want 0600", log.Mode().Perm())
	}
	for pid := range a.processes("") {
		session, err := sessionOf(pid)
		if err != nil || session != pid {
			t.Errorf("process %d is in session %d (%v), want its own", pid, session, err)
		}
	}
}

func sessionOf(pid int) (int, error) {
	output, err := exec.Command("ps", "-o", "sess=", "-p", fmt.Sprint(pid)).Output()
	if err != nil {
		return 0, err
	}
	var session int
	_, err = fmt.Sscan(string(output), &session)
	return session, err
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
