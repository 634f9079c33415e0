package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestTake(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		prepare func(dir string) error
		problem string // "" where the folder can be used
	}{
		"a folder that is not there is made": {
			prepare: func(string) error { return nil },
		},
		"an empty folder is used": {
			prepare: func(dir string) error { return os.Mkdir(dir, 0o755) },
		},
		"a folder that others can write to is refused": {
			prepare: func(dir string) error {
				if err := os.Mkdir(dir, 0o755); err != nil {
					return err
				}
				return os.Chmod(dir, 0o777)
			},
			problem: "others can write to",
		},
		"a folder with something else in it is refused": {
			prepare: func(dir string) error { return os.MkdirAll(filepath.Join(dir, "photos"), 0o755) },
			problem: "has other things in it",
		},
		"a link is refused": {
			prepare: func(dir string) error { return os.Symlink("/tmp", dir) },
			problem: "it is no folder",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// t.TempDir is closed to other users, and root must not use such a place.
			base, err := os.MkdirTemp("/tmp", "slipway-demo-test-")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = os.RemoveAll(base) })
			if err := os.Chmod(base, 0o755); err != nil {
				t.Fatal(err)
			}
			p := place{filepath.Join(base, "demo")}
			if err := test.prepare(p.dir); err != nil {
				t.Fatal(err)
			}
			unlock, err := p.take()
			if err == nil {
				defer unlock()
			}
			if (err == nil) != (test.problem == "") || err != nil && !strings.Contains(err.Error(), test.problem) {
				t.Fatalf("got %v, want %q", err, test.problem)
			}
			if err != nil {
				return
			}
			if _, err := p.take(); err == nil || !strings.Contains(err.Error(), "another demo runs") {
				t.Errorf("a second demo got %v", err)
			}
		})
	}
}

func TestProcessesOf(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if left, err := processesOf(t.Context(), dir); err != nil || len(left) != 0 {
		t.Fatalf("nothing was started, found %v, %v", left, err)
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-c", "read line # "+dir+"/data")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	left, err := processesOf(t.Context(), dir)
	if err != nil || len(left) != 1 || !strings.Contains(left[0], "read line") {
		t.Errorf("found %v, %v", left, err)
	}
	_ = stdin.Close()
	_ = cmd.Wait()
	if left, err := processesOf(t.Context(), dir); err != nil || len(left) != 0 {
		t.Errorf("all have ended, found %v, %v", left, err)
	}
}
