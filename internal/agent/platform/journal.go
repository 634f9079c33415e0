//go:build !windows

package platform

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/store"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// PutJournal implements target.Journals. Each journal is a file of its own.
func (p *Platform) PutJournal(_ context.Context, j target.Journal, l target.Lease) error {
	s, err := p.slot(j.Slot, false)
	if err != nil {
		return err
	}
	path, err := s.journal(j.Swap.ID)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.leased(l); err != nil {
		return err
	}
	if err := p.passage(filepath.Dir(path)); err != nil {
		return err
	}
	if err := p.save(path, j); err != nil {
		return err
	}
	return s.pruneJournals(j.Swap.ID)
}

// GetJournal implements target.Journals.
func (p *Platform) GetJournal(_ context.Context, id target.SlotID, swapID string) (target.Journal, error) {
	var j target.Journal
	s, err := p.slot(id, false)
	if err != nil {
		return j, err
	}
	path, err := s.journal(swapID)
	if err != nil {
		return j, err
	}
	err = store.Load(path, &j)
	if errors.Is(err, fs.ErrNotExist) {
		return j, target.Errorf(target.ErrNotFound, "slot %q keeps no journal of a swap %q; it keeps those of the last %d", id, swapID, target.KeptJournals)
	}
	return j, err
}

// ListJournals implements target.Journals. One that can't be read is left out: asking for it
// by its name says why.
func (p *Platform) ListJournals(_ context.Context, id target.SlotID) ([]target.Journal, error) {
	s, err := p.slot(id, false)
	if errors.Is(err, target.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	all, _, err := s.journals()
	for i := range all {
		all[i].Swap.Samples = nil
		for t := range all[i].Swap.Tasks {
			all[i].Swap.Tasks[t].LastLines = nil
		}
	}
	return all, err
}

// journal names the file of a swap's journal.
func (s *slot) journal(swapID string) (string, error) {
	if swapID == "" || strings.HasPrefix(swapID, ".") || strings.ContainsRune(swapID, filepath.Separator) {
		return "", target.Errorf(target.ErrInvalid, "%q is not the id of a swap", swapID)
	}
	return filepath.Join(s.files.journals(s.id.Name), swapID+".json"), nil
}

// journals are those of the slot, the newest first, and the ids of those that can't be read.
func (s *slot) journals() (all []target.Journal, bad []string, err error) {
	ids, err := names(s.files.journals(s.id.Name), ".json")
	if err != nil {
		return nil, nil, err
	}
	for _, id := range ids {
		path, err := s.journal(id)
		var j target.Journal
		if err == nil {
			err = store.Load(path, &j)
		}
		switch {
		case errors.Is(err, fs.ErrNotExist): // pruned meanwhile
		case err != nil:
			s.e.p.log.Warn("a journal can't be used", "slot", s.id.String(), "swap", id, "error", err)
			bad = append(bad, id)
		default:
			all = append(all, j)
		}
	}
	slices.SortFunc(all, func(a, b target.Journal) int {
		return cmp.Or(b.Swap.StartedAt.Compare(a.Swap.StartedAt), cmp.Compare(b.Swap.ID, a.Swap.ID))
	})
	return all, bad, nil
}

// pruneJournals removes what is too much: first what can't be read, then the oldest, but not
// the one that was just put. The caller holds s.mu.
func (s *slot) pruneJournals(put string) error {
	ids, err := names(s.files.journals(s.id.Name), ".json")
	surplus := len(ids) - target.KeptJournals
	if err != nil || surplus <= 0 {
		return err
	}
	all, old, err := s.journals()
	if err != nil {
		return err
	}
	for _, j := range slices.Backward(all) {
		old = append(old, j.Swap.ID)
	}
	for _, id := range old {
		if surplus == 0 || id == put {
			continue
		}
		path, err := s.journal(id)
		if err == nil {
			err = os.Remove(path)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove an old journal: %w", err)
		}
		surplus--
	}
	return nil
}
