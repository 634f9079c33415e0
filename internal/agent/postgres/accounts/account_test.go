//go:build !windows

package accounts_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/postgres/accounts"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/accountdb"
)

func TestAccountCanUseItsDatabase(t *testing.T) {
	t.Parallel()
	cluster, account := open(t, accounts.Options{}), newAccount()
	ensure(t, cluster, account)
	wantNoDrift(t, cluster, account)
	connection := wantLogin(t, account)
	execute(t, connection, "CREATE TABLE orders (id int)", "INSERT INTO orders VALUES (1)", "CREATE TEMPORARY TABLE t (id int)", "CREATE SCHEMA s")
}

func TestAccountsAreClosedToEachOther(t *testing.T) {
	t.Parallel()
	cluster, a, b := open(t, accounts.Options{}), newAccount(), newAccount()
	ensure(t, cluster, a)
	ensure(t, cluster, b)
	execute(t, wantLogin(t, b), "CREATE TABLE secrets (id int)", "GRANT ALL ON secrets TO PUBLIC")

	t.Run("A cannot connect to the database of B", func(t *testing.T) {
		_, err := login(t, a, b.Name)
		wantCode(t, err, "28000")
	})
	t.Run("A cannot connect to the maintenance database", func(t *testing.T) {
		_, err := login(t, a, "postgres")
		wantCode(t, err, "28000")
	})
	t.Run("A cannot connect to template1", func(t *testing.T) {
		_, err := login(t, a, "template1")
		wantCode(t, err, "28000")
	})
	t.Run("A cannot connect without TLS", func(t *testing.T) {
		_, err := loginServer(t, shared.server, a, a.Name, "disable")
		wantCode(t, err, "28000")
	})
	t.Run("A cannot connect with the password of B", func(t *testing.T) {
		forged := a
		forged.Password = b.Password
		_, err := login(t, forged, a.Name)
		wantCode(t, err, "28P01")
	})
	t.Run("the rights alone keep A out, whatever pg_hba says", func(t *testing.T) {
		var allowed int
		err := admin(t).QueryRow(t.Context(), `SELECT count(*) FROM unnest(ARRAY[$2, 'postgres', 'template1']) d,
			unnest(ARRAY['CONNECT', 'TEMPORARY', 'CREATE']) p WHERE has_database_privilege($1::text, d, p)`, a.Name, b.Name).Scan(&allowed)
		if err != nil || allowed != 0 {
			t.Errorf("got %d rights, %v, want none", allowed, err)
		}
	})
	t.Run("A cannot act as B", func(t *testing.T) {
		_, err := wantLogin(t, a).Exec(t.Context(), `SET ROLE "`+b.Name+`"`)
		wantCode(t, err, "42501")
	})
	t.Run("A cannot see the tables of B", func(t *testing.T) {
		var count int
		if err := wantLogin(t, a).QueryRow(t.Context(), "SELECT count(*) FROM pg_class WHERE relname = 'secrets'").Scan(&count); err != nil || count != 0 {
			t.Errorf("got %d, %v, want none", count, err)
		}
	})
	t.Run("A cannot make databases or roles", func(t *testing.T) {
		connection := wantLogin(t, a)
		_, err := connection.Exec(t.Context(), "CREATE DATABASE more")
		wantCode(t, err, "42501")
		_, err = connection.Exec(t.Context(), "CREATE ROLE more")
		wantCode(t, err, "42501")
	})
	t.Run("even rights granted by B do not let A in", func(t *testing.T) {
		execute(t, wantLogin(t, b), `GRANT CONNECT ON DATABASE "`+b.Name+`" TO PUBLIC`)
		_, err := login(t, a, b.Name)
		wantCode(t, err, "28000")
	})
}

func TestEnsureIsRepeatable(t *testing.T) {
	t.Parallel()
	cluster, account := open(t, accounts.Options{}), newAccount()
	ensure(t, cluster, account)
	execute(t, wantLogin(t, account), "CREATE TABLE kept AS SELECT 1 AS one")
	for range 2 {
		if err := cluster.EnsureAccount(t.Context(), account); err != nil {
			t.Fatal(err)
		}
	}
	wantNoDrift(t, cluster, account)
	execute(t, wantLogin(t, account), "SELECT one FROM kept")

	t.Run("without a password it leaves the one there is", func(t *testing.T) {
		same := account
		same.Password = ""
		if err := cluster.EnsureAccount(t.Context(), same); err != nil {
			t.Fatal(err)
		}
		wantLogin(t, account)
	})
}

