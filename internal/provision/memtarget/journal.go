package memtarget

import (
	"context"
	"slices"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// PutJournal keeps a journal. The oldest one goes where there are too many.
func (t *Target) PutJournal(ctx context.Context, j target.Journal, l target.Lease) error {
	return do(ctx, t, "PutJournal", func(s *store) error {
		j, err := clone(j)
		if err != nil {
			return err
		}
		held, err := s.leased(j.Slot, l)
		if err != nil {
			return err
		}
		held.journals = slices.DeleteFunc(slices.Clone(held.journals), func(old target.Journal) bool { return old.Swap.ID == j.Swap.ID })
		held.journals = append(held.journals, j)
		slices.SortStableFunc(held.journals, func(a, b target.Journal) int { return b.Swap.StartedAt.Compare(a.Swap.StartedAt) })
		held.journals = held.journals[:min(len(held.journals), target.KeptJournals)]
		return nil
	})
}

// ListJournals returns the journals of a slot without what is long in them.
func (t *Target) ListJournals(ctx context.Context, id target.SlotID) ([]target.Journal, error) {
	return call(ctx, t, reads, "ListJournals", func(s *store) ([]target.Journal, error) {
		l, err := s.slot(id)
		if err != nil {
			return nil, err
		}
		var out []target.Journal
		for _, j := range l.journals {
			j.Swap.Samples = nil
			j.Swap.Tasks = slices.Clone(j.Swap.Tasks)
			for i := range j.Swap.Tasks {
				j.Swap.Tasks[i].LastLines = nil
			}
			out = append(out, j)
		}
		return out, nil
	})
}

// GetJournal returns a journal whole.
func (t *Target) GetJournal(ctx context.Context, id target.SlotID, swapID string) (target.Journal, error) {
	return call(ctx, t, reads, "GetJournal", func(s *store) (target.Journal, error) {
		l, err := s.slot(id)
		if err != nil {
			return target.Journal{}, err
		}
		for _, j := range l.journals {
			if j.Swap.ID == swapID {
				return j, nil
			}
		}
		return target.Journal{}, missing("the journal of swap", swapID)
	})
}

// ReadLogs returns the last lines of a component's instances.
func (t *Target) ReadLogs(ctx context.Context, id target.SlotID, component string, lines int) ([]target.InstanceLog, error) {
	return call(ctx, t, reads, "ReadLogs", func(s *store) ([]target.InstanceLog, error) {
		l, err := s.slot(id)
		if err != nil {
			return nil, err
		}
		var out []target.InstanceLog
		for _, c := range target.SortedKeys(l.stacks) {
			for _, i := range l.stacks[c].instances {
				if i.status.Component != component {
					continue
				}
				last := s.behaviour(component, l.stacks[c].spec.Definition).Lines
				out = append(out, target.InstanceLog{
					Color: c, Release: l.stacks[c].spec.Definition.Release, Index: i.status.Index,
					Lines: last[max(0, len(last)-lines):],
				})
			}
		}
		return out, nil
	})
}
