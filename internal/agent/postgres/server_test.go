//go:build !windows

package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/postgres"
	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/postgres/postgrestest"
)

func TestServerIsMadeAndKeepsItsDataAndPortOverAStop(t *testing.T) {
	t.Parallel()
	options := postgrestest.TestOptions(t)
	server := postgrestest.Start(t, options)
	write(t, server, "kept")
	port := server.Port()
	if status := server.Status(); status.State != postgres.Running || status.PID == 0 || status.LastError != nil {
		t.Errorf("status: got %+v, want running with a pid", status)
	}

	if err := server.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := server.Stop(t.Context()); err != nil {
		t.Errorf("second stop: %v", err)
	}
	if status := server.Status(); status.State != postgres.Stopped || status.PID != 0 {
		t.Errorf("status: got %+v, want stopped", status)
	}

	if err := server.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := server.Port(); got != port {
		t.Errorf("port: got %d, want %d as before", got, port)
	}
	wantWritten(t, server, "kept")
}

func TestServerFilesAreClosedToOthers(t *testing.T) {
	t.Parallel()
	options := postgrestest.TestOptions(t)
	server := postgrestest.Start(t, options)
	for name, want := range map[string]fs.FileMode{
		"data": 0o700, "server.key": 0o600, "admin.password": 0o600, "postgres.log": 0o600,
		"data/pg_hba.conf": 0o600, "data/postgresql.conf": 0o600,
	} {
		info, err := os.Stat(filepath.Join(options.Dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("mode of %s: got %o, want %o", name, got, want)
		}
	}
	left, err := filepath.Glob(filepath.Join(options.Dir, "initdb-*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left by initdb: got %v, %v, want nothing", left, err)
	}
	arguments, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(server.Status().PID), "environ"))
	if err == nil && bytes.Contains(arguments, []byte("HOME=")) {
		t.Errorf("the server inherited our environment: %q", arguments)
	}
}

func TestServerRefusesConnectionsWithoutTLS(t *testing.T) {
	t.Parallel()
	server := postgrestest.Start(t, postgrestest.TestOptions(t))
	address := strings.Replace(adminURL(t, server), "verify-full", "disable", 1)
	address = strings.Replace(address, "channel_binding=require", "channel_binding=disable", 1)
	_, err := pgx.Connect(t.Context(), address)
	wantCode(t, err, "28000")
}

func TestServerIsAdoptedByTheNextAgent(t *testing.T) {
	t.Parallel()
	options := postgrestest.TestOptions(t)
	first := postgrestest.Start(t, options)
	write(t, first, "kept")
	pid := first.Status().PID
	first.Release()

	second := postgrestest.Start(t, options)
	if got := second.Status().PID; got != pid {
		t.Errorf("pid: got %d, want %d: it should have been adopted", got, pid)
	}
	wantWritten(t, second, "kept")
	// What was adopted is supervised like what was started.
	kill(t, pid)
	wantRestarted(t, second, pid)
	wantWritten(t, second, "kept")
}

func TestServerShowsARenewedCertificateWhenAdopted(t *testing.T) {
	t.Parallel()
	options := postgrestest.TestOptions(t)
	first := postgrestest.Start(t, options)
	pid := first.Status().PID
	first.Release()

	renewed := postgrestest.TestOptions(t)
	options.Certificate, options.Key, options.Authority = renewed.Certificate, renewed.Key, renewed.Authority
	second := postgrestest.Start(t, options) // logs in with the new authority only
	if got := second.Status().PID; got != pid {
		t.Errorf("pid: got %d, want %d: it should have been adopted", got, pid)
	}
}

func TestServerComesBackAfterKill(t *testing.T) {
	t.Parallel()
	server := postgrestest.Start(t, postgrestest.TestOptions(t))
	write(t, server, "kept")
	// A session that computes does not notice that its postmaster died, and
	// keeps the shared memory from which the new one must stay away.
	busy := connect(t, server)
	computing := make(chan error, 1)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	go func() {
		_, err := busy.Exec(ctx, "SELECT count(*) FROM generate_series(1, 20000) a, generate_series(1, 200000) b")
		computing <- err
	}()
	await(t, "the session computes", func() bool {
		var busy bool
		err := connect(t, server).QueryRow(t.Context(), "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE '%200000) b' AND pid <> pg_backend_pid() AND state = 'active')").Scan(&busy)
		return err == nil && busy
	})
	pid := server.Status().PID
	kill(t, pid)
	wantRestarted(t, server, pid)
	wantWritten(t, server, "kept")
	if err := <-computing; err == nil || ctx.Err() != nil {
		t.Errorf("computing session: got %v, want it cut off", err)
	}
}

func TestServerIsNotMistakenForAnotherProcessOfItsPid(t *testing.T) {
	t.Parallel()
	options := postgrestest.TestOptions(t)
	server := postgrestest.Start(t, options)
	write(t, server, "kept")
	pid := server.Status().PID
	server.Release()
	pidFile := filepath.Join(options.Dir, "data", "postmaster.pid")
	text, err := os.ReadFile(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	kill(t, pid)

	// Now the pid in the file is somebody else's: as if the machine had booted.
	stranger := exec.Command("sleep", "300")
	stranger.SysProcAttr = &syscall.SysProcAttr{}
	if options.RunAs != nil {
		stranger.SysProcAttr.Credential = &syscall.Credential{Uid: options.RunAs.UID, Gid: options.RunAs.GID}
	}
	if err := stranger.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- stranger.Wait() }()
	t.Cleanup(func() { stranger.Process.Kill(); <-ended })
	text = bytes.Replace(text, []byte(strconv.Itoa(pid)), []byte(strconv.Itoa(stranger.Process.Pid)), 1)
	if err := os.WriteFile(pidFile, text, 0o600); err != nil {
		t.Fatal(err)
	}

	again := postgrestest.Start(t, options)
	wantWritten(t, again, "kept")
	if err := again.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := stranger.Process.Signal(syscall.Signal(0)); err != nil {
		t.Errorf("the stranger was hurt: %v", err)
	}
}

