//go:build linux || darwin

package hold

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"time"
)

// serve is hold's view of a serving half.
type serve struct {
	link      *link
	pid       int
	process   *os.Process
	child     bool // ours to wait for; of another one only the end of its link is seen
	startedAt time.Time
	ready     bool
	waiting   *message // its ready, while another one supervises

	unread      chan struct{} // closed when nobody reads from the link any more
	interrupted bool          // written before that: by become, not by the end of the link
}

// send cannot do anything about a serve that is dead: its end is an event of its own.
func (s *serve) send(m message, descriptors ...int) { _ = s.link.send(m, descriptors...) }

func (s *serve) reply(to message, err error) {
	s.send(message{Op: opReply, ID: to.ID, Problem: problemOf(err)})
}

// kill needs no care about process ids: a child stays in the kernel's table until we wait for it, and of
// another one os.Process holds on to the very process.
func (s *serve) kill() { _ = s.process.Kill() }

// startActive starts the serve that is to supervise.
func (h *holder) startActive() {
	s, err := h.start(h.executable, h.name, false)
	if err != nil {
		// After an upgrade that hold itself could not follow, its own executable is the last resort.
		if own, selfErr := self(); selfErr == nil && own != h.executable {
			h.Log.Error("serve does not start: trying hold's own executable", "error", err)
			s, err = h.start(own, h.name, false)
		}
	}
	if err != nil {
		h.Log.Error("serve does not start", "error", err)
		h.succeed(&serve{startedAt: time.Now()})
		return
	}
	h.active = s
}

// start starts a serve from an executable that people know by name. It lives in a session of its own: a
// Ctrl-C in the terminal is for hold alone.
func (h *holder) start(executable, name string, standby bool) (*serve, error) {
	ours, theirs, err := newPair()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	variable, err := assignment(serveVariable, legacy{Link: 3, Lock: 4, Standby: standby})
	if err != nil {
		ours.close()
		return nil, err
	}
	command := exec.Command(executable, h.Commands.Serve...)
	command.Args[0] = name
	command.Env = append(os.Environ(), variable)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	command.ExtraFiles = []*os.File{theirs, h.lock}
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := command.Start(); err != nil {
		ours.close()
		return nil, fmt.Errorf("start serve: %w", err)
	}
	s := &serve{
		link: ours, pid: command.Process.Pid, process: command.Process, child: true, startedAt: time.Now(),
	}
	h.watch(s)
	h.Log.Info("serve started", "pid", s.pid, "standby", standby)
	return s, nil
}

// adopt takes over a serve that runs.
func (h *holder) adopt(one heir) error {
	l, err := newLink(one.Link)
	if err != nil {
		return err
	}
	l.received = one.Received
	process, err := os.FindProcess(one.PID)
	if err != nil {
		return fmt.Errorf("adopt serve: %w", err)
	}
	s := &serve{link: l, pid: one.PID, process: process, child: one.Child, startedAt: time.Now(), ready: true}
	if one.Active {
		h.active = s
	} else {
		h.others = append(h.others, s)
	}
	h.watch(s)
	return nil
}

// watch turns what comes from a serve, and its death, into events.
func (h *holder) watch(s *serve) {
	s.unread, s.interrupted = make(chan struct{}), false
	h.helpers.Go(func() {
		interrupted := h.read(s)
		s.interrupted = interrupted
		close(s.unread)
		if interrupted {
			return
		}
		if s.child {
			_, _ = s.process.Wait()
		}
		h.post(event{from: s, gone: true})
	})
}

// read posts the messages of a serve and says whether it was interrupted before the end of the link.
func (h *holder) read(s *serve) bool {
	for {
		m, descriptors, err := s.link.receive()
		if err != nil {
			return errors.Is(err, os.ErrDeadlineExceeded)
		}
		h.post(event{from: s, message: m, descriptors: descriptors})
	}
}

// post hands an event to the holder unless that has ended.
func (h *holder) post(e event) {
	select {
	case h.events <- e:
	case <-h.ctx.Done():
	}
}

// forget takes a serve off the list of those that do not supervise.
func (h *holder) forget(s *serve) {
	h.others = slices.DeleteFunc(h.others, func(other *serve) bool { return other == s })
}
