//go:build !windows

package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// Stop ends the supervision and shuts the server down: sessions are cut off
// and what they had not committed is rolled back. A server that does not obey
// within the limits is stopped harder and recovers at its next start. Stopping
// a server that does not run succeeds.
func (s *Server) Stop(ctx context.Context) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	return s.stop(ctx)
}

func (s *Server) stop(ctx context.Context) error {
	s.unkeep()
	// One that was started a moment ago may not have written postmaster.pid.
	running, err := s.current, error(nil)
	if running == nil || !running.alive() {
		running, _, err = findPostmaster(s.files.data())
	}
	if err == nil && running != nil {
		err = s.shutDown(ctx, running)
	}
	if err != nil {
		s.fail(err)
		return fmt.Errorf("stop PostgreSQL server %q: %w", s.options.Name, err)
	}
	s.become(Stopped, 0)
	return nil
}

// Release ends the supervision and leaves the server running, for the next
// agent to find.
func (s *Server) Release() {
	s.changing.Lock()
	defer s.changing.Unlock()
	s.unkeep()
	s.become(Stopped, 0)
}

// shutDown ends the postmaster: a fast shutdown, then an immediate one, then
// its death.
func (s *Server) shutDown(ctx context.Context, running *postmaster) error {
	steps := []struct {
		signal   syscall.Signal
		patience time.Duration
	}{
		{syscall.SIGINT, 30 * time.Second},
		{syscall.SIGQUIT, 10 * time.Second},
		{syscall.SIGKILL, 5 * time.Second},
	}
	for _, step := range steps {
		s.log.Info("stopping server", "pid", running.pid, "signal", step.signal.String())
		if err := running.signal(step.signal); err != nil {
			return err
		}
		limited, cancel := context.WithTimeout(ctx, step.patience)
		err := poll(limited, 10*time.Millisecond, func() (bool, error) { return !running.alive(), nil })
		cancel()
		if err == nil {
			return s.clearOrphans(ctx)
		}
		if ctx.Err() != nil {
			return fmt.Errorf("wait for postmaster %d after %s: %w", running.pid, step.signal, context.Cause(ctx))
		}
	}
	return fmt.Errorf("wait for postmaster %d: still there after SIGKILL", running.pid)
}

// Remove stops the server and deletes it with all of its data. Only files that
// this package made are deleted; a log file outside of Dir stays. Removing
// what is not there succeeds, so it can be repeated after a crash.
func (s *Server) Remove(ctx context.Context) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	if err := s.stop(ctx); err != nil {
		return err
	}
	if err := s.removeUnfinished(ctx); err != nil {
		return err
	}
	// The name goes first: half a data directory must not look like a whole.
	doomed := s.files.removedData()
	if err := os.RemoveAll(doomed); err != nil {
		return fmt.Errorf("remove data directory: %w", err)
	}
	if err := os.Rename(s.files.data(), doomed); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove data directory: %w", err)
	}
	paths := []string{doomed, s.files.certificate(), s.files.key(), s.files.authority(),
		s.files.port(), s.files.password(), s.files.log(), s.files.log() + ".1"}
	var problems []error
	for _, path := range paths {
		problems = append(problems, os.RemoveAll(path))
	}
	if err := os.Remove(s.options.Dir); err != nil && !errors.Is(err, os.ErrNotExist) {
		problems = append(problems, err)
	}
	if err := errors.Join(problems...); err != nil {
		return fmt.Errorf("remove PostgreSQL server %q: %w", s.options.Name, err)
	}
	s.mu.Lock()
	s.status = Status{State: Stopped, Since: time.Now()}
	s.mu.Unlock()
	return nil
}
