//go:build linux || darwin

package process

import (
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// pollEvery is how often the end of a process is looked for where the kernel cannot tell it.
const pollEvery = 100 * time.Millisecond

// errReleased ends a wait whose watcher was closed.
var errReleased = errors.New("watcher is closed")

// watcher waits for and signals exactly one process, whoever its parent is.
type watcher interface {
	// wait returns nil when the process has ended (a zombie has), errReleased after close.
	wait() error
	// signal sends to the process alone. It returns ErrGone when it has ended.
	signal(syscall.Signal) error
	close()
}

// pollWatcher looks at the process again and again. Between a look and a signal the id could in theory
// be used again; the kernel hands ids out in turn, so that takes a full round of them.
type pollWatcher struct {
	id     Identity
	closed chan struct{}
	once   sync.Once
}

func newPollWatcher(id Identity) (watcher, error) {
	if err := id.verify(); err != nil {
		return nil, err
	}
	return &pollWatcher{id: id, closed: make(chan struct{})}, nil
}

func (w *pollWatcher) wait() error {
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for {
		// What cannot be looked at is taken for alive: saying "ended" would start a second copy.
		if errors.Is(w.id.verify(), ErrGone) {
			return nil
		}
		select {
		case <-w.closed:
			return errReleased
		case <-ticker.C:
		}
	}
}

func (w *pollWatcher) signal(sig syscall.Signal) error {
	if err := w.id.verify(); err != nil {
		return err
	}
	err := unix.Kill(w.id.PID, sig)
	if errors.Is(err, unix.ESRCH) {
		return ErrGone
	}
	if err != nil {
		return fmt.Errorf("signal %s: %w", w.id, err)
	}
	return nil
}

func (w *pollWatcher) close() { w.once.Do(func() { close(w.closed) }) }
