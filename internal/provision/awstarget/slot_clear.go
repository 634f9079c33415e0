package awstarget

import (
	"context"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// clear removes all of a slot but its record: what leads to it first, then the stacks and tasks,
// whatever serves.
func (w *slotWork) clear(ctx context.Context) error {
	if w.version == 0 {
		return nil
	}
	if len(w.state.Seats) > 0 {
		e, _, err := w.entrancesLeft(ctx)
		if err != nil {
			return err
		}
		if err := w.applyRules(ctx, e.production, nil); err != nil {
			return err
		}
		if err := w.removeSeats(ctx, target.SortedKeys(w.state.Seats)...); err != nil {
			return err
		}
	}
	for _, key := range target.SortedKeys(w.state.Tasks) {
		if err := w.removeTask(ctx, key); err != nil {
			return err
		}
	}
	return w.table.erase(ctx, row{key: stateKey(w.id), version: w.version})
}