func TestServerOfAnotherMajorIsRefusedAndUntouched(t *testing.T) {
	t.Parallel()
	options := postgrestest.TestOptions(t)
	server := postgrestest.Start(t, options)
	write(t, server, "kept")
	if err := server.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := snapshot(t, options.Dir)

	other := options
	other.Binaries.Major, other.Binaries.Version = 99, "99.1"
	newer, err := postgres.New(other)
	if err != nil {
		t.Fatal(err)
	}
	err = newer.Ensure(t.Context())
	newer.Release()
	var mismatch *postgres.VersionError
	if !errors.As(err, &mismatch) || mismatch.Data != options.Binaries.Major || mismatch.Binaries.Major != 99 {
		t.Fatalf("got %v, want a VersionError", err)
	}
	if after := snapshot(t, options.Dir); after != before {
		t.Errorf("files changed:\n%s\nwere:\n%s", after, before)
	}
	if err := server.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantWritten(t, server, "kept")
}

func TestServerRefusesAFolderThatIsNotPostgreSQLs(t *testing.T) {
	t.Parallel()
	options := postgrestest.TestOptions(t)
	mine := filepath.Join(options.Dir, "data", "mine")
	if err := os.MkdirAll(filepath.Dir(mine), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(mine, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	server, err := postgres.New(options)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Release()
	if err := server.Ensure(t.Context()); err == nil || !strings.Contains(err.Error(), "PG_VERSION") {
		t.Errorf("got %v, want a refusal", err)
	}
	if text, err := os.ReadFile(mine); err != nil || string(text) != "precious" {
		t.Errorf("file: got %q, %v", text, err)
	}
}

func TestServerWaitsForItsPortAndTakesItWhenItIsFree(t *testing.T) {
	t.Parallel()
	options := postgrestest.TestOptions(t)
	server := postgrestest.Start(t, options)
	if err := server.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	squatter, err := net.Listen("tcp4", net.JoinHostPort(postgres.Host, strconv.Itoa(server.Port())))
	if err != nil {
		t.Fatal(err)
	}
	defer squatter.Close()
	if err := server.Ensure(t.Context()); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("got %v, want the address in use", err)
	}
	await(t, "the status says that it failed, and why", func() bool {
		status := server.Status() // it is starting again and again meanwhile
		return status.State == postgres.Failed && status.LastError != nil
	})
	squatter.Close()
	await(t, "the server runs", func() bool { return server.Status().State == postgres.Running })
}

func TestEnsureGivesUpWhenItsContextEnds(t *testing.T) {
	t.Parallel()
	server, err := postgres.New(postgrestest.TestOptions(t))
	if err != nil {
		t.Fatal(err)
	}
	postgrestest.RemoveAfter(t, server)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := server.Ensure(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want canceled", err)
	}
	if err := server.Ensure(t.Context()); err != nil {
		t.Errorf("it should have gone on in the background: %v", err)
	}
}

func TestRemoveLeavesNothingButForeignFiles(t *testing.T) {
	t.Parallel()
	options := postgrestest.TestOptions(t)
	options.LogFile = filepath.Join(options.Base, "kept.log")
	server := postgrestest.Start(t, options)
	pid := server.Status().PID
	if err := server.Remove(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(options.Dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("folder: got %v, want it gone", err)
	}
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("postmaster: got %v, want it gone", err)
	}
	if _, err := os.Stat(options.LogFile); err != nil {
		t.Errorf("log: %v, want it kept", err)
	}
	if err := server.Remove(t.Context()); err != nil {
		t.Errorf("second removal: %v", err)
	}
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	var refused *pgconn.PgError
	if !errors.As(err, &refused) || refused.Code != code {
		t.Errorf("got %v, want SQLSTATE %s", err, code)
	}
}

func TestServerNamesTheFolderThatShutsItsUserOut(t *testing.T) {
	t.Parallel()
	options := postgrestest.TestOptions(t)
	if options.RunAs == nil {
		t.Skip("needs root: only then does the server run as somebody else")
	}
	if err := os.Chmod(options.Base, 0o711); err != nil {
		t.Fatal(err)
	}
	shut := filepath.Join(options.Base, "shut")
	options.Base = filepath.Join(shut, "ours")
	for _, folder := range []string{shut, options.Base} {
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	options.Dir = filepath.Join(options.Base, "servers", "one")
	server, err := postgres.New(options)
	if err != nil {
		t.Fatal(err)
	}
	postgrestest.RemoveAfter(t, server)
	if err := server.Ensure(t.Context()); err == nil || !strings.Contains(err.Error(), "chmod o+x "+shut) {
		t.Errorf("got %v, want it to name %s", err, shut)
	}
	if info, err := os.Stat(shut); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("folder that is not ours: got %v, %v, want it as it was", info, err)
	}
	if err := os.Chmod(shut, 0o711); err != nil {
		t.Fatal(err)
	}
	if err := server.Ensure(t.Context()); err != nil {
		t.Errorf("now that it is open: %v", err)
	}
}
