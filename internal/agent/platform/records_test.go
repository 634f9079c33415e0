//go:build !windows

package platform

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/store"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func TestASealedPlatformWritesNothing(t *testing.T) {
	t.Parallel()
	p := newTestPlatform(t)
	eu := target.Region{Name: "eu", Location: "eu-central-1", Jurisdiction: "EU"}
	if _, err := p.PutRegion(t.Context(), eu, target.PutOptions{Owner: "us"}); err != nil {
		t.Fatal(err)
	}
	p.seal()
	us := target.Region{Name: "us", Location: "us-east-1", Jurisdiction: "US"}
	if _, err := p.PutRegion(t.Context(), us, target.PutOptions{Owner: "us"}); !errors.Is(err, ErrHandedOver) || !errors.Is(err, target.ErrUnavailable) {
		t.Errorf("a put on a sealed platform: got %v, want ErrHandedOver", err)
	}
	if _, err := os.Stat(p.dir.region("us")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the record was written: %v", err)
	}
	if err := p.passage(filepath.Join(p.dir.environments(), "eu.production")); !errors.Is(err, ErrHandedOver) {
		t.Errorf("a folder on a sealed platform: got %v, want ErrHandedOver", err)
	}
}

func TestPassageDoesNotMakeARemovedDataDirectoryAgain(t *testing.T) {
	t.Parallel()
	p := newTestPlatform(t)
	if err := os.RemoveAll(string(p.dir)); err != nil {
		t.Fatal(err)
	}
	if err := p.passage(p.dir.environments()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want fs.ErrNotExist", err)
	}
	if _, err := os.Stat(string(p.dir)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the data directory is there again: %v", err)
	}
}

func TestMissing(t *testing.T) {
	t.Parallel()
	p := newTestPlatform(t)
	for _, c := range []struct {
		name   string
		change func() error
		want   bool
	}{
		{"an installation that is there", func() error { return nil }, false},
		{"a torn record", func() error { return os.WriteFile(p.dir.installation(), []byte("{"), 0o600) }, false},
		{"another installation", func() error { return store.Save(p.dir.installation(), installation{ID: "local-other"}) }, true},
		{"no record", func() error { return os.Remove(p.dir.installation()) }, true},
		{"no data directory", func() error { return os.RemoveAll(string(p.dir)) }, true},
	} {
		if err := c.change(); err != nil {
			t.Fatal(err)
		}
		if got := p.Missing(); got != c.want {
			t.Errorf("%s: missing is %t, want %t", c.name, got, c.want)
		}
	}
}
