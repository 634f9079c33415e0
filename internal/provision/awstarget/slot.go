package awstarget

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// slotKind is the kind of the slots of an environment.
func slotKind(id target.EnvironmentID) string { return "slot/" + id.Name }

func slotKey(id target.SlotID) key { return key{slotKind(id.Environment), id.Name} }

// controlTable is the control table of a region.
func (t *Target) controlTable(ctx context.Context, region string) (table, error) {
	p, err := t.place(ctx, region)
	if err != nil {
		return table{}, err
	}
	return t.control(p.clients, region), nil
}

// slotTable is the control table that a slot's row is in. Its environment must be there.
func (t *Target) slotTable(ctx context.Context, id target.SlotID) (table, error) {
	control, err := t.openSlotTable(ctx, id)
	if errors.Is(err, target.ErrEnding) {
		return control, nil
	}
	return control, err
}

// openSlotTable is slotTable for what writes into it. Of an environment that is being removed it is
// returned with target.ErrEnding.
func (t *Target) openSlotTable(ctx context.Context, id target.SlotID) (table, error) {
	control, err := t.controlTable(ctx, id.Environment.Region)
	if err != nil {
		return control, err
	}
	env, err := control.get(ctx, key{kindEnvironment, id.Environment.Name})
	if err != nil && !isAbsent(err) {
		return control, err
	}
	doc, err := decode[document](env)
	switch {
	case err == nil && env.version == 0:
		err = target.Errorf(target.ErrNotFound, "environment %q does not exist", id.Environment)
	case err == nil && doc.Ending:
		err = ending("environment", id.Environment.String())
	}
	return control, err
}

// PutSlot implements target.Slots in one conditional write.
func (t *Target) PutSlot(ctx context.Context, r target.SlotRecord, l target.Lease) (target.SlotRecord, error) {
	id := r.Asked.ID()
	control, err := t.openSlotTable(ctx, id)
	if err != nil {
		return r, err
	}
	revision := r.Revision
	r.Revision++
	to := row{key: slotKey(id), version: revision}
	if to, err = encode(to, r); err != nil {
		return r, err
	}
	stored, err := control.save(ctx, to, leased(l.Token, t.now()))
	if errors.Is(err, target.ErrConflict) {
		// One condition was not met; which one is told by what is stored.
		if lost := checkLease(stored, id, l, t.now()); lost != nil {
			return r, lost
		}
		return r, target.Errorf(target.ErrConflict, "slot %q is at revision %d, not at %d", id, stored.version, revision)
	}
	if err != nil {
		return r, fmt.Errorf("put slot %q: %w", id, err)
	}
	if revision == 0 {
		// One that removes the environment marks it before it looks for slots.
		if _, err := t.openSlotTable(ctx, id); err != nil {
			return r, errors.Join(err, control.erase(ctx, stored))
		}
	}
	return slotRecord(stored)
}

// GetSlot implements target.Slots.
func (t *Target) GetSlot(ctx context.Context, id target.SlotID) (target.SlotRecord, error) {
	ctx = t.recently(ctx)
	control, err := t.slotTable(ctx, id)
	if err != nil {
		return target.SlotRecord{}, err
	}
	r, err := control.get(ctx, slotKey(id))
	if err != nil {
		return target.SlotRecord{}, err
	}
	if r.version == 0 {
		return target.SlotRecord{}, target.Errorf(target.ErrNotFound, "deployment slot %q does not exist", id)
	}
	return slotRecord(r)
}

// ListSlots implements target.Slots.
func (t *Target) ListSlots(ctx context.Context, id target.EnvironmentID) ([]target.SlotRecord, error) {
	ctx = t.recently(ctx)
	control, err := t.slotTable(ctx, target.SlotID{Environment: id})
	if err != nil {
		return nil, err
	}
	rows, err := control.list(ctx, slotKind(id))
	if err != nil {
		return nil, err
	}
	var out []target.SlotRecord
	for _, r := range rows {
		if r.version == 0 {
			continue
		}
		rec, err := slotRecord(r)
		if err != nil {
			return nil, err
		}
		out = append(out, rec)
	}
	return out, nil
}

func slotRecord(r row) (target.SlotRecord, error) {
	var rec target.SlotRecord
	if err := json.Unmarshal([]byte(r.document), &rec); err != nil {
		return rec, fmt.Errorf("read the record of slot %q: %w", r.key.id, err)
	}
	return rec, nil
}

// DeleteSlot implements target.Slots.
func (t *Target) DeleteSlot(ctx context.Context, id target.SlotID, l target.Lease) error {
	w, err := t.openSlot(ctx, id)
	if errors.Is(err, target.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	control := w.table
	r, err := control.get(ctx, slotKey(id))
	if err != nil {
		return err
	}
	if r.version == 0 && w.version == 0 && !valid(r.lease, t.now()) {
		return control.erase(ctx, r) // a repeated call can't have the lease that the first removed
	}
	if err := checkLease(r, id, l, t.now()); err != nil {
		return err
	}
	if r.version > 0 {
		rec, err := slotRecord(r)
		if err != nil {
			return err
		}
		if rec.Asked.DeletionProtection && rec.Meta.Ready {
			return target.Errorf(target.ErrProtected, "deployment slot %q is protected from deletion", id)
		}
	}
	w.lease = l
	if err := w.clear(ctx); err != nil {
		return err
	}
	if err := t.eraseJournals(ctx, control, id); err != nil {
		return err
	}
	return control.erase(ctx, r)
}
