package localtarget

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agentapi"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/accountdb"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// Options say which agent to use.
type Options struct {
	// DataDir is the agent's data directory, an absolute path.
	DataDir string
	// Executable is the binary that the agent is started from when none runs.
	Executable string
	// Attach says that no agent is started: where none runs, that is an error.
	Attach bool
	// Version is the caller's.
	Version string
	// Postgres is where database servers come from.
	Postgres agentapi.Postgres
}

// Target is a client of one agent. It connects when it is first used and is safe for
// concurrent use. It lives for one run: what it caches is never older than that.
type Target struct {
	options   Options
	databases accountdb.Lists

	mu     sync.Mutex
	client *agentapi.Client
}

var (
	_ target.Driver   = (*Target)(nil)
	_ target.Journals = (*Target)(nil)
	_ target.Logs     = (*Target)(nil)
	_ target.Meters   = (*Target)(nil)
)

// New makes a target. It touches nothing.
func New(o Options) *Target { return &Target{options: o} }

func (t *Target) place() agentapi.Place {
	return agentapi.Place{DataDir: t.options.DataDir, Executable: t.options.Executable, Software: t.options.Version, Attach: t.options.Attach}
}

// Close drops the connections.
func (t *Target) Close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.client != nil {
		t.client.Close()
	}
}

// Installation implements target.Installations. An installation that was removed as it
// should be is still the one of its data directory: it is known to hold nothing.
func (t *Target) Installation(ctx context.Context) (string, error) {
	a, err := read[agentapi.Text](ctx, t, "Installation", agentapi.None{})
	if errors.Is(err, target.ErrNotFound) || errors.Is(err, target.ErrNoInstallation) {
		if id := agentapi.Ended(t.options.DataDir); id != "" {
			return id, nil
		}
	}
	return a.Text, err
}

// Where implements target.Installations.
func (t *Target) Where() string { return fmt.Sprintf("the local target in %s", t.options.DataDir) }

// read calls a method that makes nothing: it needs an installation.
func read[A any](ctx context.Context, t *Target, method string, request any) (A, error) {
	return call[A](ctx, t, false, method, request)
}

// write calls a method that may make the installation.
func write[A any](ctx context.Context, t *Target, method string, request any) (A, error) {
	return call[A](ctx, t, true, method, request)
}

func call[A any](ctx context.Context, t *Target, create bool, method string, request any) (A, error) {
	var answer A
	c, err := t.connect(ctx, create)
	if err == nil {
		answer, err = agentapi.Call[A](ctx, c, method, request)
	}
	if errors.Is(err, target.ErrNoInstallation) && agentapi.Ended(t.options.DataDir) != "" {
		err = target.Errorf(target.ErrNotFound, "%s was removed with its last region", t.Where())
	}
	return answer, err
}

// connect connects once. A target whose installation is not there yet is asked anew.
func (t *Target) connect(ctx context.Context, create bool) (*agentapi.Client, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.client != nil {
		return t.client, nil
	}
	c, err := t.place().Connect(ctx, create)
	if err != nil {
		return nil, err
	}
	t.client = c
	return c, nil
}
