//go:build linux || darwin

package process

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// startAgent runs an agent of its own that starts the process; it returns once that has happened, or
// once the agent is dead.
func startAgent(t *testing.T, mode string, spec Spec) *exec.Cmd {
	t.Helper()
	text, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(os.Args[0], "agent", mode)
	command.Stdin, command.Stderr = bytes.NewReader(text), os.Stderr
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Process.Kill(); _ = command.Wait() })
	if _, err := bufio.NewReader(output).ReadString('\n'); err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	return command
}

func killHard(t *testing.T, command *exec.Cmd) {
	t.Helper()
	if err := command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = command.Wait()
}

func recorded(t *testing.T, spec Spec) Identity {
	t.Helper()
	var id Identity
	if err := json.Unmarshal([]byte(content(t, filepath.Join(spec.Dir, "recorded"))), &id); err != nil {
		t.Fatal(err)
	}
	return id
}

func TestFindAdoptsAnInstanceOfAnAgentThatWasKilled(t *testing.T) {
	t.Parallel()
	spec := script(t, Instance, "echo ready; exec sleep 600")
	killHard(t, startAgent(t, "lasting", spec))
	id := recorded(t, spec)
	p, err := Find(id)
	if err != nil {
		t.Fatal(err)
	}
	if p.Identity() != id {
		t.Errorf("found %v, want %v", p.Identity(), id)
	}
	if err := p.Stop(t.Context(), time.Minute); err != nil {
		t.Fatal(err)
	}
	if got := awaitDone(t, p); got.Known {
		t.Errorf("got %+v, want nobody to know", got)
	}
	if _, err := Find(id); !errors.Is(err, ErrGone) {
		t.Errorf("got %v, want ErrGone", err)
	}
}

func TestStartRunsNothingForAnAgentThatDiesWhileItRecords(t *testing.T) {
	t.Parallel()
	for _, kind := range []Kind{Instance, Task} {
		t.Run("a "+string(kind), func(t *testing.T) {
			t.Parallel()
			spec := script(t, kind, "echo ran")
			agent := startAgent(t, "suicidal", spec)
			_ = agent.Wait()
			id := recorded(t, spec)
			eventually(t, "the shim is gone", func() bool { return errors.Is(id.verify(), ErrGone) })
			assertEmptySession(t, id)
			if _, err := os.Stat(spec.LogFile); !os.IsNotExist(err) {
				t.Errorf("there is a log (%v): %q", err, content(t, spec.LogFile))
			}
		})
	}
}

func TestTaskLeavesItsResultThoughTheAgentWasKilled(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		script string
		want   Result
	}{
		"an exit code": {"exit 7", Result{ExitCode: 7}},
		"a signal":     {"kill -9 $$", Result{ExitCode: -1, Signal: "SIGKILL"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spec := script(t, Task, "while ! [ -e leave ]; do sleep 0.02; done; "+c.script)
			killHard(t, startAgent(t, "lasting", spec))
			p, err := Find(recorded(t, spec))
			if err != nil {
				t.Fatal(err)
			}
			before := time.Now()
			if err := os.WriteFile(filepath.Join(spec.Dir, "leave"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			awaitDone(t, p)
			got, err := ReadResult(spec.ResultFile)
			if err != nil {
				t.Fatal(err)
			}
			if got.FinishedAt.Before(before) || got.FinishedAt.After(time.Now()) {
				t.Errorf("finished at %v", got.FinishedAt)
			}
			got.FinishedAt = time.Time{}
			if got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestTaskWhoseShimIsKilledHasNoResult(t *testing.T) {
	t.Parallel()
	spec := script(t, Task, "exec sleep 600")
	if err := os.WriteFile(spec.ResultFile, []byte(`{"exit_code":0}`), 0o600); err != nil {
		t.Fatal(err) // one of an earlier run, which must not be taken for this one's
	}
	p := begin(t, spec)
	if err := syscall.Kill(p.Identity().PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if got := awaitDone(t, p); got != (Exit{Code: -1, Signal: "SIGKILL", Known: true}) {
		t.Errorf("got %+v", got)
	}
	if _, err := ReadResult(spec.ResultFile); !os.IsNotExist(errors.Unwrap(err)) {
		t.Errorf("got %v, want no result", err)
	}
}

func TestFindRefusesAnotherProcessUnderTheNumber(t *testing.T) {
	t.Parallel()
	id, err := identify(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]func(*Identity){
		"that started at another time": func(i *Identity) { i.StartTime++ },
		"of another boot":              func(i *Identity) { i.BootID = "another" },
		"that is init":                 func(i *Identity) { i.PID = 1 },
		"that is none":                 func(i *Identity) { i.PID = 0 },
		"that is a group":              func(i *Identity) { i.PID = -i.PID },
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			other := id
			change(&other)
			if _, err := Find(other); !errors.Is(err, ErrGone) {
				t.Errorf("got %v, want ErrGone", err)
			}
		})
	}
}

func TestReleaseLeavesTheProcessAlone(t *testing.T) {
	t.Parallel()
	p := begin(t, script(t, Instance, "exec sleep 600"))
	found, err := Find(p.Identity())
	if err != nil {
		t.Fatal(err)
	}
	found.Release()
	select {
	case <-found.Done():
		t.Error("done")
	default:
	}
	if err := p.Identity().verify(); err != nil {
		t.Error(err)
	}
}

func TestPollWatcherSeesTheEndWithoutHelpOfTheKernel(t *testing.T) {
	t.Parallel()
	p := begin(t, script(t, Instance, "exec sleep 600"))
	w, err := newPollWatcher(p.Identity())
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- w.wait() }()
	if err := w.signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("got %v, want the end", err)
	}
	awaitDone(t, p)
	if err := w.signal(syscall.SIGTERM); !errors.Is(err, ErrGone) {
		t.Errorf("got %v, want ErrGone", err)
	}
	w, err = newPollWatcher(mustIdentify(t))
	if err != nil {
		t.Fatal(err)
	}
	w.close()
	if err := w.wait(); !errors.Is(err, errReleased) {
		t.Errorf("got %v, want errReleased", err)
	}
}

func mustIdentify(t *testing.T) Identity {
	t.Helper()
	id, err := identify(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	return id
}
