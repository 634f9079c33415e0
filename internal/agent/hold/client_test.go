//go:build linux || darwin

package hold

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// inProcess runs a holder in this process, whose serve we are.
func inProcess(t *testing.T) *Client {
	t.Helper()
	dataDir := t.TempDir()
	lock, err := acquire(dataDir)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	h, err := newHolder(
		Options{DataDir: dataDir, Version: "test", Log: slog.New(slog.DiscardHandler)},
		estate{Lock: duplicate(t, lock), Serves: []heir{{Link: ends[0], PID: os.Getpid(), Active: true}}})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- h.run(nil) }()
	c, err := connect(t.Context(), legacy{Link: ends[1], Lock: duplicate(t, lock)}, ConnectOptions{})
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
	})
	return c
}

// duplicate returns a descriptor of the file that nobody else closes.
func duplicate(t *testing.T, file *os.File) int {
	t.Helper()
	descriptor, err := unix.FcntlInt(file.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	return descriptor
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
	descriptor := duplicate(t, theirs)
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
	defer lock.Close()
	c, err := connect(t.Context(), legacy{Link: descriptor, Lock: duplicate(t, lock), Standby: true}, ConnectOptions{})
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
