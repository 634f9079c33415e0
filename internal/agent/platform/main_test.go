//go:build !windows

package platform

import (
	"log/slog"
	"testing"

	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// newTestPlatform is an installation without an agent, in which nothing runs yet.
func newTestPlatform(t *testing.T) *Platform {
	t.Helper()
	p := newPlatform(t.Context(), Options{Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler), Clock: wait.Real{}}, users{})
	if err := p.install(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}
