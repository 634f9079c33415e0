//go:build !windows

package accounts_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/postgres/accounts"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/accountdb"
)

func TestForeignObjectsAreRefusedAndUntouched(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ make, remove []string }{
		"a role without a mark":                  {[]string{`CREATE ROLE %s LOGIN`}, []string{`DROP ROLE %s`}},
		"a role with another mark":               {[]string{`CREATE ROLE %s`, `COMMENT ON ROLE %s IS 'another'`}, []string{`DROP ROLE %s`}},
		"a database without a mark":              {[]string{`CREATE DATABASE %s`}, []string{`DROP DATABASE %s`}},
		"a database with another mark":           {[]string{`CREATE DATABASE %s`, `COMMENT ON DATABASE %s IS 'another'`}, []string{`DROP DATABASE %s`}},
		"a role without a mark and its database": {[]string{`CREATE ROLE %s`, `CREATE DATABASE %s OWNER %[1]s`}, []string{`DROP DATABASE %s`, `DROP ROLE %s`}},
		"our role beside a database that belongs to another": {
			[]string{`CREATE ROLE %s`, `COMMENT ON ROLE %s IS 'slipway mark of ''this'' test\'`, `CREATE DATABASE %s`},
			[]string{`DROP DATABASE %s`, `DROP ROLE %s`},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cluster, account := open(t, accounts.Options{}), newAccount()
			execute(t, admin(t), named(account.Name, test.make)...)
			executeAfter(t, named(account.Name, test.remove)...)
			before := look(t, cluster, account.Name)

			for verb, work := range map[string]func() error{
				"ensure": func() error { return cluster.EnsureAccount(t.Context(), account) },
				"drop":   func() error { return cluster.DropAccount(t.Context(), account.Name, account.Mark) },
			} {
				if err := work(); !errors.Is(err, accountdb.ErrForeign) {
					t.Errorf("%s: got %v, want foreign", verb, err)
				}
			}
			for verb, work := range map[string]func() error{
				"set password": func() error { return cluster.SetPassword(t.Context(), account.Name, account.Mark, "x") },
				"set limit":    func() error { return cluster.SetConnectionLimit(t.Context(), account.Name, account.Mark, 3) },
			} {
				if err := work(); !errors.Is(err, accountdb.ErrForeign) && !errors.Is(err, accountdb.ErrNotFound) {
					t.Errorf("%s: got %v, want foreign or not found", verb, err)
				}
			}
			if diff := cmp.Diff(before, look(t, cluster, account.Name)); diff != "" {
				t.Errorf("it was changed (-before +after):\n%s", diff)
			}
		})
	}
}

func TestOurDatabaseIsKnownWithoutItsMark(t *testing.T) {
	t.Parallel()
	// A crash right after CREATE DATABASE leaves this, and so may the owner.
	cluster, account := open(t, accounts.Options{}), newAccount()
	ensure(t, cluster, account)
	execute(t, wantLogin(t, account), named(account.Name, []string{`COMMENT ON DATABASE %s IS 'mine alone'`})...)
	if err := cluster.EnsureAccount(t.Context(), account); err != nil {
		t.Fatal(err)
	}
	wantNoDrift(t, cluster, account)
}