func TestPasswordIsRotated(t *testing.T) {
	t.Parallel()
	cluster, account := open(t, accounts.Options{}), newAccount()
	ensure(t, cluster, account)
	session := wantLogin(t, account)
	rotated := account
	rotated.Password = accountdb.NewPassword()
	if err := cluster.SetPassword(t.Context(), account.Name, account.Mark, rotated.Password); err != nil {
		t.Fatal(err)
	}
	wantLogin(t, rotated)
	_, err := login(t, account, account.Name)
	wantCode(t, err, "28P01")
	execute(t, session, "SELECT 1")
	wantNoDrift(t, cluster, account)
}

func TestConnectionLimitHolds(t *testing.T) {
	t.Parallel()
	cluster, account := open(t, accounts.Options{}), newAccount()
	ensure(t, cluster, account)
	if err := cluster.SetConnectionLimit(t.Context(), account.Name, account.Mark, 1); err != nil {
		t.Fatal(err)
	}
	account.ConnectionLimit = 1
	wantNoDrift(t, cluster, account)
	session := wantLogin(t, account)
	_, err := login(t, account, account.Name)
	wantCode(t, err, "53300")
	// The owner may raise the database's limit, but not the role's.
	execute(t, session, `ALTER DATABASE "`+account.Name+`" CONNECTION LIMIT 100`)
	_, err = login(t, account, account.Name)
	wantCode(t, err, "53300")
	if err := cluster.SetConnectionLimit(t.Context(), account.Name, account.Mark, 0); err != nil {
		t.Fatal(err)
	}
	wantLogin(t, account)
}

func TestWhatDoesNotExist(t *testing.T) {
	t.Parallel()
	cluster, account := open(t, accounts.Options{}), newAccount()
	if err := cluster.DropAccount(t.Context(), account.Name, account.Mark); err != nil {
		t.Errorf("drop: got %v, want success", err)
	}
	if err := cluster.SetPassword(t.Context(), account.Name, account.Mark, "x"); !errors.Is(err, accountdb.ErrNotFound) {
		t.Errorf("set password: got %v, want not found", err)
	}
	if err := cluster.SetConnectionLimit(t.Context(), account.Name, account.Mark, 1); !errors.Is(err, accountdb.ErrNotFound) {
		t.Errorf("set limit: got %v, want not found", err)
	}
	account.Password = ""
	if err := cluster.EnsureAccount(t.Context(), account); !errors.Is(err, accountdb.ErrNoPassword) {
		t.Errorf("ensure: got %v, want no password", err)
	}
	if !look(t, cluster, account.Name).Missing() {
		t.Error("something was made")
	}
}

func TestDropCutsOffSessions(t *testing.T) {
	t.Parallel()
	cluster, account := open(t, accounts.Options{}), newAccount()
	ensure(t, cluster, account)
	session := wantLogin(t, account)
	if err := cluster.DropAccount(t.Context(), account.Name, account.Mark); err != nil {
		t.Fatal(err)
	}
	if _, err := session.Exec(t.Context(), "SELECT 1"); err == nil {
		t.Error("the session lives on")
	}
	if !look(t, cluster, account.Name).Missing() {
		t.Error("something is left")
	}
}

func TestDropTakesBackRightsThatOthersGranted(t *testing.T) {
	t.Parallel()
	cluster, a, b := open(t, accounts.Options{}), newAccount(), newAccount()
	ensure(t, cluster, a)
	ensure(t, cluster, b)
	execute(t, wantLogin(t, b), `GRANT CONNECT ON DATABASE "`+b.Name+`" TO "`+a.Name+`"`)
	if err := cluster.DropAccount(t.Context(), a.Name, a.Mark); err != nil {
		t.Fatal(err)
	}
	wantNoDrift(t, cluster, b)
}

