//go:build linux || darwin

package process

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestMain lets the test binary play the roles that our own binary plays in life.
func TestMain(m *testing.M) {
	if len(os.Args) < 2 {
		os.Exit(m.Run())
	}
	// syscall.Exit, because os.Exit lets the race detector wait for a second.
	switch os.Args[1] {
	case "shim":
		syscall.Exit(ShimMain())
	case "agent":
		syscall.Exit(agent(os.Args[2]))
	case "family":
		syscall.Exit(family(os.Args[2]))
	default:
		os.Exit(m.Run())
	}
}

// agent starts the process whose spec it reads from standard input, records it in the file, and hangs
// until it is killed. As "suicidal" it dies while it records.
func agent(mode string) int {
	var spec Spec
	if err := json.NewDecoder(os.Stdin).Decode(&spec); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	spec.Record = func(id Identity) error {
		text, err := json.Marshal(id)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(spec.Dir, "recorded"), text, 0o600); err != nil {
			return err
		}
		if mode == "suicidal" {
			return unix.Kill(os.Getpid(), syscall.SIGKILL)
		}
		return nil
	}
	if _, err := Start(context.Background(), spec); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println("started")
	select {}
}

// family ignores SIGTERM and has a child of the same mind: generations many of them.
func family(generations string) int {
	signal.Ignore(syscall.SIGTERM)
	if generations != "" {
		child, err := os.StartProcess(os.Args[0], []string{os.Args[0], "family", generations[1:]},
			&os.ProcAttr{Files: []*os.File{nil, os.Stdout, os.Stdout}, Env: os.Environ()})
		if err != nil {
			return 1
		}
		_ = child.Release()
	}
	fmt.Println("born")
	select {}
}

// script returns the spec of a shell script that runs in a folder of its own.
func script(t *testing.T, kind Kind, text string) Spec {
	t.Helper()
	dir := t.TempDir()
	return Spec{
		ID:          t.Name(),
		Kind:        kind,
		Command:     []string{"/bin/sh", "-c", text},
		Dir:         dir,
		Env:         []string{"PATH=/usr/bin:/bin"},
		LogFile:     filepath.Join(dir, "log"),
		ResultFile:  filepath.Join(dir, "result"),
		ShimCommand: []string{os.Args[0], "shim"},
	}
}

// begin starts the process and stops it at the end of the test.
func begin(t *testing.T, spec Spec) *Process {
	t.Helper()
	p, err := Start(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(context.Background(), 0); err != nil {
			t.Errorf("stop at the end: %v", err)
		}
		assertEmptySession(t, p.Identity())
	})
	return p
}

func awaitDone(t *testing.T, p *Process) Exit {
	t.Helper()
	select {
	case <-p.Done():
	case <-time.After(20 * time.Second):
		t.Fatalf("%s does not end", p.Identity())
	}
	return p.Exit()
}

// eventually polls until the condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.After(20 * time.Second)
	for !holds() {
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

func content(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(text)
}

func awaitContent(t *testing.T, path, want string) {
	t.Helper()
	eventually(t, fmt.Sprintf("%s holds %q", filepath.Base(path), want), func() bool {
		return strings.Contains(content(t, path), want)
	})
}

func assertEmptySession(t *testing.T, id Identity) {
	t.Helper()
	members, err := id.members()
	if err != nil {
		t.Fatal(err)
	}
	if len(members) != 0 {
		t.Errorf("session of %s still has %+v", id, members)
	}
}
