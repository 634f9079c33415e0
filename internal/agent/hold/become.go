//go:build linux || darwin

package hold

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// become turns this process into the new executable. Process id, sockets, lock and links stay. If that
// is impossible, hold goes on as it is: old and new speak the same protocol.
func (h *holder) become() {
	h.becoming = false
	h.interrupt()
	if h.upgrade != nil || h.ending() {
		h.resume() // something happened meanwhile; the next upgrade comes here again
		return
	}
	err := h.exec()
	h.Log.Error("hold stays the old executable", "error", err)
	if err := h.describe(); err != nil {
		h.Log.Error("agent info is not up to date", "error", err)
	}
	h.resume()
}

// interrupt stops reading from the serves, and reacts to all that was read, until there is nothing left
// that the new executable would not find in the links.
func (h *holder) interrupt() {
	past := time.Unix(1, 0)
	for quiet := false; !quiet; {
		var backlog []event
		for _, s := range h.everybody() {
			_ = s.link.conn.SetReadDeadline(past)
			for unread := false; !unread; {
				select {
				case <-s.unread:
					unread = true
				case e := <-h.events:
					backlog = append(backlog, e)
				}
			}
		}
		for len(h.events) > 0 {
			backlog = append(backlog, <-h.events)
		}
		for _, e := range backlog {
			h.handle(e) // which may start another serve
		}
		quiet = len(backlog) == 0
	}
}

// resume undoes interrupt.
func (h *holder) resume() {
	for _, s := range h.everybody() {
		if !s.interrupted {
			continue // its link has ended, only its death is awaited
		}
		_ = s.link.conn.SetReadDeadline(time.Time{})
		h.watch(s)
	}
}

func (h *holder) everybody() []*serve {
	everybody := append([]*serve(nil), h.others...)
	if h.active != nil {
		everybody = append(everybody, h.active)
	}
	return everybody
}

// exec returns only with an error.
func (h *holder) exec() error {
	left := estate{StopAsked: h.stopAsked}
	var open []int // what survives execve: copies, so that a failure leaves the originals as they are
	defer func() { closeAll(open) }()
	keep := func(fd int) (int, error) {
		copied, err := unix.Dup(fd)
		if err == nil {
			open = append(open, copied)
		}
		return copied, err
	}
	var err error
	if left.Lock, err = keep(int(h.lock.Fd())); err != nil {
		return fmt.Errorf("keep lock: %w", err)
	}
	for _, held := range h.sockets.all() {
		if held.Descriptor, err = keep(held.Descriptor); err != nil {
			return fmt.Errorf("keep socket %q: %w", held.Key, err)
		}
		left.Sockets = append(left.Sockets, held)
	}
	for _, s := range h.everybody() {
		one := heir{PID: s.pid, Child: s.child, Active: s == h.active, Received: s.link.received}
		conn, err := s.link.conn.SyscallConn()
		if err != nil {
			return fmt.Errorf("keep link: %w", err)
		}
		var copied error
		err = conn.Control(func(fd uintptr) { one.Link, copied = keep(int(fd)) })
		if err := errors.Join(err, copied); err != nil {
			return fmt.Errorf("keep link: %w", err)
		}
		left.Serves = append(left.Serves, one)
	}
	variable, err := assignment(holdVariable, left)
	if err != nil {
		return err
	}
	arguments := append([]string{h.executable}, h.Commands.Hold...)
	return fmt.Errorf("execute %s: %w", h.executable, syscall.Exec(h.executable, arguments, append(os.Environ(), variable)))
}
