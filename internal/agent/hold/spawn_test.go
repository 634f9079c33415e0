//go:build linux || darwin

package hold

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

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
