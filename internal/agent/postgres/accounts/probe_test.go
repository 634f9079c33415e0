//go:build !windows

package accounts_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/postgres"
	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/postgres/accounts"
	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/postgres/postgrestest"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// letIn makes a server's pg_hba.conf these lines.
func letIn(t *testing.T, server *postgres.Server, options postgres.Options, lines string) *pgx.Conn {
	t.Helper()
	address, err := server.AdminURL()
	if err != nil {
		t.Fatal(err)
	}
	connection, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close(context.WithoutCancel(t.Context())) })
	if err := os.WriteFile(filepath.Join(options.Dir, "data", "pg_hba.conf"), []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	// The postmaster has read it before it lets the next one in, once a session has been told.
	var before time.Time
	if err := connection.QueryRow(t.Context(), "SELECT pg_conf_load_time(), pg_reload_conf()").Scan(&before, nil); err != nil {
		t.Fatal(err)
	}
	_, err = wait.Until(t.Context(), wait.Options{First: time.Millisecond}, func(ctx context.Context) (read time.Time, done bool, err error) {
		err = connection.QueryRow(ctx, "SELECT pg_conf_load_time()").Scan(&read)
		return read, read.After(before), err
	})
	if err != nil {
		t.Fatal(err)
	}
	return connection
}

func TestAProbeSeesWhatAServerLetsAccountsDo(t *testing.T) {
	t.Parallel()
	options := postgrestest.TestOptions(t)
	server := postgrestest.Start(t, options)
	const everybody = "host all all all scram-sha-256\n"
	sql := letIn(t, server, options, everybody)
	execute(t, sql, "CREATE DATABASE legacy", `CREATE DATABASE "on us"`,
		"CREATE ROLE helper LOGIN CREATEDB CREATEROLE PASSWORD 'helper'",
		"GRANT CONNECT ON DATABASE postgres, template1 TO PUBLIC")
	superuser := openServer(t, server, accounts.Options{})
	address, err := server.AdminURL()
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(address, "@")
	helper, err := accounts.Open("postgres://helper@"+rest, accounts.Options{Password: "helper"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(helper.Close)

	for _, step := range []struct {
		name    string
		hba     string
		close   *accounts.Cluster
		sql     []string
		cluster *accounts.Cluster
		want    accounts.Leaks
	}{
		{
			name: "an administrator who may not close the maintenance databases is not believed", hba: everybody,
			close: helper, cluster: helper,
			want: accounts.Leaks{Databases: []string{"legacy", "on us", "postgres", "template1"}, Plaintext: true},
		},
		{
			name: "databases that the server's owner has are left as they are, and seen", hba: everybody,
			close: superuser, cluster: superuser,
			want: accounts.Leaks{Databases: []string{"legacy", "on us"}, Plaintext: true},
		},
		{
			name: "the statements that it names close them", hba: everybody,
			sql:     accounts.Leaks{Databases: []string{"legacy", "on us"}}.Statements(),
			cluster: superuser, want: accounts.Leaks{Plaintext: true},
		},
		{
			name: "a line that rejects what is not TLS is enough", hba: "hostnossl all all all reject\n" + everybody,
			cluster: superuser,
		},
		{
			name: "pg_hba alone keeps accounts apart as well", hba: "hostssl samerole,postgres all all scram-sha-256\n",
			sql: []string{"GRANT CONNECT ON DATABASE legacy TO PUBLIC"}, cluster: superuser,
		},
	} {
		sql := letIn(t, server, options, step.hba)
		execute(t, sql, step.sql...)
		if step.close != nil {
			if err := step.close.CloseMaintenance(t.Context()); err != nil {
				t.Fatalf("%s: %v", step.name, err)
			}
		}
		got, err := step.cluster.Probe(t.Context(), "acct_probe", "mark")
		if err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if diff := cmp.Diff(step.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, diff)
		}
		if !look(t, superuser, "acct_probe").Missing() {
			t.Errorf("%s: the probe left something behind", step.name)
		}
	}
}
