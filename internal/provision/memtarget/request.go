package memtarget

import (
	"context"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// PutRequest leaves a request for the run that holds the slot's lease.
func (t *Target) PutRequest(ctx context.Context, id target.SlotID, r target.Request) (target.Request, error) {
	return call(ctx, t, changes, "PutRequest", func(s *store) (target.Request, error) {
		l, err := s.slot(id)
		if err != nil {
			return r, err
		}
		if l.record == nil {
			return r, missing("deployment slot", id)
		}
		r = target.Standing(l.request, r)
		l.request = &r
		return r, nil
	})
}

// DeleteRequest removes a request.
func (t *Target) DeleteRequest(ctx context.Context, id target.SlotID, requestID string, l target.Lease) error {
	return do(ctx, t, "DeleteRequest", func(s *store) error {
		held, err := s.leased(id, l)
		if err == nil && held.request != nil && held.request.ID == requestID {
			held.request = nil
		}
		return err
	})
}
