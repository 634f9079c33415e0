//go:build !windows

package platform

import (
	"context"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// PutRequest implements target.Requests.
func (p *Platform) PutRequest(_ context.Context, id target.SlotID, r target.Request) (target.Request, error) {
	s, err := p.slot(id, false)
	if err != nil {
		return target.Request{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file.Record == nil {
		return target.Request{}, target.Errorf(target.ErrNotFound, "there is no deployment slot %q in %s", id, p.Where())
	}
	r = target.Standing(s.file.Request, r)
	return r, s.changeLocked(func(f *slotFile) error { f.Request = &r; return nil })
}

// DeleteRequest implements target.Requests.
func (p *Platform) DeleteRequest(_ context.Context, id target.SlotID, requestID string, l target.Lease) error {
	s, err := p.slot(id, false)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.leased(l); err != nil {
		return err
	}
	if s.file.Request == nil || s.file.Request.ID != requestID {
		return nil
	}
	return s.changeLocked(func(f *slotFile) error { f.Request = nil; return nil })
}
