//go:build !windows

package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/hold"
	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/platform"
	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/process"
	"github.com/slipway-platform/terraform-provider-slipway/internal/agentapi"
)

const (
	// drainLimit is how long the old half of an upgrade lets its clients' connections live.
	drainLimit = 10 * time.Minute
	// controlLimit is how long control requests may take to end when the agent does.
	controlLimit = 30 * time.Second
	logLimit     = 10 << 20 // bytes, of the agent's log
)

// server is the half that serves.
type server struct {
	dir, version string
	log          *slog.Logger
	hold         *hold.Client
	platform     *platform.Platform
	// requests counts control requests under way; an agent with one is not idle.
	requests atomic.Int64
	// stop gets the one reason to end that came through the control interface.
	stop chan ending
}

// ending is why and how the serving half ends.
type ending struct {
	// all says to stop what runs; otherwise it runs on.
	all bool
	// upgrade says that another serving half takes over.
	upgrade bool
	// lost says that the data directory is gone: nobody is to wait for what is under way.
	lost bool
	done chan error
}

// serve looks after everything until it is told to end.
func serve(ctx context.Context, dir, version string, log *slog.Logger) error {
	client, err := hold.Connect(ctx, hold.ConnectOptions{DataDir: dir, Commands: commands(dir), Log: log})
	if err != nil {
		return err
	}
	defer client.Close()
	if err := client.Ready(ctx); err != nil {
		return err
	}
	command, err := shim()
	if err != nil {
		return err
	}
	p, err := platform.Open(ctx, platform.Options{Dir: dir, Listeners: listeners{client}, Shim: command, Logger: log})
	if err != nil {
		return err
	}
	s := &server{dir: dir, version: version, log: log, hold: client, platform: p, stop: make(chan ending, 1)}
	return s.run(ctx)
}

func (s *server) run(ctx context.Context) error {
	l, err := s.hold.UnixListener(ctx, "control", hold.SocketPath(s.dir), 0o600)
	if err != nil {
		return err
	}
	control := &http.Server{Handler: s.counted(s.routes()), ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- control.Serve(l) }()
	s.log.Info("the agent serves", "version", s.version, "data_dir", s.dir)
	e := s.wait(failed)
	if e.lost {
		if err := control.Close(); err != nil {
			s.log.Warn("the control interface did not close cleanly", "error", err)
		}
	}
	limit := controlLimit
	if e.all {
		limit += s.platform.StopTimeout()
	}
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	err = s.end(closing, e)
	if e.done != nil {
		e.done <- err
	}
	if shutdown := control.Shutdown(closing); shutdown != nil {
		err = errors.Join(err, control.Close())
	}
	if e.upgrade && err == nil {
		draining, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainLimit)
		defer cancel()
		return s.platform.Drain(draining)
	}
	return err
}

// wait returns when there is a reason to end.
func (s *server) wait(failed <-chan error) ending {
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	began := time.Now()
	for {
		select {
		case e := <-s.stop:
			return e
		case <-s.hold.StopRequested():
			return ending{}
		case <-s.hold.Done():
			return ending{}
		case err := <-failed:
			s.log.Error("the control interface ended", "error", err)
			return ending{}
		case <-ticker.C:
		}
		if s.lost() {
			s.log.Error("the data directory is gone, or is another one by now: ending everything that was run from it", "data_dir", s.dir)
			return ending{all: true, lost: true}
		}
		idle := s.platform.Ended() || s.platform.Empty() && time.Since(began) > idleLimit
		if idle && s.requests.Load() == 0 {
			return ending{}
		}
		if _, err := process.RotateLog(agentapi.LogFile(s.dir), logLimit, 2); err != nil {
			s.log.Warn("the agent's log was not rotated", "error", err)
		}
	}
}

// lost says whether the data directory was removed or replaced: neither our lock nor our
// installation is there. Either alone can be missing while somebody repairs something.
func (s *server) lost() bool {
	ours, err := s.hold.Owns()
	return err == nil && !ours && s.platform.Missing()
}

// end lets go of everything, in the way that was asked for.
func (s *server) end(ctx context.Context, e ending) error {
	if e.upgrade {
		s.platform.Close()
		return s.hold.Release(ctx)
	}
	var err error
	if e.all {
		err = s.platform.Stop(ctx)
	}
	s.platform.Close()
	s.platform.Shut()
	s.log.Info("the agent ends", "stopped_everything", e.all)
	if bye := s.hold.Bye(ctx); bye != nil && !errors.Is(bye, hold.ErrHoldGone) {
		err = errors.Join(err, bye)
	}
	return err
}

// routes are the platform's methods and those about the agent itself.
func (s *server) routes() http.Handler {
	mux := routes(s.platform)
	on(mux, "Survey", func(ctx context.Context, _ agentapi.None) (agentapi.Survey, error) {
		return survey(ctx, s.platform)
	})
	on(mux, "Stop", func(ctx context.Context, _ agentapi.None) (agentapi.None, error) {
		return agentapi.None{}, s.ask(ctx, ending{all: true, done: make(chan error, 1)})
	})
	anyVersion(mux, "Hello", func(context.Context, agentapi.None) (agentapi.Hello, error) {
		build, err := agentapi.Build()
		return agentapi.Hello{API: agentapi.Version, Software: s.version, Build: build, PID: os.Getpid()}, err
	})
	anyVersion(mux, "Upgrade", func(ctx context.Context, r agentapi.Upgrade) (agentapi.None, error) {
		if err := s.hold.Upgrade(ctx, r.Executable); err != nil {
			return agentapi.None{}, fmt.Errorf("replace the agent by %s: %w", r.Executable, err)
		}
		return agentapi.None{}, s.ask(ctx, ending{upgrade: true, done: make(chan error, 1)})
	})
	return mux
}

// ask ends the serving half and returns how that went.
func (s *server) ask(ctx context.Context, e ending) error {
	select {
	case s.stop <- e:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case err := <-e.done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *server) counted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.requests.Add(1)
		defer s.requests.Add(-1)
		s.platform.LookAgain()
		next.ServeHTTP(w, r)
	})
}

// listeners are hold's, as the platform wants them.
type listeners struct{ hold *hold.Client }

func (l listeners) Listener(ctx context.Context, key, address string) (net.Listener, error) {
	return l.hold.Listener(ctx, key, address)
}

func (l listeners) Unlisten(ctx context.Context, key string) error {
	return l.hold.CloseListener(ctx, key)
}
