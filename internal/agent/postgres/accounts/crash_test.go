//go:build !windows

package accounts_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/postgres/accounts"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/accountdb"
)

// errCrash stands for the death of the process that works on an account.
var errCrash = errors.New("crashed")

// fault is one way in which work is cut off at its n-th message.
type fault struct {
	name string
	// options make the fault happen at message n and count the messages.
	options func(t *testing.T, n int, count *int) accounts.Options
}

func faults() []fault {
	at := func(n int, count *int, happen func(context.Context) error) func(context.Context, string) error {
		return func(ctx context.Context, what string) error {
			if *count++; *count != n {
				return nil
			}
			if err := happen(ctx); err != nil {
				return fmt.Errorf("at %q: %w", what, err)
			}
			return nil
		}
	}
	crash := func(context.Context) error { return errCrash }
	return []fault{
		{"dies before it sends", func(_ *testing.T, n int, count *int) accounts.Options {
			return accounts.Options{Before: at(n, count, crash)}
		}},
		{"dies before it learns the answer", func(_ *testing.T, n int, count *int) accounts.Options {
			return accounts.Options{After: at(n, count, crash)}
		}},
		{"loses its connection", func(t *testing.T, n int, count *int) accounts.Options {
			killer := admin(t)
			return accounts.Options{MaxConnections: 1, Before: at(n, count, func(ctx context.Context) error {
				// The name of the application spares the sessions of other tests.
				_, err := killer.Exec(ctx, "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = $1", victim(t))
				return err
			})}
		}},
	}
}

// victim is the name by which a test finds its own sessions.
func victim(t *testing.T) string { return fmt.Sprintf("victim-%p", t) }

// witness fails the test if a database is ever open to others.
type witness struct {
	connection *pgx.Conn
	mu         sync.Mutex
}

func (w *witness) look(t *testing.T, name string) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	var open bool
	// The test's own context has ended when it cleans up.
	err := w.connection.QueryRow(context.WithoutCancel(t.Context()), `SELECT EXISTS (SELECT FROM pg_database d,
		aclexplode(coalesce(datacl, acldefault('d', datdba))) a
		WHERE datname = $1 AND datallowconn AND a.grantee <> datdba)`, name).Scan(&open)
	if err != nil {
		t.Error(err)
	}
	if open {
		t.Errorf("database %s is open to others", name)
	}
}

func TestCrashAtEveryMessage(t *testing.T) {
	t.Parallel()
	clean := open(t, accounts.Options{})
	works := []struct {
		name    string
		prepare func(*testing.T, accountdb.Account)
		work    func(context.Context, *accounts.Cluster, accountdb.Account) error
		check   func(*testing.T, accountdb.Account)
	}{
		{
			name:    "ensure",
			prepare: func(*testing.T, accountdb.Account) {},
			work: func(ctx context.Context, cluster *accounts.Cluster, account accountdb.Account) error {
				return cluster.EnsureAccount(ctx, account)
			},
			check: func(t *testing.T, account accountdb.Account) {
				wantNoDrift(t, clean, account)
				wantLogin(t, account)
			},
		},
		{
			name:    "set password",
			prepare: func(t *testing.T, account accountdb.Account) { account.Password = "old"; ensure(t, clean, account) },
			work: func(ctx context.Context, cluster *accounts.Cluster, account accountdb.Account) error {
				return cluster.SetPassword(ctx, account.Name, account.Mark, account.Password)
			},
			check: func(t *testing.T, account accountdb.Account) { wantLogin(t, account) },
		},
		{
			name:    "drop",
			prepare: func(t *testing.T, account accountdb.Account) { ensure(t, clean, account) },
			work: func(ctx context.Context, cluster *accounts.Cluster, account accountdb.Account) error {
				return cluster.DropAccount(ctx, account.Name, account.Mark)
			},
			check: func(t *testing.T, account accountdb.Account) {
				if entry := look(t, clean, account.Name); !entry.Missing() {
					t.Errorf("left: %+v", entry)
				}
			},
		},
	}
	for _, work := range works {
		for _, fault := range faults() {
			t.Run(work.name+" "+fault.name, func(t *testing.T) {
				t.Parallel()
				witness := &witness{connection: admin(t)}
				for n := 1; ; n++ {
					account := newAccount()
					dropAfter(t, clean, account)
					work.prepare(t, account)
					count := 0
					faulty := openAs(t, victim(t), fault.options(t, n, &count))
					err := work.work(t.Context(), faulty, account)
					faulty.Close()
					witness.look(t, account.Name)
					if count < n {
						if err != nil {
							t.Fatalf("without a fault: %v", err)
						}
						work.check(t, account)
						if n < 5 {
							t.Fatalf("only %d messages were seen", n-1)
						}
						return
					}
					if err == nil {
						t.Errorf("message %d: the fault had no effect", n)
					}
					if err := work.work(t.Context(), clean, account); err != nil {
						t.Fatalf("message %d: again: %v", n, err)
					}
					witness.look(t, account.Name)
					work.check(t, account)
				}
			})
		}
	}
}

func TestDatabaseIsClosedUntilItsRightsAreSet(t *testing.T) {
	t.Parallel()
	account := newAccount()
	witness := &witness{connection: admin(t)}
	cluster := open(t, accounts.Options{After: func(context.Context, string) error {
		witness.look(t, account.Name)
		return nil
	}})
	dropAfter(t, cluster, account)
	// Meanwhile others look, too: what is open between two messages shows here.
	done := make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				witness.look(t, account.Name)
			}
		}
	})
	err := cluster.EnsureAccount(t.Context(), account)
	close(done)
	group.Wait()
	if err != nil {
		t.Fatal(err)
	}
}
