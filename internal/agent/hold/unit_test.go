//go:build linux || darwin

package hold

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const canBeLong = runtime.GOOS == "linux"

// inProcess runs a holder in this process, whose serve we are.
func inProcess(t *testing.T) *Client {
	t.Helper()
	dataDir := t.TempDir()
	lock, err := acquire(dataDir)
	if err != nil {
		t.Fatal(err)
	}
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	copied, err := unix.Dup(int(lock.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	h, err := newHolder(
		Options{DataDir: dataDir, Version: "test", Log: slog.New(slog.DiscardHandler)},
		estate{Lock: int(lock.Fd()), Serves: []heir{{Link: ends[0], PID: os.Getpid(), Active: true}}})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- h.run(nil) }()
	c, err := connect(t.Context(), legacy{Link: ends[1], Lock: copied}, ConnectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Bye(context.Background()); err != nil {
			t.Error(err)
		}
		c.Close()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		runtime.KeepAlive(lock)
	})
	return c
}

func TestClientListener(t *testing.T) {
	t.Parallel()
	c := inProcess(t)
	listenOn := func(t *testing.T, key, address string) net.Listener {
		t.Helper()
		l, err := c.Listener(t.Context(), key, address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		return l
	}
	t.Run("is the same for the same key and address", func(t *testing.T) {
		one, other := listenOn(t, "same", "127.0.0.1:0"), listenOn(t, "same", "127.0.0.1:0")
		if one.Addr().String() != other.Addr().String() {
			t.Errorf("got %v and %v", one.Addr(), other.Addr())
		}
	})
	t.Run("stays open when it is closed here", func(t *testing.T) {
		l := listenOn(t, "stays", "127.0.0.1:0")
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		accepted, err := listenOn(t, "stays", "127.0.0.1:0").Accept()
		if err != nil {
			t.Fatal(err)
		}
		_ = accepted.Close()
	})
	t.Run("moves to another address", func(t *testing.T) {
		old := listenOn(t, "moves", "127.0.0.1:0")
		listenOn(t, "moves", "localhost:0")
		assertRefused(t, old.Addr())
	})
	t.Run("is refused where somebody else listens", func(t *testing.T) {
		taken := listenOn(t, "taken", "127.0.0.1:0")
		if _, err := c.Listener(t.Context(), "second", taken.Addr().String()); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("got %v, want EADDRINUSE", err)
		}
	})
	t.Run("is closed for everybody, twice without an error", func(t *testing.T) {
		l := listenOn(t, "closed", "127.0.0.1:0")
		for range 2 {
			if err := c.CloseListener(t.Context(), "closed"); err != nil {
				t.Error(err)
			}
		}
		assertRefused(t, l.Addr())
		if _, err := l.Accept(); err == nil && runtime.GOOS == "linux" {
			t.Error("accept goes on")
		}
	})
	t.Run("has a unix socket's mode and file", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "socket")
		l, err := c.UnixListener(t.Context(), "unix", path, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode() != os.ModeSocket|0o600 {
			t.Errorf("got %v, %v", info, err)
		}
		if err := c.CloseListener(t.Context(), "unix"); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the file is left: %v", err)
		}
	})
	t.Run("gives up with its context", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for range 20 { // the answer may win
			l, err := c.Listener(ctx, "late", "127.0.0.1:0")
			if err == nil {
				_ = l.Close()
			} else if !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		}
	})
}

func assertRefused(t *testing.T, address net.Addr) {
	t.Helper()
	conn, err := net.Dial(address.Network(), address.String())
	if err == nil {
		_ = conn.Close()
	}
	if !errors.Is(err, syscall.ECONNREFUSED) && runtime.GOOS == "linux" {
		t.Errorf("got %v, want the connection refused", err)
	}
}

func TestConnectNeedsAHold(t *testing.T) {
	t.Parallel()
	if _, err := Connect(t.Context(), ConnectOptions{}); !errors.Is(err, ErrNotHeld) {
		t.Errorf("got %v, want ErrNotHeld", err)
	}
}

func TestClientThatDoesNotSuperviseEndsWithItsHold(t *testing.T) {
	t.Parallel()
	ours, theirs, err := newPair()
	if err != nil {
		t.Fatal(err)
	}
	descriptor, err := unix.Dup(int(theirs.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	_ = theirs.Close()
	go func() { // a hold that answers the first question and dies after the second
		first, _, _ := ours.receive()
		_ = ours.send(message{Op: opReply, ID: first.ID})
		_, _, _ = ours.receive()
		ours.close()
	}()
	lock, err := os.CreateTemp(t.TempDir(), "lock")
	if err != nil {
		t.Fatal(err)
	}
	copied, err := unix.Dup(int(lock.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	c, err := connect(t.Context(), legacy{Link: descriptor, Lock: copied, Standby: true}, ConnectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Ready(t.Context()); !errors.Is(err, ErrHoldGone) {
		t.Errorf("got %v, want ErrHoldGone", err)
	}
	select {
	case <-c.Done():
	case <-time.After(10 * time.Second):
		t.Error("not done")
	}
	if _, err := c.Listener(t.Context(), "late", "127.0.0.1:0"); !errors.Is(err, ErrHoldGone) {
		t.Errorf("got %v, want ErrHoldGone", err)
	}
}

func TestLinkKeepsDescriptorsWithTheirMessages(t *testing.T) {
	t.Parallel()
	ours, file, err := newPair()
	if err != nil {
		t.Fatal(err)
	}
	defer ours.close()
	descriptor, err := unix.Dup(int(file.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	_ = file.Close()
	theirs, err := newLink(descriptor)
	if err != nil {
		t.Fatal(err)
	}
	const count = 200
	go func() {
		for i := range count {
			r, w, err := os.Pipe()
			if err != nil {
				t.Error(err)
				break
			}
			_, _ = w.Write([]byte{byte(i)})
			switch m := (message{ID: uint64(i), Op: strings.Repeat("long", i*10)}); i % 3 {
			case 0:
				err = ours.send(m, int(r.Fd()))
			case 1:
				err = ours.send(m)
			case 2:
				err = ours.send(m, int(r.Fd()), int(w.Fd()))
			}
			if err != nil {
				t.Error(err)
			}
			_, _ = r.Close(), w.Close()
		}
		ours.close()
	}()
	for i := range count {
		m, descriptors, err := theirs.receive()
		if err != nil {
			t.Fatal(err)
		}
		if want := []int{1, 0, 2}[i%3]; m.ID != uint64(i) || len(descriptors) != want {
			t.Fatalf("message %d: got %d with %d descriptors, want %d", i, m.ID, len(descriptors), want)
		}
		if len(descriptors) > 0 {
			text := make([]byte, 1)
			if _, err := unix.Read(descriptors[0], text); err != nil || text[0] != byte(i) {
				t.Errorf("message %d: its descriptor says %d, %v", i, text[0], err)
			}
		}
		closeAll(descriptors)
	}
	if _, _, err := theirs.receive(); !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want the end", err)
	}
	theirs.close()
}

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
		again, err := acquire(dataDir)
		if err != nil {
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
