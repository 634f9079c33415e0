package memtarget

import (
	"context"
	"errors"
	"fmt"
	"sort"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// slot is everything of a slot, which may be no more than its lease.
type slot struct {
	record *target.SlotRecord
	lease  target.Lease
	// request is only ever replaced.
	request *target.Request
	stacks  map[target.Color]*stack
	tasks   map[string]*task

	traffic target.Traffic
	// shares say who carried what since when, from the first switch on.
	shares []share
	// turn counts the requests of the front door, answered are those that a stack was asked.
	turn     int
	answered []answer
	journals []target.Journal
	// before is the release that served before the last switch; lag is how many probes will
	// still find it at the front door.
	before string
	lag    int
}

func (l *slot) empty() bool { return l.record == nil && len(l.stacks) == 0 && len(l.tasks) == 0 }

// slot returns a slot, made when it is first spoken of, without the stacks that are overdue.
func (s *store) slot(id target.SlotID) (*slot, error) {
	if _, err := s.environment(id.Environment); err != nil {
		return nil, err
	}
	l, ok := s.slots[id]
	if !ok {
		l = &slot{stacks: map[target.Color]*stack{}, tasks: map[string]*task{}}
		s.slots[id] = l
	}
	s.retire(id, l)
	return l, nil
}

// PutSlot writes the record of a slot under its lease and its revision.
func (t *Target) PutSlot(ctx context.Context, r target.SlotRecord, l target.Lease) (target.SlotRecord, error) {
	return call(ctx, t, changes, "PutSlot", func(s *store) (target.SlotRecord, error) {
		r, err := clone(r)
		if err != nil {
			return r, err
		}
		held, err := s.leased(r.Asked.ID(), l)
		if err != nil {
			return r, err
		}
		var stored target.SlotRecord
		if held.record != nil {
			stored = *held.record
		}
		repeated := r
		repeated.Revision++
		if err := s.openEnvironment(r.Asked.Environment); err != nil {
			return r, err
		}
		switch {
		case held.record != nil && target.Same(stored, repeated):
			return stored, nil
		case stored.Revision != r.Revision:
			return r, target.Errorf(target.ErrConflict, "slot %q is at revision %d, not at %d", r.Asked.ID(), stored.Revision, r.Revision)
		}
		held.record = &repeated
		return repeated, nil
	})
}

// GetSlot returns the record of a slot.
func (t *Target) GetSlot(ctx context.Context, id target.SlotID) (target.SlotRecord, error) {
	return call(ctx, t, reads, "GetSlot", func(s *store) (target.SlotRecord, error) {
		l, err := s.slot(id)
		if err != nil {
			return target.SlotRecord{}, err
		}
		if l.record == nil {
			return target.SlotRecord{}, missing("deployment slot", id)
		}
		return *l.record, nil
	})
}

// DeleteSlot removes everything of a slot. Where there is nothing it needs no lease, since a
// repeated call can't have the one that the first call removed.
func (t *Target) DeleteSlot(ctx context.Context, id target.SlotID, l target.Lease) error {
	return do(ctx, t, "DeleteSlot", func(s *store) error {
		held, err := s.slot(id)
		if errors.Is(err, target.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if held.empty() && !s.valid(held.lease) {
			delete(s.slots, id)
			return nil
		}
		if _, err := s.leased(id, l); err != nil {
			return err
		}
		if r := held.record; r != nil && r.Asked.DeletionProtection && r.Meta.Ready {
			return target.Errorf(target.ErrProtected, "deployment slot %q is protected from deletion", id)
		}
		s.dropSlot(id)
		return nil
	})
}

// dropSlot removes a slot and logs the end of its stacks.
func (s *store) dropSlot(id target.SlotID) {
	for _, c := range []target.Color{target.Blue, target.Green} {
		s.removeStack(id, s.slots[id], c, StackRemoved)
	}
	delete(s.slots, id)
}

// ListSlots returns the records of the slots of an environment by id.
func (t *Target) ListSlots(ctx context.Context, environment target.EnvironmentID) ([]target.SlotRecord, error) {
	return call(ctx, t, reads, "ListSlots", func(s *store) ([]target.SlotRecord, error) {
		if _, err := s.environment(environment); err != nil {
			return nil, err
		}
		var out []target.SlotRecord
		for _, id := range sortedIDs(s.slots) {
			if r := s.slots[id].record; id.Environment == environment && r != nil {
				out = append(out, *r)
			}
		}
		return out, nil
	})
}

// sortedIDs returns a map's ids in the order of their text.
func sortedIDs[K interface {
	comparable
	fmt.Stringer
}, V any](m map[K]V) []K {
	ids := make([]K, 0, len(m))
	for id := range m {
		ids = append(ids, id)
	}
	sort.Slice(ids, func(i, j int) bool { return ids[i].String() < ids[j].String() })
	return ids
}
