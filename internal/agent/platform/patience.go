//go:build !windows

package platform

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// serverPatience is how long work waits for a server that is down, as one is while it comes up
// after the agent was started again or recovers from a crash. It does not bound the work.
const serverPatience = 30 * time.Second

// awaitServer waits for a server to come up.
func (e *environment) awaitServer(ctx context.Context, key string) (*server, error) {
	ctx, cancel := context.WithTimeout(ctx, e.p.patience)
	defer cancel()
	seen, err := wait.Until(ctx, wait.Options{Max: 200 * time.Millisecond}, func(context.Context) (serverSeen, bool, error) {
		e.mu.Lock()
		defer e.mu.Unlock()
		s := e.servers[key]
		if s == nil && e.file.Meta.Stuck {
			return serverSeen{}, false, target.Errorf(target.ErrInvalid, "the database server of environment %q is not up: %s", e.id, e.file.Meta.Problem)
		}
		return serverSeen{s, e.file.Meta.Problem}, s != nil, nil
	})
	var timeout *wait.TimeoutError
	if errors.As(err, &timeout) {
		return nil, target.Errorf(target.ErrUnavailable, "the database server of environment %q did not come up within %s: %s", e.id, timeout.Waited.Round(time.Second), timeout.Last)
	}
	return seen.server, err
}

type serverSeen struct {
	server  *server
	problem string
}

func (s serverSeen) String() string {
	if s.problem == "" {
		return "it is being started"
	}
	return s.problem
}

// patiently does work on the server, again where a server of ours was down meanwhile. Only the
// waiting for the server is bounded here; the work takes as long as ctx lets it, and must be
// safe to repeat.
func (s *server) patiently(ctx context.Context, work func(context.Context) error) error {
	if s.own == nil {
		return work(ctx)
	}
	var broken error
	_, err := wait.Until(ctx, wait.Options{Max: 500 * time.Millisecond}, func(ctx context.Context) (serverSeen, bool, error) {
		broken = work(ctx)
		if !down(broken) || ctx.Err() != nil {
			return serverSeen{}, broken == nil, broken
		}
		if err := s.awaitAnswer(ctx, broken); err != nil {
			return serverSeen{}, false, err
		}
		return serverSeen{}, false, wait.Retry(broken)
	})
	var timeout *wait.TimeoutError
	if errors.As(err, &timeout) && broken != nil {
		return fmt.Errorf("work on the database server at port %d (given up after %s): %w", s.port, timeout.Waited.Round(time.Second), broken)
	}
	return err
}

// awaitAnswer waits until the server answers. Why says how it was seen to be down.
func (s *server) awaitAnswer(ctx context.Context, why error) error {
	patient, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	_, err := wait.Until(patient, wait.Options{Max: 500 * time.Millisecond}, func(ctx context.Context) (serverSeen, bool, error) {
		err := s.cluster.Ping(ctx)
		if err != nil && ctx.Err() == nil {
			why = err
		}
		if err != nil {
			err = wait.Retry(err)
		}
		return serverSeen{}, err == nil, err
	})
	if err == nil || ctx.Err() != nil {
		return nil // who waits looks at ctx itself
	}
	seen := s.own.Status()
	return target.Errorf(target.ErrUnavailable, "waited %s for the database server at port %d, which is %s: %v (last lines of its log: %q). The agent goes on bringing it up: apply again",
		s.patience, s.port, seen.State, why, seen.LastLines)
}

// down says that an error comes from a server that is not up: class 57P of PostgreSQL's error
// codes (operator intervention), or no connection at all.
func down(err error) bool {
	var connect *pgconn.ConnectError
	var refusal *pgconn.PgError
	return errors.As(err, &connect) || pgconn.SafeToRetry(err) ||
		errors.As(err, &refusal) && strings.HasPrefix(refusal.Code, "57P")
}
