//go:build !windows

// Package postgrestest gives tests a real PostgreSQL server.
//
// The server is the one that [postgres.Find] finds. Two variables of the
// environment change that: SLIPWAY_TEST_POSTGRES_BIN_DIR names the folder of
// the programs to use, SLIPWAY_TEST_POSTGRES_REPOSITORY the Maven repository
// to download from where none are installed.
package postgrestest

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/postgres"
)

// Binaries finds the server's programs.
func Binaries(ctx context.Context) (postgres.Binaries, error) {
	runAs, err := postgres.DefaultRunAs()
	if err != nil {
		return postgres.Binaries{}, err
	}
	return postgres.Find(ctx, postgres.FindOptions{
		BinDir:     os.Getenv("SLIPWAY_TEST_POSTGRES_BIN_DIR"),
		Repository: os.Getenv("SLIPWAY_TEST_POSTGRES_REPOSITORY"),
		CacheDir:   filepath.Join(os.TempDir(), "slipway-test-cache"),
		RunAs:      runAs,
		Log:        func(line string) { fmt.Fprintln(os.Stderr, line) },
	})
}

// Options returns options for a server in a folder below base, which must be
// ours alone. Its name is a trap for those who forget to quote.
func Options(ctx context.Context, base string) (postgres.Options, error) {
	programs, err := Binaries(ctx)
	if err != nil {
		return postgres.Options{}, err
	}
	runAs, err := postgres.DefaultRunAs()
	if err != nil {
		return postgres.Options{}, err
	}
	certificate, key, authority, err := issue()
	if err != nil {
		return postgres.Options{}, fmt.Errorf("issue certificate: %w", err)
	}
	return postgres.Options{
		Name:        "test",
		Dir:         filepath.Join(base, "it's a+b & c=d"),
		Base:        base,
		Certificate: certificate,
		Key:         key,
		Authority:   authority,
		RunAs:       runAs,
		Binaries:    programs,
	}, nil
}

// TestOptions is [Options] in a folder that goes away with the test. The
// server's log goes to the test's.
func TestOptions(t testing.TB) postgres.Options {
	t.Helper()
	// The folder above is this test's too, and closed to other users.
	options, err := Options(t.Context(), filepath.Dir(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	options.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	return options
}

// Start returns a running server, which is removed when the test ends.
func Start(t testing.TB, options postgres.Options) *postgres.Server {
	t.Helper()
	server, err := postgres.New(options)
	if err != nil {
		t.Fatal(err)
	}
	RemoveAfter(t, server)
	if err := server.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	return server
}

// RemoveAfter removes the server when the test ends, whatever its result.
func RemoveAfter(t testing.TB, server *postgres.Server) {
	t.Helper()
	t.Cleanup(func() {
		// The test's own context has ended by now.
		if err := server.Remove(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("remove server: %v", err)
		}
	})
}
