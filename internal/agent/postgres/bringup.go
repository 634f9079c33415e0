//go:build !windows

package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"
)

// bringUp leaves the server running and answering, whatever it finds: it
// makes what is missing, adopts a server that runs already, or starts one. A
// server that recovers after a crash is waited for as long as it lives.
func (s *Server) bringUp(ctx context.Context) (*postmaster, error) {
	changed, err := s.prepare(ctx)
	if err != nil {
		return nil, err
	}
	running, said, err := findPostmaster(s.files.data())
	if err != nil {
		return nil, err
	}
	if running != nil && said.port != 0 && said.port != s.Port() {
		s.log.Info("restarting on another port", "pid", running.pid, "from", said.port, "to", s.Port())
		if err := s.shutDown(ctx, running); err != nil {
			return nil, err
		}
		running = nil
	}
	if running != nil {
		s.log.Info("adopting running server", "pid", running.pid)
		if changed {
			if err := running.signal(syscall.SIGHUP); err != nil {
				return nil, err
			}
		}
	} else if running, err = s.start(ctx); err != nil {
		return nil, err
	}
	s.current = running
	s.become(Starting, running.pid)
	if err := s.awaitReady(ctx, running); err != nil {
		return nil, err
	}
	return running, nil
}

// start starts a postmaster where none runs.
func (s *Server) start(ctx context.Context) (*postmaster, error) {
	data := s.files.data()
	if err := s.clearOrphans(ctx); err != nil {
		return nil, err
	}
	dropped, err := dropStaleRecord(data)
	if err != nil {
		return nil, err
	}
	if dropped {
		s.log.Info("removed postmaster.pid of a dead server whose pid is another process's now")
	}
	if err := portFree(s.Port()); err != nil {
		return nil, fmt.Errorf("listen on port %d, which this server keeps (another program has it): %w", s.Port(), err)
	}
	owner, err := s.owner()
	if err != nil {
		return nil, err
	}
	started, err := startPostmaster(s.options.Binaries, data, s.options.LogFile, owner)
	if err != nil {
		return nil, err
	}
	s.log.Info("started server", "pid", started.pid, "port", s.Port(), "version", s.options.Binaries.Version)
	return started, nil
}

// orphanPatience is how long the children of a dead postmaster may take to
// notice it, before they are asked to end, and then before they are killed.
// They notice as soon as they wait for anything; only one in the midst of a
// long computation does not.
const orphanPatience = 3 * time.Second

// clearOrphans waits until no process of a dead server is left. Its shared
// memory is lost anyway; what was committed is in the write-ahead log.
func (s *Server) clearOrphans(ctx context.Context) error {
	for _, sig := range []syscall.Signal{0, syscall.SIGTERM, syscall.SIGKILL} {
		left := orphans(s.files.data())
		for _, pid := range left {
			if sig != 0 && isChild(pid) {
				s.log.Info("ending process of the dead server", "pid", pid, "signal", sig.String())
				_ = syscall.Kill(pid, sig) // gone already is what we want
			}
		}
		limited, cancel := context.WithTimeout(ctx, orphanPatience)
		err := poll(limited, 20*time.Millisecond, func() (bool, error) {
			return len(orphans(s.files.data())) == 0, nil
		})
		cancel()
		if err == nil || ctx.Err() != nil {
			return err
		}
	}
	return fmt.Errorf("wait for processes %v of the dead server: still there after SIGKILL", orphans(s.files.data()))
}

// awaitReady waits until an administrator can log in. It gives up when the
// server dies, or when something else answers in its place.
func (s *Server) awaitReady(ctx context.Context, running *postmaster) error {
	var last error
	err := poll(ctx, 25*time.Millisecond, func() (bool, error) {
		if !running.alive() {
			return false, fmt.Errorf("the server ended while starting; its log ends with: %s", strings.Join(s.logTail(8), "; "))
		}
		said, err := readRecord(s.files.data())
		if err != nil || said == nil || said.pid != running.pid || !said.ready {
			return false, nil
		}
		if last = s.login(ctx, said); errors.Is(last, errOtherServer) {
			return false, last
		}
		if last != nil {
			s.note(last)
		}
		return last == nil, nil
	})
	if err != nil {
		return errors.Join(err, last)
	}
	return nil
}
