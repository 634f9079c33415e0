//go:build !windows

package platform

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/postgres"
	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/postgres/accounts"
	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/postgres/postgrestest"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/accountdb"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// testServer is a running server with as much patience.
func testServer(t *testing.T, patience time.Duration) *server {
	t.Helper()
	own := postgrestest.Start(t, postgrestest.TestOptions(t))
	address, err := own.AdminURL()
	if err != nil {
		t.Fatal(err)
	}
	cluster, err := accounts.Open(address, accounts.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return &server{own: own, cluster: cluster, port: own.Port(), patience: patience}
}

func connectAdmin(t *testing.T, own *postgres.Server) *pgx.Conn {
	t.Helper()
	address, err := own.AdminURL()
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

// waiting counts the sessions that wait for a lock.
type waiting int

func (w waiting) String() string { return "sessions that wait" }

func TestPatienceIsForTheServerNotForItsWork(t *testing.T) {
	t.Parallel()
	s := testServer(t, time.Nanosecond)
	account := accountdb.Account{Name: "acct_slow", Mark: "mark", Password: accountdb.NewPassword()}

	t.Run("work that a lock holds up goes on until it is done", func(t *testing.T) {
		holder, watcher := connectAdmin(t, s.own), connectAdmin(t, s.own)
		tx, err := holder.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(t.Context(), "LOCK TABLE pg_authid IN EXCLUSIVE MODE"); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() {
			done <- s.patiently(t.Context(), func(ctx context.Context) error { return s.cluster.EnsureAccount(ctx, account) })
		}()
		// It waits by now, for longer than the patience.
		_, err = wait.Until(t.Context(), wait.Options{}, func(ctx context.Context) (n waiting, waits bool, err error) {
			select {
			case early := <-done:
				return 0, false, errors.Join(errors.New("the work ended early"), early)
			default:
			}
			err = watcher.QueryRow(ctx, "SELECT count(*) FROM pg_locks WHERE NOT granted").Scan(&n)
			return n, n > 0, err
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := tx.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})

	t.Run("a server that stays down is not waited for any longer", func(t *testing.T) {
		if err := s.own.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		err := s.patiently(t.Context(), func(ctx context.Context) error { return s.cluster.EnsureAccount(ctx, account) })
		if !errors.Is(err, target.ErrUnavailable) {
			t.Errorf("got %v, want unavailable", err)
		}
	})

	t.Run("the caller's limit is the work's", func(t *testing.T) {
		enough := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		err := s.patiently(ctx, func(ctx context.Context) error {
			cancel(enough)
			return context.Cause(ctx)
		})
		if !errors.Is(err, enough) {
			t.Errorf("got %v, want %v", err, enough)
		}
	})
}

func TestWorkIsDoneAgainWhenTheServerIsUpAgain(t *testing.T) {
	t.Parallel()
	s := testServer(t, time.Minute)
	if err := s.own.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	tries := 0
	err := s.patiently(t.Context(), func(ctx context.Context) error {
		tries++
		err := s.cluster.Ping(ctx)
		if tries == 1 {
			go func() { _ = s.own.Ensure(t.Context()) }() // what becomes of it is seen
		}
		return err
	})
	if err != nil || tries != 2 {
		t.Errorf("got %v after %d tries, want success with the second", err, tries)
	}
}
