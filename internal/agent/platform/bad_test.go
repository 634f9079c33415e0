//go:build !windows

package platform

import (
	"context"
	"errors"
	"net"
	"os"
	"testing"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/store"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// noListeners has no sockets to give, so that nothing is served.
type noListeners struct{}

func (noListeners) Listener(context.Context, string, string) (net.Listener, error) {
	return nil, net.ErrClosed
}

func (noListeners) Unlisten(context.Context, string) error { return nil }

// TestARestoredRecordIsUsedAgain tears records, and restores them under the same platform.
func TestARestoredRecordIsUsedAgain(t *testing.T) {
	t.Parallel()
	first := newTestPlatform(t)
	s, l := newTestSlot(t, first)
	if _, err := first.PutRegion(t.Context(), target.Region{Name: "eu"}, target.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := s.e.write(environmentFile{Meta: target.Meta{Generation: 1}, Settings: settings{BinDir: t.TempDir()}}); err != nil {
		t.Fatal(err)
	}
	asked := target.SlotRecord{Asked: target.Slot{Environment: s.id.Environment, Name: s.id.Name}}
	if _, err := first.PutSlot(t.Context(), asked, l); err != nil {
		t.Fatal(err)
	}
	if err := s.e.saveDatabase(databaseFile{Spec: target.AccountDatabase{Environment: s.id.Environment, Account: "oms"}}); err != nil {
		t.Fatal(err)
	}
	paths := []string{first.dir.region("eu"), s.files.slotRecord("oms"), s.files.database("oms")}
	good := map[string][]byte{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err == nil {
			good[path], err = text, os.WriteFile(path, text[:len(text)/2], 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}

	p := newPlatform(t.Context(), Options{Dir: string(first.dir), Listeners: noListeners{}, Shim: first.shim, Logger: first.log, Clock: first.clock}, users{})
	if err := p.load(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	wantBad := func(n int, when string) {
		t.Helper()
		p.LookAgain()
		if got := p.BadRecords(); len(got) != n {
			t.Errorf("%s: got %+v, want %d", when, got, n)
		}
	}
	wantBad(3, "while they are torn")
	if _, err := p.GetSlot(t.Context(), s.id); !errors.As(err, new(*store.BadRecordError)) {
		t.Errorf("the slot: got %v, want its record refused", err)
	}
	for n, path := range paths {
		if err := store.WriteFile(path, good[path], 0o600); err != nil {
			t.Fatal(err)
		}
		wantBad(len(paths)-n-1, "after "+path+" was restored")
	}
	if _, err := p.GetSlot(t.Context(), s.id); err != nil {
		t.Errorf("the slot: %v", err)
	}
	if _, err := p.GetRegion(t.Context(), "eu"); err != nil {
		t.Errorf("the region: %v", err)
	}
	e, err := p.environment(s.id.Environment)
	if err != nil {
		t.Fatal(err)
	}
	if got := e.allDatabases(); len(got) != 1 {
		t.Errorf("account databases: got %v, want the one that was restored", got)
	}
}
