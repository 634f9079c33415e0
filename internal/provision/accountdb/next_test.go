package accountdb

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func testAccount() Account {
	return Account{Name: "acct_1", Mark: "ours", ConnectionLimit: 5, Password: "secret-password"}
}

func goodRole() *Role { return &Role{Mark: "ours", CanLogin: true, ConnectionLimit: 5} }

func goodDatabase() *Database {
	return &Database{Mark: "ours", Owner: "acct_1", Open: true, OwnerRights: true}
}

func TestNextStep(t *testing.T) {
	t.Parallel()
	withRole := func(change func(*Role)) *Role { role := goodRole(); change(role); return role }
	withDatabase := func(change func(*Database)) *Database { db := goodDatabase(); change(db); return db }
	settled := testAccount()
	settled.Password = ""
	tests := map[string]struct {
		next     Next
		role     *Role
		database *Database
		want     string
		err      error
	}{
		"ensure begins with the role":             {next: Ensure(testAccount()), want: "create role"},
		"ensure needs a password for a new role":  {next: Ensure(settled), err: ErrNoPassword},
		"ensure sets a password it was given":     {next: Ensure(testAccount()), role: goodRole(), database: goodDatabase(), want: "alter role"},
		"ensure makes the database after it":      {next: Ensure(settled), role: goodRole(), want: "create database"},
		"ensure opens what a crash left closed":   {next: Ensure(settled), role: goodRole(), database: &Database{Owner: "acct_1"}, want: "set rights and open database"},
		"ensure drops what a crash left broken":   {next: Ensure(settled), role: goodRole(), database: withDatabase(func(d *Database) { d.Broken = true }), want: "drop broken database"},
		"ensure takes a marked database back":     {next: Ensure(settled), role: goodRole(), database: withDatabase(func(d *Database) { d.Owner = "else" }), want: "give database to its role"},
		"ensure does nothing when all is well":    {next: Ensure(settled), role: goodRole(), database: goodDatabase()},
		"ensure refuses another's role":           {next: Ensure(settled), role: withRole(func(r *Role) { r.Mark = "" }), database: goodDatabase(), err: ErrForeign},
		"ensure refuses another's database":       {next: Ensure(testAccount()), database: &Database{Owner: "else"}, err: ErrForeign},
		"drop forbids logins first":               {next: Drop(settled), role: goodRole(), database: goodDatabase(), want: "forbid login"},
		"drop then drops the database":            {next: Drop(settled), role: withRole(func(r *Role) { r.CanLogin = false }), database: goodDatabase(), want: "drop database"},
		"drop drops the role last":                {next: Drop(settled), role: goodRole(), want: "drop role"},
		"drop ends when nothing is left":          {next: Drop(settled)},
		"drop refuses another's database":         {next: Drop(settled), role: goodRole(), database: &Database{Owner: "else"}, err: ErrForeign},
		"set password needs the role":             {next: SetPassword(testAccount()), err: ErrNotFound},
		"set limit does nothing when it is right": {next: SetLimit(settled), role: goodRole()},
		"set limit changes a wrong one":           {next: SetLimit(settled), role: withRole(func(r *Role) { r.ConnectionLimit = noLimit }), want: "set connection limit"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := test.next(Entry{Name: "acct_1", Role: test.role, Database: test.database}, Asker{Superuser: true, Major: 18})
			what := ""
			if got != nil && err == nil {
				what = got.What
			}
			if what != test.want || !errors.Is(err, test.err) {
				t.Errorf("got %q, %v, want %q, %v", what, err, test.want, test.err)
			}
		})
	}
}

func TestStepsNeverHoldAPassword(t *testing.T) {
	t.Parallel()
	for _, next := range []Next{Ensure(testAccount()), SetPassword(testAccount())} {
		step, err := next(Entry{Name: "acct_1", Role: goodRole(), Database: goodDatabase()}, Asker{})
		if err != nil {
			t.Fatal(err)
		}
		sql := strings.Join(step.SQL, ";")
		if strings.Contains(sql, "secret-password") || !strings.Contains(sql, "PASSWORD 'SCRAM-SHA-256$4096:") {
			t.Errorf("got %s", sql)
		}
	}
}

func TestStatementsQuoteWhatTheyAreGiven(t *testing.T) {
	t.Parallel()
	account := Account{Name: `a"; DROP ROLE x; --`, Mark: `it's \ ours`}
	got := createRole(account, "", Asker{Superuser: true})
	want := []string{
		`CREATE ROLE "a""; DROP ROLE x; --" LOGIN CONNECTION LIMIT -1`,
		`COMMENT ON ROLE "a""; DROP ROLE x; --" IS 'it''s \ ours'`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAccountsThatTheServerWouldChangeAreRefused(t *testing.T) {
	t.Parallel()
	for name, account := range map[string]Account{
		"no name":               {Mark: "m"},
		"a name of 64 bytes":    {Name: strings.Repeat("ä", 32), Mark: "m"},
		"a reserved name":       {Name: "pg_mine", Mark: "m"},
		"a zero byte":           {Name: "a\x00b", Mark: "m"},
		"no mark":               {Name: "a"},
		"a negative limit":      {Name: "a", Mark: "m", ConnectionLimit: -1},
		"a zero byte in a mark": {Name: "a", Mark: "m\x00"},
	} {
		if err := account.Check(); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}
