//go:build !windows

package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Options describe one server. Dir, Binaries and the three PEM texts are
// required.
type Options struct {
	// Name is what logs and errors call the server.
	Name string
	// Dir is the server's folder: data, certificate, administrator's password,
	// port and log are in it. Base is the topmost folder above it that is ours
	// (default Dir), and must be there: when the server runs as another user, that user must be
	// able to pass through the folders from Base down.
	Dir, Base string
	// LogFile is where the server's output goes, default Dir/postgres.log.
	LogFile string
	// Port is the port on 127.0.0.1. 0 chooses a free one when the server is
	// made; it then stays the same.
	Port int
	// MaxConnections is for all accounts together, default 100.
	MaxConnections int
	// Certificate and Key are the server's, for localhost and 127.0.0.1;
	// Authority is the certificate of who issued it. All in PEM.
	Certificate, Key, Authority []byte
	// RunAs is the user that the server runs as; required when we are root. A
	// data directory that exists keeps the owner it has.
	RunAs *User
	// Binaries are the programs to use; see [Find].
	Binaries Binaries
	// Logger is told what happens to the server.
	Logger *slog.Logger
}

// Server is one PostgreSQL server that is kept running. Its methods may be
// called from several goroutines.
type Server struct {
	options Options
	files   layout
	log     *slog.Logger

	// changing is held by Ensure while it starts the supervision and by Stop,
	// Release and Remove for as long as they take.
	changing sync.Mutex

	// current is the postmaster that was last started or adopted. It belongs
	// to the supervision, and to whoever holds changing while there is none.
	current *postmaster

	// mu guards what follows.
	mu      sync.Mutex
	status  Status
	keeping *supervision
}

// New returns the server that options describe. It does nothing yet.
func New(options Options) (*Server, error) {
	var problems []error
	require := func(ok bool, what string) {
		if !ok {
			problems = append(problems, errors.New(what))
		}
	}
	require(filepath.IsAbs(options.Dir), "Dir must be an absolute path")
	require(options.Binaries.Dir != "", "Binaries is required")
	require(len(options.Certificate) > 0 && len(options.Key) > 0, "Certificate and Key are required")
	require(len(options.Authority) > 0, "Authority is required")
	require(options.Port >= 0 && options.Port <= 65535, "Port must be 0 to 65535")
	require(options.RunAs != nil || os.Geteuid() != 0, "RunAs is required when running as root")
	require(options.RunAs == nil || options.RunAs.UID != 0, "RunAs must not be root")
	if len(problems) > 0 {
		return nil, fmt.Errorf("set up PostgreSQL server %q: %w", options.Name, errors.Join(problems...))
	}
	options.Dir = filepath.Clean(options.Dir)
	if options.Base == "" {
		options.Base = options.Dir
	}
	options.Base = filepath.Clean(options.Base)
	if options.LogFile == "" {
		options.LogFile = layout(options.Dir).log()
	}
	if options.MaxConnections == 0 {
		options.MaxConnections = 100
	}
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	return &Server{
		options: options,
		files:   layout(options.Dir),
		log:     options.Logger.With("server", options.Name),
		status:  Status{State: Stopped, Since: time.Now()},
	}, nil
}

// Ensure makes sure that the server runs and is kept running from now on: a
// missing data directory is made, a running server is adopted, a stopped one
// started. It returns when an administrator could log in, or with the error
// of the attempt under way; the server is then tried again in the background
// until [Server.Stop], [Server.Release] or [Server.Remove]. Calling Ensure
// again tries at once.
//
// When ctx ends first, a server that is still recovering goes on doing so.
func (s *Server) Ensure(ctx context.Context) error {
	result := make(chan error, 1)
	s.changing.Lock()
	s.mu.Lock()
	keeping := s.keeping
	s.mu.Unlock()
	if keeping == nil {
		keeping = s.keep(result)
		s.changing.Unlock()
	} else {
		s.changing.Unlock()
		select {
		case keeping.ask <- result:
		case <-keeping.done:
			return fmt.Errorf("ensure PostgreSQL server %q: it was stopped meanwhile", s.options.Name)
		case <-ctx.Done():
			return s.notReady(ctx)
		}
	}
	select {
	case err := <-result:
		if err != nil {
			return fmt.Errorf("ensure PostgreSQL server %q: %w", s.options.Name, err)
		}
		return nil
	case <-keeping.done:
		return fmt.Errorf("ensure PostgreSQL server %q: it was stopped meanwhile", s.options.Name)
	case <-ctx.Done():
		return s.notReady(ctx)
	}
}

// notReady says what is known when the caller would not wait any longer.
func (s *Server) notReady(ctx context.Context) error {
	status := s.Status()
	err := context.Cause(ctx)
	if status.LastError != nil {
		err = fmt.Errorf("%w; last error: %w", err, status.LastError)
	}
	return fmt.Errorf("wait for PostgreSQL server %q: %w (it is %s; last lines of its log: %q)",
		s.options.Name, err, status.State, status.LastLines)
}
