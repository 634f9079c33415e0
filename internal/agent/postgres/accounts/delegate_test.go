//go:build !windows

package accounts_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/postgres/accounts"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/accountdb"
)

func TestAdministratorNeedNotBeSuperuser(t *testing.T) {
	t.Parallel()
	// To let another role into the maintenance database, it is made a member
	// of one that is named like it: that is what pg_hba asks for.
	name, password := newName(), accountdb.NewPassword()
	execute(t, admin(t),
		fmt.Sprintf(`CREATE ROLE "%s" LOGIN CREATEDB CREATEROLE PASSWORD '%s'`, name, password),
		`CREATE ROLE postgres`,
		fmt.Sprintf(`GRANT postgres TO "%s"`, name),
		fmt.Sprintf(`GRANT CONNECT ON DATABASE postgres TO "%s"`, name),
	)
	executeAfter(t,
		fmt.Sprintf(`REVOKE CONNECT ON DATABASE postgres FROM "%s"`, name),
		fmt.Sprintf(`DROP ROLE "%s"`, name), `DROP ROLE postgres`)
	address := fmt.Sprintf("postgres://%s@localhost:%d/postgres?sslmode=verify-full&sslrootcert=%s", name, shared.server.Port(),
		strings.ReplaceAll(url.QueryEscape(shared.server.AuthorityFile()), "+", "%20"))
	cluster, err := accounts.Open(address, accounts.Options{Password: password})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)

	account, other := newAccount(), newAccount()
	ensure(t, cluster, account)
	ensure(t, cluster, other)
	wantNoDrift(t, cluster, account)
	_, err = login(t, other, account.Name)
	wantCode(t, err, "28000")
	session := wantLogin(t, account)
	execute(t, session, named(account.Name, []string{`GRANT CONNECT ON DATABASE %s TO PUBLIC`, `ALTER ROLE %s SET search_path = nowhere`, "CREATE TABLE t (id int)"})...)
	if err := cluster.EnsureAccount(t.Context(), account); err != nil {
		t.Fatal(err)
	}
	wantNoDrift(t, cluster, account)

	rotated := account
	rotated.Password = accountdb.NewPassword()
	if err := cluster.SetPassword(t.Context(), account.Name, account.Mark, rotated.Password); err != nil {
		t.Fatal(err)
	}
	sessionsEnd(t, wantLogin(t, rotated), address, password, account)
	if err := cluster.DropAccount(t.Context(), account.Name, account.Mark); err != nil {
		t.Fatal(err)
	}
	if !look(t, cluster, account.Name).Missing() {
		t.Error("something is left")
	}

	t.Run("what it may not mend is an error, not a silence", func(t *testing.T) {
		execute(t, admin(t), named(other.Name, []string{`ALTER ROLE %s SUPERUSER`})...)
		err := cluster.EnsureAccount(t.Context(), other)
		wantCode(t, err, "42501")
		if errors.Is(err, accountdb.ErrForeign) {
			t.Errorf("got %v, want it still ours", err)
		}
		execute(t, admin(t), named(other.Name, []string{`ALTER ROLE %s NOSUPERUSER`})...)
	})
}

// sessionsEnd has an administrator end the sessions in a database. That of a superuser it may not end.
func sessionsEnd(t *testing.T, session *pgx.Conn, address, password string, account accountdb.Account) {
	t.Helper()
	config, err := pgx.ParseConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	config.Password = password
	administrator, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { administrator.Close(context.WithoutCancel(t.Context())) })
	step, err := accountdb.Close(account)(accountdb.Entry{Name: account.Name, Database: &accountdb.Database{Mark: account.Mark}}, accountdb.Asker{})
	if err != nil {
		t.Fatal(err)
	}
	execute(t, admin(t), named(account.Name, []string{`ALTER ROLE %s SUPERUSER`})...)
	execute(t, administrator, step.SQL...)
	if err := session.Ping(t.Context()); err != nil {
		t.Errorf("the session of a superuser was ended: %v", err)
	}
	execute(t, admin(t), named(account.Name, []string{`ALTER ROLE %s NOSUPERUSER`})...)
	execute(t, administrator, step.SQL...)
	for session.Ping(t.Context()) == nil { // the server takes a moment to end it
	}
}
