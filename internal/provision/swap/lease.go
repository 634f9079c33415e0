package swap

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// releaseTime bounds how long giving a lease back may take. One that is not given back runs
// out by itself.
const releaseTime = 5 * time.Second

// looksAtLease is how often a lease that somebody else holds is looked at within its TTL.
const looksAtLease = 20

// lease is a held lease.
type lease struct {
	mu    sync.Mutex
	value target.Lease
	// lost ends everything that is done under the lease.
	lost func(error)
}

func (l *lease) get() target.Lease {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.value
}

func (l *lease) set(v target.Lease) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.value = v
}

// underLease runs do while holding the slot's lease. The first context that do gets ends with
// ctx or when the lease is lost; the second only when the lease is lost, so that do can clean
// up.
func (m *Machine) underLease(ctx context.Context, id target.SlotID, do func(ctx, leased context.Context, l *lease) error) error {
	held, err := m.acquire(ctx, id)
	if err != nil {
		return err
	}
	work, endWork := context.WithCancelCause(ctx)
	leased, endLease := context.WithCancelCause(context.WithoutCancel(ctx))
	l := &lease{value: held, lost: func(err error) { endLease(err); endWork(err) }}
	stop := m.clock.Every(m.driver.LeaseTTL()/5, func() { m.beat(leased, id, l) })
	err = do(work, leased, l)
	l.lost(nil)
	stop()
	release, cancel := m.within(context.WithoutCancel(ctx), releaseTime)
	defer cancel()
	_ = m.driver.ReleaseLease(release, id, held.Token)
	return err
}

// acquire takes the lease. While somebody holds it, it watches for a little more than one
// TTL: a heartbeat seen means that the holder lives and is an error; none means that the
// lease runs out.
func (m *Machine) acquire(ctx context.Context, id target.SlotID) (target.Lease, error) {
	token, holder, ttl := rand.Text(), m.holder(), m.driver.LeaseTTL()
	var first *target.LeaseHeldError
	for look := 1; ; look++ {
		l, err := m.driver.AcquireLease(ctx, id, token, holder, ttl)
		if err == nil {
			return l, nil
		}
		over := look > looksAtLease+looksAtLease/2
		var held *target.LeaseHeldError
		switch isHeld := errors.As(err, &held); {
		case ctx.Err() != nil:
		case !isHeld && (over || !errors.Is(err, target.ErrUnavailable)):
			return l, fmt.Errorf("take the lease of slot %q: %w", id, err)
		case isHeld && (over || first != nil && !sameBeat(first.Lease, held.Lease)):
			return l, held
		case isHeld && first == nil:
			first = held
		}
		if m.clock.Sleep(ctx, ttl/looksAtLease) != nil {
			return l, &InterruptedError{Slot: id, Truth: "Nothing was touched.", Cause: context.Cause(ctx)}
		}
	}
}

func sameBeat(a, b target.Lease) bool {
	return a.Beat == b.Beat && a.Holder == b.Holder && a.ExpiresAt.Equal(b.ExpiresAt)
}

// beat renews the lease. One that ran out is not taken again: somebody else may have had it
// in between.
func (m *Machine) beat(ctx context.Context, id target.SlotID, l *lease) {
	held := l.get()
	if !m.clock.Now().Before(held.ExpiresAt) {
		l.lost(target.Errorf(target.ErrLeaseLost, "the lease ran out at %s before it could be renewed", held.ExpiresAt.UTC().Format(time.RFC3339)))
		return
	}
	renewed, err := m.driver.AcquireLease(ctx, id, held.Token, held.Holder, m.driver.LeaseTTL())
	switch {
	case err == nil:
		l.set(renewed)
	case errors.Is(err, target.ErrConflict), errors.Is(err, target.ErrLeaseLost):
		l.lost(fmt.Errorf("%w: %w", target.ErrLeaseLost, err))
	}
}

// within ends ctx after d on the machine's clock.
func (m *Machine) within(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	limited, cancel := context.WithCancelCause(ctx)
	stop := m.clock.Every(d, func() { cancel(context.DeadlineExceeded) })
	return limited, func() { stop(); cancel(nil) }
}

// holder names this run for whoever finds its lease.
func (m *Machine) holder() string { return fmt.Sprintf("%s (%s)", m.by, host()) }

// host names this machine and process.
func host() string {
	name, err := os.Hostname()
	if err != nil {
		name = "unknown host"
	}
	return fmt.Sprintf("%s, process %d", name, os.Getpid())
}
