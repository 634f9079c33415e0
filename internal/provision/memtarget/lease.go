package memtarget

import (
	"context"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// AcquireLease takes or renews the lease of a slot.
func (t *Target) AcquireLease(ctx context.Context, id target.SlotID, token, holder string, ttl time.Duration) (target.Lease, error) {
	return call(ctx, t, changes, "AcquireLease", func(s *store) (target.Lease, error) {
		l, err := s.slot(id)
		if err != nil {
			return target.Lease{}, err
		}
		if l.lease.Token != token && s.valid(l.lease) {
			held := l.lease
			held.Token = "" // its holder's secret
			return target.Lease{}, &target.LeaseHeldError{Slot: id, Lease: held}
		}
		l.lease = target.Lease{Token: token, Holder: holder, Beat: l.lease.Beat + 1, ExpiresAt: s.now().Add(ttl)}
		return l.lease, nil
	})
}

// ReleaseLease gives a lease back. The beat goes on counting with the next holder.
func (t *Target) ReleaseLease(ctx context.Context, id target.SlotID, token string) error {
	return do(ctx, t, "ReleaseLease", func(s *store) error {
		if l, ok := s.slots[id]; ok && l.lease.Token == token {
			l.lease = target.Lease{Beat: l.lease.Beat}
		}
		return nil
	})
}

// LeaseTTL is how long a lease is to last.
func (t *Target) LeaseTTL() time.Duration { return t.store.options.LeaseTTL }

func (s *store) valid(l target.Lease) bool { return l.Token != "" && s.now().Before(l.ExpiresAt) }

// leased returns the slot for an effect, [target.ErrLeaseLost] unless the lease is the valid one.
func (s *store) leased(id target.SlotID, l target.Lease) (*slot, error) {
	held, err := s.slot(id)
	if err != nil {
		return nil, err
	}
	if !s.valid(held.lease) || held.lease.Token != l.Token {
		return nil, target.Errorf(target.ErrLeaseLost, "the lease of slot %q is not held by %q", id, l.Holder)
	}
	return held, nil
}
