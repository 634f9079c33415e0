//go:build linux || darwin

package hold

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

const canBeLong = runtime.GOOS == "linux"

func TestListenUnix(t *testing.T) {
	t.Parallel()
	t.Run("serves a path of any length", func(t *testing.T) {
		t.Parallel()
		folder := filepath.Join(t.TempDir(), strings.Repeat("x", 120))
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(folder, "agent.sock")
		l, err := ListenUnix(path, 0o600)
		if !canBeLong {
			if err == nil || !strings.Contains(err.Error(), "macOS allows 103") {
				t.Errorf("got %v, want the limit", err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		conn, err := DialUnix(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.Close()
	})
	t.Run("takes the place of a dead socket", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "agent.sock")
		for range 2 {
			l, err := ListenUnix(path, 0o600)
			if err != nil {
				t.Fatal(err)
			}
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
		}
	})
	t.Run("does not remove anything else", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "agent.sock")
		if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ListenUnix(path, 0o600); err == nil {
			t.Error("got no error")
		}
		if text, err := os.ReadFile(path); err != nil || string(text) != "mine" {
			t.Errorf("got %q, %v", text, err)
		}
	})
}

func TestAcquire(t *testing.T) {
	t.Parallel()
	t.Run("excludes others until it is closed", func(t *testing.T) {
		t.Parallel()
		dataDir := t.TempDir()
		lock, err := acquire(dataDir)
		if err != nil {
			t.Fatal(err)
		}
		if err := (Info{PID: 42, Version: "v9"}).write(dataDir); err != nil {
			t.Fatal(err)
		}
		_, err = acquire(dataDir)
		var running *RunningError
		if !errors.Is(err, ErrRunning) || !errors.As(err, &running) || running.PID != 42 || running.Version != "v9" {
			t.Errorf("got %v, want it to name process 42", err)
		}
		_ = lock.Close()
		var again *os.File // not at once: a process that is just being started has a copy until it executes
		if !settles(10*time.Second, func() bool { again, err = acquire(dataDir); return err == nil }) {
			t.Fatal(err)
		}
		_ = again.Close()
	})
	t.Run("does not trust a file whose name is gone", func(t *testing.T) {
		t.Parallel()
		dataDir := t.TempDir()
		lock, err := acquire(dataDir)
		if err != nil {
			t.Fatal(err)
		}
		defer lock.Close()
		if err := remove(lockPath(dataDir)); err != nil {
			t.Fatal(err)
		}
		if current, err := isAt(lock, lockPath(dataDir)); err != nil || current {
			t.Errorf("got %v, %v", current, err)
		}
	})
	t.Run("needs the directory", func(t *testing.T) {
		t.Parallel()
		if _, err := acquire(filepath.Join(t.TempDir(), "missing")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("got %v, want ErrNotExist", err)
		}
	})
}

func TestReadInfoRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		"a torn file":      `{"pid":4`,
		"an unknown field": `{"pid":4,"colour":"blue"}`,
	}
	for name, text := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dataDir := t.TempDir()
			if err := os.WriteFile(infoPath(dataDir), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if info, err := ReadInfo(dataDir); err == nil {
				t.Errorf("got %+v", info)
			}
		})
	}
}

func TestRespawnAfter(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		deaths int
		want   time.Duration
	}{
		"at once after the first death": {1, 0},
		"soon after the second":         {2, 100 * time.Millisecond},
		"later after the third":         {3, 200 * time.Millisecond},
		"never later than the limit":    {8, 5 * time.Second},
		"never later after very many":   {1 << 40, 5 * time.Second},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := respawnAfter(c.deaths); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}
