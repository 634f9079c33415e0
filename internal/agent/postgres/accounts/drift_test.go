//go:build !windows

package accounts_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/postgres/accounts"
)

// named puts the quoted name into statements.
func named(name string, statements []string) []string {
	quoted := make([]string, len(statements))
	for i, statement := range statements {
		quoted[i] = strings.NewReplacer("%[1]s", `"`+name+`"`, "%s", `"`+name+`"`).Replace(statement)
	}
	return quoted
}

func TestDriftIsShownAndMended(t *testing.T) {
	t.Parallel()
	other := newName()
	execute(t, admin(t), fmt.Sprintf(`CREATE ROLE "%s"`, other))
	executeAfter(t, fmt.Sprintf(`DROP ROLE "%s"`, other))

	tests := map[string]struct {
		owner, admin []string
		want         []string
	}{
		"the owner lets everybody in": {
			owner: []string{`GRANT CONNECT ON DATABASE %s TO PUBLIC`},
			want:  []string{"others have rights to the database: PUBLIC"},
		},
		"the owner lets another role in, who may pass it on": {
			owner: []string{`GRANT CONNECT ON DATABASE %s TO "` + other + `" WITH GRANT OPTION`},
			want:  []string{"others have rights to the database: " + other},
		},
		"the owner takes rights from itself": {
			owner: []string{`REVOKE CREATE ON DATABASE %s FROM %s`},
			want:  []string{"the role lacks rights to its database"},
		},
		"the database was closed": {
			admin: []string{`ALTER DATABASE %s ALLOW_CONNECTIONS false`},
			want:  []string{"the database accepts no connections"},
		},
		"the database got another owner": {
			admin: []string{`ALTER DATABASE %s OWNER TO "` + other + `"`},
			want:  []string{`the database belongs to role "` + other + `"`},
		},
		"the database was lost": {
			admin: []string{`DROP DATABASE %s WITH (FORCE)`},
			want:  []string{"the database is missing"},
		},
		"a crash left the database half dropped": {
			admin: []string{`UPDATE pg_database SET datconnlimit = -2 WHERE '"' || datname || '"' = '%s'`},
			want:  []string{"the database was left half dropped by a crash"},
		},
		"the role may not log in": {
			admin: []string{`ALTER ROLE %s NOLOGIN`},
			want:  []string{"the role cannot log in"},
		},
		"the role's password has expired": {
			admin: []string{`ALTER ROLE %s VALID UNTIL '2001-01-01'`},
			want:  []string{"the role cannot log in"},
		},
		"the role got powers": {
			admin: []string{`ALTER ROLE %s SUPERUSER CREATEDB CREATEROLE REPLICATION BYPASSRLS`},
			want:  []string{"the role has SUPERUSER, CREATEDB, CREATEROLE, REPLICATION, BYPASSRLS"},
		},
		"the role's limit was changed": {
			admin: []string{`ALTER ROLE %s CONNECTION LIMIT 9`},
			want:  []string{"the role's connection limit is 9"},
		},
		"others became members of the role": {
			admin: []string{`GRANT %s TO "` + other + `"`},
			want:  []string{"others may act as the role: " + other},
		},
		"the role became a member of others": {
			admin: []string{`GRANT "` + other + `", pg_read_all_data TO %s`},
			want:  []string{"the role may act as others: " + other + ", pg_read_all_data"},
		},
		"the role gave its sessions other defaults": {
			owner: []string{`ALTER ROLE %s SET search_path = nowhere`, `ALTER ROLE %s IN DATABASE %s SET timezone = 'UTC'`},
			want:  []string{"the role has defaults of its own for TimeZone, search_path"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cluster, account := open(t, accounts.Options{}), newAccount()
			ensure(t, cluster, account)
			execute(t, wantLogin(t, account), named(account.Name, test.owner)...)
			execute(t, admin(t), named(account.Name, test.admin)...)
			if diff := cmp.Diff(test.want, look(t, cluster, account.Name).Drift(account)); diff != "" {
				t.Errorf("drift (-want +got):\n%s", diff)
			}
			if err := cluster.EnsureAccount(t.Context(), account); err != nil {
				t.Fatal(err)
			}
			wantNoDrift(t, cluster, account)
			var path string
			if err := wantLogin(t, account).QueryRow(t.Context(), "SHOW search_path").Scan(&path); err != nil || path != `"$user", public` {
				t.Errorf("search path: got %q, %v", path, err)
			}
		})
	}
}
