//go:build !windows

package platform

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/postgres"
	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/postgres/postgrestest"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// foreign is a server of the user's, in an environment that uses it, and its root certificate.
func foreign(t *testing.T, own *postgres.Server) (e *environment, root string) {
	t.Helper()
	address, err := own.AdminURL()
	if err != nil {
		t.Fatal(err)
	}
	root = filepath.Join(t.TempDir(), "root.pem")
	text, err := os.ReadFile(own.AuthorityFile())
	if err == nil {
		err = os.WriteFile(root, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	before, _, _ := strings.Cut(address, "sslrootcert=")
	e = newTestPlatform(t).newEnvironment(target.EnvironmentID{Region: "eu", Name: "production"})
	t.Cleanup(e.release)
	e.file.Settings.URL = before + "sslrootcert=" + url.PathEscape(root)
	if err := e.write(e.file); err != nil {
		t.Fatal(err)
	}
	return e, root
}

func TestAccountsOnAServerOfTheUsersFindItsRootCertificate(t *testing.T) {
	t.Parallel()
	e, root := foreign(t, postgrestest.Start(t, postgrestest.TestOptions(t)))
	if err := e.openServer(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	e.p.environments[e.id] = e
	id := target.AccountDatabaseID{Environment: e.id, Account: "a1"}
	stopsHalfWay(t, e)
	if _, err := e.p.PutAccountDatabase(t.Context(), target.AccountDatabase{Environment: e.id, Account: "a1"}, target.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.p.DeleteAccountDatabase(t.Context(), id) })
	published := func() string {
		t.Helper()
		var entry directoryEntry
		text, err := os.ReadFile(filepath.Join(e.files.accounts(), "a1.json"))
		if err == nil {
			err = json.Unmarshal(text, &entry)
		}
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(entry.CAFile)
		if err != nil {
			t.Fatalf("the root certificate that %s names: %v", text, err)
		}
		if info, err := os.Stat(entry.CAFile); err != nil || info.Mode().Perm() != 0o644 {
			t.Errorf("got %v, %v, want mode 0644", info.Mode(), err)
		}
		return string(got)
	}
	want, err := os.ReadFile(root)
	if err != nil {
		t.Fatal(err)
	}
	if got := published(); got != string(want) {
		t.Errorf("got %q, want %q", got, want)
	}

	if e.rootRenewed() {
		t.Error("it is taken for renewed, and is not")
	}
	renewed := append([]byte("a new one, and the old one:\n"), want...)
	if err := os.WriteFile(root, renewed, 0o600); err != nil {
		t.Fatal(err)
	}
	if !e.rootRenewed() {
		t.Error("it is not seen to be renewed")
	}
	if err := e.openServer(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	if got := published(); got != string(renewed) || e.rootRenewed() {
		t.Errorf("after the renewal: got %q, want %q", got, renewed)
	}
}

// stopsHalfWay wants a put of what this call made, and no stack could read of, told from others.
func stopsHalfWay(t *testing.T, e *environment) {
	t.Helper()
	put := func(account string) (marked bool) {
		t.Helper()
		_, err := e.p.PutAccountDatabase(t.Context(), target.AccountDatabase{Environment: e.id, Account: account}, target.PutOptions{})
		var made *target.MadeError
		if err == nil || e.databases[account] == nil || e.databases[account].Meta.Ready {
			t.Fatalf("the database of %q is finished: %v", account, err)
		}
		return errors.As(err, &made)
	}
	password, entry := e.nextPasswordFile("a1"), filepath.Join(e.files.accounts(), "a2.json")
	for _, file := range []string{password, entry} {
		if err := os.MkdirAll(file, 0o700); err != nil { // where a file belongs
			t.Fatal(err)
		}
	}
	if first, again := put("a1"), put("a1"); !first || again {
		t.Errorf("made by the first put: %t, by the second: %t", first, again)
	}
	if err := os.Remove(password); err != nil {
		t.Fatal(err)
	}
	if put("a2") {
		t.Error("what stacks may have read of is taken for empty")
	}
	if err := e.p.DeleteAccountDatabase(t.Context(), target.AccountDatabaseID{Environment: e.id, Account: "a2"}); err != nil {
		t.Error(err)
	}
}

func TestAServerOfTheUsersThatLetsAccountsInIsRefusedUntilItDoesNot(t *testing.T) {
	t.Parallel()
	options := postgrestest.TestOptions(t)
	own := postgrestest.Start(t, options)
	e, _ := foreign(t, own)
	admin := connectAdmin(t, own)
	access := filepath.Join(options.Dir, "data", "pg_hba.conf")
	walls, err := os.ReadFile(access)
	if err != nil {
		t.Fatal(err)
	}
	// The postmaster has read it before it lets the next one in, once a session has been told.
	hba := func(text []byte) {
		t.Helper()
		var before time.Time
		err := os.WriteFile(access, text, 0o600)
		if err == nil {
			err = admin.QueryRow(t.Context(), "SELECT pg_conf_load_time(), pg_reload_conf()").Scan(&before, nil)
		}
		if err == nil {
			_, err = wait.Until(t.Context(), wait.Options{First: time.Millisecond}, func(ctx context.Context) (read time.Time, done bool, err error) {
				err = admin.QueryRow(ctx, "SELECT pg_conf_load_time()").Scan(&read)
				return read, read.After(before), err
			})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	hba([]byte("host all all all scram-sha-256\n"))
	if err := e.openServer(t.Context(), ""); !errors.Is(err, target.ErrInvalid) {
		t.Errorf("got %v, want a refusal", err)
	}
	if e.servers[""] != nil {
		t.Error("the server is used all the same")
	}
	hba(walls)
	if err := e.openServer(t.Context(), ""); err != nil {
		t.Error(err)
	}
}
