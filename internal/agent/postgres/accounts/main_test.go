//go:build !windows

package accounts_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/postgres"
	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/postgres/accounts"
	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/postgres/postgrestest"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/accountdb"
)

// The tests share one server; each has names of its own on it.
var shared struct {
	server  *postgres.Server
	options postgres.Options
	names   atomic.Int64
}

func TestMain(m *testing.M) {
	code, err := withServer(m.Run)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func withServer(run func() int) (code int, err error) {
	ctx := context.Background()
	base, err := os.MkdirTemp("", "slipway-accounts-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(base)
	if shared.options, err = postgrestest.Options(ctx, base); err != nil {
		return 1, err
	}
	shared.options.MaxConnections = 200
	if shared.server, err = postgres.New(shared.options); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, shared.server.Remove(ctx)) }()
	if err := shared.server.Ensure(ctx); err != nil {
		return 1, err
	}
	if err := hurry(ctx, shared.server); err != nil {
		return 1, err
	}
	return run(), nil
}

// hurry spares the shared server from writing to disk what no test reads after
// a crash of the machine.
func hurry(ctx context.Context, server *postgres.Server) error {
	address, err := server.AdminURL()
	if err != nil {
		return err
	}
	connection, err := pgx.Connect(ctx, address)
	if err != nil {
		return err
	}
	defer connection.Close(ctx)
	for _, statement := range []string{"ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()"} {
		if _, err := connection.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// newName returns a name that no other test uses. None is another's prefix.
func newName() string { return fmt.Sprintf("acct_%04x_", shared.names.Add(1)) }

func newAccount() accountdb.Account {
	return accountdb.Account{
		Name: newName(), Mark: "slipway mark of 'this' test\\", ConnectionLimit: 7, Password: accountdb.NewPassword(),
	}
}

// open returns the shared server seen by its administrator.
func open(t testing.TB, options accounts.Options) *accounts.Cluster {
	t.Helper()
	return openServer(t, shared.server, options)
}

func openServer(t testing.TB, server *postgres.Server, options accounts.Options) *accounts.Cluster {
	t.Helper()
	address, err := server.AdminURL()
	if err != nil {
		t.Fatal(err)
	}
	cluster, err := accounts.Open(address, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return cluster
}

// ensure makes the account and removes it when the test ends.
func ensure(t testing.TB, cluster *accounts.Cluster, account accountdb.Account) {
	t.Helper()
	dropAfter(t, cluster, account)
	if err := cluster.EnsureAccount(t.Context(), account); err != nil {
		t.Fatal(err)
	}
}

func dropAfter(t testing.TB, cluster *accounts.Cluster, account accountdb.Account) {
	t.Cleanup(func() {
		if err := cluster.DropAccount(context.WithoutCancel(t.Context()), account.Name, account.Mark); err != nil {
			t.Errorf("clean up: %v", err)
		}
	})
}

// look returns what the server shows of the account.
func look(t testing.TB, cluster *accounts.Cluster, name string) accountdb.Entry {
	t.Helper()
	entries, err := cluster.Catalogue(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) == 0 {
		return accountdb.Entry{Name: name}
	}
	return entries[0]
}

func wantNoDrift(t testing.TB, cluster *accounts.Cluster, account accountdb.Account) {
	t.Helper()
	if diff := cmp.Diff([]string(nil), look(t, cluster, account.Name).Drift(account)); diff != "" {
		t.Errorf("drift of %s (-want +got):\n%s", account.Name, diff)
	}
}

// login connects as the account to a database.
func login(t testing.TB, account accountdb.Account, database string) (*pgx.Conn, error) {
	t.Helper()
	return loginServer(t, shared.server, account, database, "verify-full")
}

func loginServer(t testing.TB, server *postgres.Server, account accountdb.Account, database, sslmode string) (*pgx.Conn, error) {
	t.Helper()
	address := url.URL{
		Scheme: "postgres", User: url.UserPassword(account.Name, account.Password),
		Host: fmt.Sprintf("localhost:%d", server.Port()), Path: database,
		// pgx reads a + as it stands, like libpq.
		RawQuery: "sslmode=" + sslmode + "&sslrootcert=" + strings.ReplaceAll(url.QueryEscape(server.AuthorityFile()), "+", "%20"),
	}
	connection, err := pgx.Connect(t.Context(), address.String())
	if err == nil {
		t.Cleanup(func() { connection.Close(context.WithoutCancel(t.Context())) })
	}
	return connection, err
}

func wantLogin(t testing.TB, account accountdb.Account) *pgx.Conn {
	t.Helper()
	connection, err := login(t, account, account.Name)
	if err != nil {
		t.Fatalf("log in: %v", err)
	}
	return connection
}

func wantCode(t testing.TB, err error, codes ...string) {
	t.Helper()
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		for _, code := range codes {
			if refused.Code == code {
				return
			}
		}
	}
	t.Errorf("got %v, want SQLSTATE %s", err, strings.Join(codes, " or "))
}

// admin connects as administrator for SQL of the test's own.
func admin(t testing.TB) *pgx.Conn {
	t.Helper()
	address, err := shared.server.AdminURL()
	if err != nil {
		t.Fatal(err)
	}
	connection, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close(context.WithoutCancel(t.Context())) })
	return connection
}

func execute(t testing.TB, connection *pgx.Conn, sql ...string) {
	t.Helper()
	for _, statement := range sql {
		if _, err := connection.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// executeAfter runs SQL when the test ends; what it drops may be gone.
func executeAfter(t testing.TB, sql ...string) {
	t.Cleanup(func() {
		address, err := shared.server.AdminURL()
		if err != nil {
			t.Error(err)
			return
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		defer cancel()
		connection, err := pgx.Connect(ctx, address)
		if err != nil {
			t.Error(err)
			return
		}
		defer connection.Close(ctx)
		for _, statement := range sql {
			if _, err := connection.Exec(ctx, statement); err != nil {
				t.Errorf("clean up: %s: %v", statement, err)
			}
		}
	})
}

// openAs is open with an application's name of its own.
func openAs(t testing.TB, name string, options accounts.Options) *accounts.Cluster {
	t.Helper()
	address, err := shared.server.AdminURL()
	if err != nil {
		t.Fatal(err)
	}
	cluster, err := accounts.Open(address+"&application_name="+name, options)
	if err != nil {
		t.Fatal(err)
	}
	return cluster
}
