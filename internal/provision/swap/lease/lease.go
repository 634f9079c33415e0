// Package lease takes the lease of a slot and keeps it by a heartbeat while something is done
// under it.
package lease

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

const (
	// releaseTime bounds how long giving a lease back may take. One that is not given back
	// runs out by itself.
	releaseTime = 5 * time.Second
	// looks is how often a lease that somebody else holds is looked at within its TTL, beats
	// how often one of our own is renewed.
	looks = 20
	beats = 5
)

// Lease is a held lease.
type Lease struct {
	leases target.Leases
	clock  wait.Clock
	id     target.SlotID

	mu    sync.Mutex
	value target.Lease
	// lost ends everything that is done under the lease.
	lost func(error)
}

// Take takes the lease of a slot. While somebody holds it, it watches for a little more than
// one TTL: a heartbeat seen means that the holder lives and is an error; none means that the
// lease runs out. Held, if any, is called at each look that finds a holder: stay says to wait
// however long that one lives, an error ends it all. Errors: *target.LeaseHeldError, the cause
// of ctx's end, or that of held.
func Take(ctx context.Context, leases target.Leases, clock wait.Clock, id target.SlotID, holder string, held func(context.Context) (stay bool, err error)) (*Lease, error) {
	token, ttl := rand.Text(), leases.LeaseTTL()
	var first *target.LeaseHeldError
	for look := 1; ; look++ {
		v, err := leases.AcquireLease(ctx, id, token, holder, ttl)
		if err == nil {
			return &Lease{leases: leases, clock: clock, id: id, value: v}, nil
		}
		over := look > looks+looks/2
		var taken *target.LeaseHeldError
		isHeld, stay := errors.As(err, &taken), false
		if isHeld && held != nil && ctx.Err() == nil {
			if stay, err = held(ctx); err != nil {
				return nil, err
			}
		}
		switch {
		case ctx.Err() != nil:
		case stay:
			first, look = nil, 0
		case !isHeld && (over || !errors.Is(err, target.ErrUnavailable)):
			return nil, fmt.Errorf("take the lease of slot %q: %w", id, err)
		case isHeld && (over || first != nil && !sameBeat(first.Lease, taken.Lease)):
			return nil, taken
		case isHeld && first == nil:
			first = taken
		}
		if err := clock.Sleep(ctx, ttl/looks); err != nil {
			return nil, err
		}
	}
}

func sameBeat(a, b target.Lease) bool {
	return a.Beat == b.Beat && a.Holder == b.Holder && a.ExpiresAt.Equal(b.ExpiresAt)
}

// Keep runs do while the lease is kept, and then gives it back. The first context that do
// gets ends with ctx or when the lease is lost; the second only when the lease is lost, so
// that do can clean up.
func (l *Lease) Keep(ctx context.Context, do func(ctx, leased context.Context) error) error {
	work, endWork := context.WithCancelCause(ctx)
	leased, endLease := context.WithCancelCause(context.WithoutCancel(ctx))
	l.lost = func(err error) { endLease(err); endWork(err) }
	stop := l.clock.Every(l.leases.LeaseTTL()/beats, func() { l.beat(leased) })
	err := do(work, leased)
	l.lost(nil)
	stop()
	release, cancel := wait.Within(context.WithoutCancel(ctx), l.clock, releaseTime)
	defer cancel()
	_ = l.leases.ReleaseLease(release, l.id, l.Value().Token)
	return err
}

// Value is what goes with each effect.
func (l *Lease) Value() target.Lease {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.value
}

// Lost ends what is done under the lease: the target said that it is not held any more.
func (l *Lease) Lost(err error) { l.lost(err) }

// beat renews the lease. One that ran out is not taken again: somebody else may have had it
// in between.
func (l *Lease) beat(ctx context.Context) {
	held := l.Value()
	if !l.clock.Now().Before(held.ExpiresAt) {
		l.lost(target.Errorf(target.ErrLeaseLost, "the lease ran out at %s before it could be renewed", held.ExpiresAt.UTC().Format(time.RFC3339)))
		return
	}
	renewed, err := l.leases.AcquireLease(ctx, l.id, held.Token, held.Holder, l.leases.LeaseTTL())
	switch {
	case err == nil:
		l.mu.Lock()
		defer l.mu.Unlock()
		l.value = renewed
	case errors.Is(err, target.ErrConflict):
		l.lost(fmt.Errorf("%w: %w", target.ErrLeaseLost, err))
	}
}
