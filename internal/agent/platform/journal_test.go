//go:build !windows

package platform

import (
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/store"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func TestJournalsAreKeptOneByOne(t *testing.T) {
	t.Parallel()
	p := newTestPlatform(t)
	s, l := newTestSlot(t, p)
	put := func(n int) string {
		t.Helper()
		j := target.Journal{Slot: s.id, Swap: target.Swap{ID: fmt.Sprintf("swap-%d", n), StartedAt: time.Unix(int64(n), 0).UTC()}}
		if err := p.PutJournal(t.Context(), j, l); err != nil {
			t.Fatal(err)
		}
		return j.Swap.ID
	}
	list := func(wantNewest string, want int) {
		t.Helper()
		all, err := p.ListJournals(t.Context(), s.id)
		if err != nil || len(all) != want || all[0].Swap.ID != wantNewest {
			t.Fatalf("got %d journals, %v; want %d, the newest %s", len(all), err, want, wantNewest)
		}
	}
	for n := range target.KeptJournals {
		put(n)
	}
	list("swap-49", target.KeptJournals)

	// One of them is torn by a disk that lost its end.
	torn := s.files.journals("oms") + "/swap-20.json"
	if err := os.Truncate(torn, 20); err != nil {
		t.Fatal(err)
	}
	var bad *store.BadRecordError
	if _, err := p.GetJournal(t.Context(), s.id, "swap-20"); !errors.As(err, &bad) {
		t.Errorf("a torn journal: got %v, want it refused", err)
	}
	if j, err := p.GetJournal(t.Context(), s.id, "swap-19"); err != nil || j.Swap.ID != "swap-19" {
		t.Errorf("the one before it: got %+v, %v", j, err)
	}
	list("swap-49", target.KeptJournals-1)

	// It is the first to go, then the oldest.
	list(put(50), target.KeptJournals)
	list(put(51), target.KeptJournals)
	for _, gone := range []string{"swap-20", "swap-0", "never"} {
		if _, err := p.GetJournal(t.Context(), s.id, gone); !errors.Is(err, target.ErrNotFound) {
			t.Errorf("%s: got %v, want ErrNotFound", gone, err)
		}
	}
	for _, name := range []string{"", "../slot", ".hidden", "a/b"} {
		if _, err := p.GetJournal(t.Context(), s.id, name); !errors.Is(err, target.ErrInvalid) {
			t.Errorf("%q: got %v, want ErrInvalid", name, err)
		}
	}
}
