//go:build !windows

package postgres

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// supervision is the goroutine that keeps one server running.
type supervision struct {
	// ask makes it try at once; the result goes into the channel sent.
	ask  chan chan<- error
	stop context.CancelFunc
	// done is closed when the goroutine has ended.
	done chan struct{}
}

// The server is looked at at every watchInterval, its log at every
// logInterval. Having run for calmAfter, its failures are forgotten. One that
// refuses a login is given dyingAfter to die before that is told.
const (
	watchInterval = 250 * time.Millisecond
	logInterval   = time.Minute
	calmAfter     = time.Minute
	dyingAfter    = 2 * time.Second
)

// keep starts the supervision; the result of its first attempt goes to first.
// The caller holds changing.
func (s *Server) keep(first chan<- error) *supervision {
	ctx, cancel := context.WithCancel(context.Background())
	keeping := &supervision{ask: make(chan chan<- error), stop: cancel, done: make(chan struct{})}
	s.mu.Lock()
	s.keeping = keeping
	s.mu.Unlock()
	go func() {
		defer close(keeping.done)
		s.supervise(ctx, keeping.ask, first)
	}()
	return keeping
}

// unkeep ends the supervision and leaves the server as it is. The caller
// holds changing.
func (s *Server) unkeep() {
	s.mu.Lock()
	keeping := s.keeping
	s.keeping = nil
	s.mu.Unlock()
	if keeping != nil {
		keeping.stop()
		<-keeping.done
	}
}

// supervise brings the server up, watches it, and brings it up again, until
// ctx ends. Whoever asks gets the result of the next attempt.
func (s *Server) supervise(ctx context.Context, ask <-chan chan<- error, asked chan<- error) {
	for failures := 0; ctx.Err() == nil; failures++ {
		s.become(Starting, 0)
		running, err := s.bringUp(ctx)
		if ctx.Err() != nil {
			return
		}
		if asked != nil {
			asked <- err
			asked = nil
		}
		if err == nil {
			s.become(Running, running.pid)
			s.log.Info("server is ready", "pid", running.pid, "port", s.Port())
			up := time.Now()
			if asked, err = s.watch(ctx, running, ask); err == nil {
				return
			}
			if time.Since(up) >= calmAfter {
				failures = 0
			}
		}
		pause := backOff(failures)
		s.fail(err)
		s.log.Warn("server is down", "error", err, "next_try_in", pause.Round(time.Millisecond))
		if asked != nil {
			continue
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case asked = <-ask:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// watch returns an error when the server has died, nil when ctx ends.
// Meanwhile it answers everybody who asks by logging in; one who asked when
// the server had just died is returned to be answered after the next attempt.
func (s *Server) watch(ctx context.Context, running *postmaster, ask <-chan chan<- error) (asked chan<- error, err error) {
	look := time.NewTicker(watchInterval)
	defer look.Stop()
	logs := time.NewTicker(logInterval)
	defer logs.Stop()
	for since := time.Now(); ; {
		next := ask
		if asked == nil {
			since = time.Now()
		} else {
			next = nil // one at a time
		}
		select {
		case <-look.C:
		case <-logs.C:
			if err := rotate(s.options.LogFile); err != nil {
				s.log.Warn("server's log was not rotated", "error", err)
			}
		case asked = <-next:
		case <-ctx.Done():
			return nil, nil
		}
		var answer error
		if asked != nil {
			answer = s.check(ctx, running)
		}
		if !running.alive() {
			s.mu.Lock()
			s.status.Restarts++
			s.mu.Unlock()
			return asked, fmt.Errorf("the server (pid %d) died; its log ends with: %s", running.pid, strings.Join(s.logTail(8), "; "))
		}
		switch {
		case asked == nil:
		case answer != nil && time.Since(since) < dyingAfter:
			// A process that is being killed still counts as alive for a moment.
		default:
			asked <- answer
			asked = nil
		}
	}
}

// check logs into the running server.
func (s *Server) check(ctx context.Context, running *postmaster) error {
	said, err := readRecord(s.files.data())
	if err != nil {
		return err
	}
	if said == nil || said.pid != running.pid {
		return fmt.Errorf("check server: its postmaster.pid does not name it (pid %d) any longer", running.pid)
	}
	return s.login(ctx, said)
}

// backOff is the pause after the given number of failures in a row: 1 s,
// doubled each time up to 30 s, and up to a quarter of it off by chance, so
// that several servers do not come back in step.
func backOff(failures int) time.Duration {
	pause := min(30*time.Second, time.Second<<min(failures, 5))
	return pause - time.Duration(rand.Int64N(int64(pause/4)+1))
}