func TestManyAccountsAtOnce(t *testing.T) {
	t.Parallel()
	cluster := open(t, accounts.Options{})
	prefix := newName()
	many := make([]accountdb.Account, 50)
	for i := range many {
		many[i] = newAccount()
		many[i].Name = prefix + string(rune('a'+i/26)) + string(rune('a'+i%26))
	}
	each := func(work func(accountdb.Account) error) {
		var group sync.WaitGroup
		for _, account := range many {
			group.Go(func() {
				if err := work(account); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
	}
	each(func(account accountdb.Account) error { return cluster.EnsureAccount(t.Context(), account) })
	before := cluster.Traffic()
	entries, err := cluster.Catalogue(t.Context(), prefix)
	if err != nil || len(entries) != len(many) {
		t.Errorf("catalogue: got %d entries, %v, want %d", len(entries), err, len(many))
	}
	if sent := cluster.Traffic().Statements - before.Statements; sent > 3 { // a ping, a preparation, the query
		t.Errorf("catalogue took %d statements", sent)
	}
	for i, entry := range entries {
		if drift := entry.Drift(many[i]); len(drift) > 0 {
			t.Errorf("drift of %s: %v", entry.Name, drift)
		}
	}
	if opened := cluster.Traffic().Connections; opened > 8 {
		t.Errorf("connections: got %d, want 8 at most", opened)
	}
	each(func(account accountdb.Account) error {
		return cluster.DropAccount(t.Context(), account.Name, account.Mark)
	})
	if entries, err := cluster.Catalogue(t.Context(), prefix); err != nil || len(entries) != 0 {
		t.Errorf("left: got %v, %v, want nothing", entries, err)
	}
}

func TestOneAccountByManyAtOnce(t *testing.T) {
	t.Parallel()
	account := newAccount()
	one, two := open(t, accounts.Options{}), open(t, accounts.Options{})
	dropAfter(t, one, account)
	var group sync.WaitGroup
	for i := range 24 {
		cluster := []*accounts.Cluster{one, two}[i%2]
		group.Go(func() {
			if err := cluster.EnsureAccount(t.Context(), account); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	wantNoDrift(t, one, account)
	wantLogin(t, account)
}

func TestAddressThatAllowsPlaintextIsRefused(t *testing.T) {
	t.Parallel()
	for address, refused := range map[string]bool{
		"postgres://me@example.test/postgres":                                   true,
		"postgres://me@example.test/postgres?sslmode=disable":                   true,
		"postgres://me@example.test/postgres?sslmode=allow":                     true,
		"postgres://me@example.test/postgres?sslmode=prefer":                    true,
		"postgres://me@example.test/postgres?sslmode=require":                   false,
		"postgres://me@example.test/postgres?sslmode=verify-full":               false,
		"postgres:///postgres?host=/var/run/postgresql&user=me&sslmode=disable": false,
	} {
		cluster, err := accounts.Open(address, accounts.Options{})
		if errors.Is(err, accounts.ErrPlaintext) != refused {
			t.Errorf("%s: got %v, want refused: %t", address, err, refused)
		}
		if err == nil {
			cluster.Close()
		}
	}
}

func TestServerLogHoldsNoSecret(t *testing.T) {
	t.Parallel()
	cluster, account := open(t, accounts.Options{}), newAccount()
	ensure(t, cluster, account)
	// The worst case: a statement with a verifier in it fails.
	if _, err := admin(t).Exec(t.Context(), `ALTER ROLE "`+account.Name+`" PASSWORD 'SCRAM-SHA-256$4096:canary' NONSENSE`); err == nil {
		t.Fatal("nonsense was accepted")
	}
	if _, err := admin(t).Exec(t.Context(), `ALTER ROLE no_such_role PASSWORD 'canary'`); err == nil {
		t.Fatal("nonsense was accepted")
	}
	_, err := login(t, accountdb.Account{Name: account.Name, Password: "wrong"}, account.Name)
	wantCode(t, err, "28P01")
	text, err := os.ReadFile(filepath.Join(shared.options.Dir, "postgres.log"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(text, []byte("no_such_role")) {
		t.Error("the log does not hold what went wrong; this test looks at the wrong file")
	}
	address, err := shared.server.AdminURL()
	if err != nil {
		t.Fatal(err)
	}
	password := strings.Split(strings.Split(address, "@")[0], ":")[2]
	for _, secret := range []string{"canary", "SCRAM-SHA-256$", account.Password, password} {
		if bytes.Contains(text, []byte(secret)) {
			t.Errorf("the log holds %q", secret)
		}
	}
}
