//go:build !windows

package postgres

import (
	"errors"
	"io"
	"os"
	"time"
)

// State is what a server is doing.
type State string

// The states of a server.
const (
	// Stopped: nobody wants it to run, or it was released.
	Stopped State = "stopped"
	// Starting: it is being started, adopted or is recovering.
	Starting State = "starting"
	// Running: an administrator could log in, and it lives.
	Running State = "running"
	// Failed: it died or would not start, and is tried again after a while.
	Failed State = "failed"
)

// Status is what is known about a server.
type Status struct {
	State State
	// Since is when it got into State.
	Since time.Time
	// PID is the postmaster's, 0 unless it runs.
	PID int
	// Port is 0 until it is known.
	Port int
	// Restarts counts how often it was started again after it had died.
	Restarts int
	// LastError is the last thing that went wrong; nil once it runs again.
	LastError error
	// LastLines are the last lines of the server's log.
	LastLines []string
}

// Status returns what the server is doing.
func (s *Server) Status() Status {
	s.mu.Lock()
	status := s.status
	s.mu.Unlock()
	status.LastLines = s.logTail(20)
	return status
}

// become records a new state. A server that runs or was stopped has no error.
func (s *Server) become(state State, pid int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status.State, s.status.PID, s.status.Since = state, pid, time.Now()
	if state == Running || state == Stopped {
		s.status.LastError = nil
	}
}

// fail records what went wrong.
func (s *Server) fail(err error) {
	s.become(Failed, 0)
	s.note(err)
}

// note records what goes wrong without a change of state.
func (s *Server) note(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status.LastError = err
}

// logTail returns the last n lines of the server's log, as far as 16 KiB hold.
func (s *Server) logTail(n int) []string {
	file, err := os.Open(s.options.LogFile)
	if err != nil {
		return nil
	}
	defer file.Close()
	const most = 16 << 10
	if size, err := file.Seek(0, io.SeekEnd); err == nil {
		if _, err := file.Seek(max(0, size-most), io.SeekStart); err != nil {
			return nil
		}
	}
	text, err := io.ReadAll(io.LimitReader(file, most))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil
	}
	return lastLines(string(text), n)
}
