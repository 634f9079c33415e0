//go:build !windows

package postgres_test

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/postgres"
)

func adminURL(t *testing.T, server *postgres.Server) string {
	t.Helper()
	address, err := server.AdminURL()
	if err != nil {
		t.Fatal(err)
	}
	return address
}

func connect(t *testing.T, server *postgres.Server) *pgx.Conn {
	t.Helper()
	connection, err := pgx.Connect(t.Context(), adminURL(t, server))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close(context.WithoutCancel(t.Context())) })
	return connection
}

// write leaves something in the server that wantWritten finds again.
func write(t *testing.T, server *postgres.Server, what string) {
	t.Helper()
	connection := connect(t, server)
	if _, err := connection.Exec(t.Context(), "CREATE TABLE written AS SELECT $1::text AS what", what); err != nil {
		t.Fatal(err)
	}
}

func wantWritten(t *testing.T, server *postgres.Server, want string) {
	t.Helper()
	var got string
	if err := connect(t, server).QueryRow(t.Context(), "SELECT what FROM written").Scan(&got); err != nil || got != want {
		t.Errorf("written: got %q, %v, want %q", got, err, want)
	}
}

func kill(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatalf("kill postmaster: %v", err)
	}
}

func wantRestarted(t *testing.T, server *postgres.Server, old int) {
	t.Helper()
	await(t, "the server runs again", func() bool {
		status := server.Status()
		return status.State == postgres.Running && status.PID != old
	})
	if got := server.Status().Restarts; got != 1 {
		t.Errorf("restarts: got %d, want 1", got)
	}
}

// await waits until ok says true.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for !ok() {
		select {
		case <-ticker.C:
		case <-deadline.C:
			t.Fatalf("waited a minute until %s", what)
		}
	}
}

// snapshot lists all files with size and time.
func snapshot(t *testing.T, dir string) string {
	t.Helper()
	var list strings.Builder
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		fmt.Fprintln(&list, path, info.Mode(), info.Size(), info.ModTime())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list.String()
}
