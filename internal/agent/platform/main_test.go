//go:build !windows

package platform

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/process"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// TestMain lets the test binary be the shim that starts processes.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "shim" {
		os.Exit(process.ShimMain())
	}
	os.Exit(m.Run())
}

// startProcess starts one that lives as long as the test.
func startProcess(t *testing.T, p *Platform) process.Identity {
	t.Helper()
	started, err := process.Start(t.Context(), process.Spec{
		ID: "test", Kind: process.Instance, Command: []string{"sleep", "600"}, Env: []string{"PATH=" + searchPath},
		LogFile: filepath.Join(t.TempDir(), "log"), ShimCommand: p.shim,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := started.Stop(context.WithoutCancel(t.Context()), 0); err != nil {
			t.Error(err)
		}
	})
	return started.Identity()
}

// newTestPlatform is an installation without an agent, in which nothing runs yet.
func newTestPlatform(t *testing.T) *Platform {
	t.Helper()
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := newPlatform(t.Context(), Options{Dir: t.TempDir(), Shim: []string{own, "shim"}, Logger: slog.New(slog.DiscardHandler), Clock: wait.Real{}}, users{})
	if err := p.install(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}
