package process

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// watch returns the watcher of a running process, or ErrGone.
func watch(id Identity) (watcher, error) {
	fd, err := unix.PidfdOpen(id.PID, unix.PIDFD_NONBLOCK)
	switch {
	case errors.Is(err, unix.ESRCH):
		return nil, ErrGone
	case errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EINVAL), errors.Is(err, unix.EPERM):
		return newPollWatcher(id) // a kernel before 5.10, or a sandbox that forbids the call
	case err != nil:
		return nil, fmt.Errorf("open %s: %w", id, err)
	}
	w := &pidfdWatcher{id: id, file: os.NewFile(uintptr(fd), "pidfd")}
	// The descriptor holds on to whoever had the id when it was opened; only now is that known to be ours.
	if err := id.verify(); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

// pidfdWatcher holds a descriptor of the process: it cannot mean another one later.
type pidfdWatcher struct {
	id   Identity
	file *os.File
}

// wait parks on the runtime's poller, at the price of no thread.
func (w *pidfdWatcher) wait() error {
	conn, err := w.file.SyscallConn()
	if err != nil {
		return errReleased
	}
	err = conn.Read(func(fd uintptr) bool {
		events := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, err := unix.Poll(events, 0)
		return err == nil && n == 1
	})
	if err != nil {
		return errReleased // no deadline is ever set: closing is all that interrupts
	}
	return nil
}

func (w *pidfdWatcher) signal(sig syscall.Signal) error {
	conn, err := w.file.SyscallConn()
	if err != nil {
		return ErrGone
	}
	var sent error
	if err := conn.Control(func(fd uintptr) { sent = unix.PidfdSendSignal(int(fd), sig, nil, 0) }); err != nil {
		return errReleased
	}
	if errors.Is(sent, unix.ESRCH) {
		return ErrGone
	}
	if sent != nil {
		return fmt.Errorf("signal %s: %w", w.id, sent)
	}
	return nil
}

func (w *pidfdWatcher) close() { _ = w.file.Close() }
