//go:build !windows

package platform

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// AcquireLease implements target.Leases.
func (p *Platform) AcquireLease(_ context.Context, id target.SlotID, token, holder string, ttl time.Duration) (target.Lease, error) {
	s, err := p.slot(id, true)
	if err != nil {
		return target.Lease{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now, held := p.clock.Now(), s.file.Lease
	if held != nil && held.Token != token && now.Before(held.ExpiresAt) {
		return target.Lease{}, &target.LeaseHeldError{Slot: id, Lease: *held}
	}
	if err := p.passage(s.files.slot(id.Name)); err != nil { // it goes with a lease that is all there is
		return target.Lease{}, err
	}
	l := target.Lease{Token: token, Holder: holder, Beat: 1, ExpiresAt: now.Add(ttl)}
	if held != nil {
		l.Beat = held.Beat + 1
	}
	if err := s.changeLocked(func(f *slotFile) error { f.Lease = &l; return nil }); err != nil {
		return target.Lease{}, err
	}
	return l, nil
}

// ReleaseLease implements target.Leases.
func (p *Platform) ReleaseLease(_ context.Context, id target.SlotID, token string) error {
	s, err := p.slot(id, false)
	if err != nil {
		return nil // gone with its slot
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file.Lease == nil || s.file.Lease.Token != token {
		return nil
	}
	if f := s.file; f.empty() { // there was no slot, and is none
		if err := os.RemoveAll(s.files.slot(id.Name)); err != nil {
			return fmt.Errorf("forget the lease of slot %q: %w", id, err)
		}
		s.file.Lease = nil
		return nil
	}
	return s.changeLocked(func(f *slotFile) error { f.Lease = nil; return nil })
}

// LeaseTTL implements target.Leases.
func (p *Platform) LeaseTTL() time.Duration { return LeaseTTL }

// leased refuses an effect without a valid lease. The caller holds s.mu.
func (s *slot) leased(l target.Lease) error {
	held := s.file.Lease
	if held == nil || held.Token != l.Token || !s.e.p.clock.Now().Before(held.ExpiresAt) {
		return target.Errorf(target.ErrLeaseLost, "the lease of slot %q is not held by who sent this", s.id)
	}
	return nil
}

// checkLease is leased for a caller who does not hold s.mu.
func (s *slot) checkLease(l target.Lease) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.leased(l)
}

// copyOf keeps callers from sharing what the store holds.
func copyOf[T any](v T) (T, error) {
	var out T
	b, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	if err != nil {
		return out, fmt.Errorf("copy record: %w", err)
	}
	return out, nil
}
