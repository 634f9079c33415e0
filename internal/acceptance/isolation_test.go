//go:build linux

package acceptance

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// TestAccLocalIsolation tries what an account must not reach with its credentials, and looks
// for passwords where none may be.
func TestAccLocalIsolation(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	// A secret of the application, and one that leaks it into its log.
	secret := filepath.Join(m.dir, "secret")
	const apiKey = "kFz8Qm2xWv7nTb4c"
	m.ok(os.WriteFile(secret, []byte(apiKey+"\n"), 0o600))
	config := func(release string, a attrs) string {
		return m.base(nil) + database("acme", nil) + database("globex", nil) + shop(release, attrs{
			"depends_on": "[slipway_account_database.acme, slipway_account_database.globex]",
			"components": "{ api = " + component("ok", attrs{"secrets": `{ API_KEY = "` + secret + `" }`}) + " }",
		}.with(a))
	}
	trace := filepath.Join(m.dir, "trace.log")
	m.write(config("1", nil))
	o := m.terraform([]string{"TF_LOG=TRACE", "TF_LOG_PATH=" + trace}, "apply", "-auto-approve", "-no-color", "-input=false")
	if o.code != 0 {
		t.Fatalf("apply ended with %d:\n%s", o.code, o.out)
	}

	m.write(config("2", attrs{
		"components": "{ api = " + component("leak", attrs{"secrets": `{ API_KEY = "` + secret + `" }`}) + " }",
		"swap":       `{ start_timeout_seconds = 10, minimum_healthy_seconds = 0 }`,
	}))
	leak := m.terraform([]string{"TF_LOG=TRACE", "TF_LOG_PATH=" + trace}, "apply", "-auto-approve", "-no-color", "-input=false")
	if leak.code == 0 || !strings.Contains(unwrapped(leak.out), "the key is ") {
		t.Errorf("the release that leaks ended with %d and its lines are not shown:\n%s", leak.code, leak.out)
	}
	plan := m.plan()

	passwords := map[string]string{"the application's secret": apiKey}
	for _, account := range []string{"acme", "globex"} {
		e := m.account(account)
		password, err := e.password()
		m.ok(err)
		if len(password) < 16 {
			t.Fatalf("the password of %s has %d characters", account, len(password))
		}
		passwords["the password of "+account] = password
		info, err := os.Stat(e.PasswordFile)
		m.ok(err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", e.PasswordFile, info.Mode())
		}
		if id := m.state("slipway_account_database." + account)["secret_id"]; id != e.PasswordFile {
			t.Errorf("secret_id is %v, want %s", id, e.PasswordFile)
		}
	}
	texts := map[string]string{"the plan's output": plan.out, "the apply's output": o.out, "the refused apply's output": leak.out}
	for name, path := range map[string]string{"the trace log": trace, "the state": filepath.Join(m.work, "terraform.tfstate"), "the agent's log": filepath.Join(m.data, "log", "agent.log")} {
		text, err := os.ReadFile(path)
		m.ok(err)
		texts[name] = string(text)
	}
	for _, p := range m.processes() {
		texts["the arguments of process "+p.String()] = strings.Join(p.args, "\x00")
	}
	for where, text := range texts {
		for what, password := range passwords {
			if strings.Contains(text, password) {
				t.Errorf("%s is in %s", what, where)
			}
		}
	}
	// On disk a password is in its own file and nowhere else but in what applications write.
	m.ok(filepath.WalkDir(m.data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || strings.HasSuffix(path, ".password") || strings.HasPrefix(path, filepath.Join(m.data, "log", "eu.production", "oms")) {
			return err
		}
		text, err := os.ReadFile(path)
		for what, password := range passwords {
			if bytes.Contains(text, []byte(password)) {
				t.Errorf("%s is in %s", what, path)
			}
		}
		return err
	}))

	m.isolated("acme", "globex")
	m.isolated("globex", "acme")
	m.destroy()
}

// isolated tries one account's credentials on everything that is another's.
func (m *machine) isolated(own, other string) {
	m.Helper()
	mine, theirs := m.account(own), m.account(other)
	password, err := mine.password()
	m.ok(err)
	theirPassword, err := theirs.password()
	m.ok(err)
	as := func(e accountEntry, password, database, sslmode string) error {
		ctx := context.WithoutCancel(m.Context())
		conn, err := pgx.Connect(ctx, e.url(password, database, sslmode))
		if err == nil {
			_ = conn.Close(ctx)
		}
		return err
	}
	if err := as(mine, password, mine.Database, "verify-full"); err != nil {
		m.Errorf("account %s cannot connect to its own database: %v", own, err)
	}
	for what, err := range map[string]error{
		"another account's database":       as(mine, password, theirs.Database, "verify-full"),
		"the database postgres":            as(mine, password, "postgres", "verify-full"),
		"the database template1":           as(mine, password, "template1", "verify-full"),
		"the database template0":           as(mine, password, "template0", "verify-full"),
		"its own database without TLS":     as(mine, password, mine.Database, "disable"),
		"its own database as another role": as(theirs, password, theirs.Database, "verify-full"),
		"its own with another's password":  as(mine, theirPassword, mine.Database, "verify-full"),
		"its own without a password":       as(mine, "", mine.Database, "verify-full"),
	} {
		var refused *pgconn.PgError
		if err == nil {
			m.Errorf("account %s reaches %s", own, what)
		} else if !errors.As(err, &refused) {
			m.Errorf("account %s is kept from %s by %v, want the server's refusal", own, what, err)
		}
	}

	ctx := m.Context()
	conn, err := pgx.Connect(ctx, mine.url(password, mine.Database, "verify-full"))
	m.ok(err)
	defer conn.Close(context.WithoutCancel(ctx))
	for _, statement := range []string{
		"SET ROLE " + theirs.Role,
		"GRANT CONNECT ON DATABASE " + theirs.Database + " TO PUBLIC",
		"ALTER ROLE " + theirs.Role + " PASSWORD 'x'",
		"ALTER ROLE " + mine.Role + " CONNECTION LIMIT 1000",
		"ALTER ROLE " + mine.Role + " SUPERUSER",
		"DROP DATABASE " + theirs.Database,
		"CREATE ROLE friend LOGIN",
		"CREATE DATABASE more",
		"SELECT pg_read_file('/etc/passwd')",
		"COPY (SELECT 1) TO PROGRAM 'true'",
		"SELECT rolpassword FROM pg_authid",
	} {
		if _, err := conn.Exec(ctx, statement); err == nil {
			m.Errorf("account %s may %s", own, statement)
		}
	}
}
