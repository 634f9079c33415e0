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

// lease is a held lease with its heartbeat.
type lease struct {
	mu    sync.Mutex
	value target.Lease
}

func (l *lease) get() target.Lease {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.value
}

// underLease runs do while holding the slot's lease. The context that do gets ends with
// target.ErrLeaseLost when the lease is lost; it does not end with ctx's cancellation before
// do has returned, so that do can clean up under the lease: do watches ctx itself.
func (m *Machine) underLease(ctx context.Context, id target.SlotID, do func(ctx context.Context, l *lease) error) error {
	held, err := m.acquire(ctx, id)
	if err != nil {
		return err
	}
	l := &lease{value: held}
	leased, lost := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := make(chan struct{})
	var beating sync.WaitGroup
	beating.Go(func() { m.beat(leased, stop, id, l, lost) })
	err = do(leased, l)
	close(stop)
	lost(nil)
	beating.Wait()
	release, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	if relErr := m.driver.ReleaseLease(release, id, held.Token); relErr != nil && err == nil {
		return fmt.Errorf("release the lease of slot %q: %w", id, relErr)
	}
	return err
}

const releaseTimeout = 5 * time.Second

// acquire takes the lease. While somebody holds it, it watches for one TTL: a heartbeat seen
// means that the holder lives and is an error; none means that the lease runs out.
func (m *Machine) acquire(ctx context.Context, id target.SlotID) (target.Lease, error) {
	token, holder := rand.Text(), m.holder()
	ttl := m.driver.LeaseTTL()
	var first *target.LeaseHeldError
	for deadline := m.clock.Now().Add(ttl + ttl/2); ; {
		l, err := m.driver.AcquireLease(ctx, id, token, holder, ttl)
		var held *target.LeaseHeldError
		if !errors.As(err, &held) {
			if err != nil {
				return l, fmt.Errorf("take the lease of slot %q: %w", id, err)
			}
			return l, nil
		}
		switch {
		case first == nil:
			first = held
		case held.Lease.Beat != first.Lease.Beat || held.Lease.Holder != first.Lease.Holder, m.clock.Now().After(deadline):
			return l, held
		}
		if err := m.clock.Sleep(ctx, ttl/20); err != nil {
			return l, fmt.Errorf("wait for the lease of slot %q, held by %s until %s: %w", id, held.Lease.Holder, held.Lease.ExpiresAt.UTC().Format(time.RFC3339), err)
		}
	}
}

// beat renews the lease every third of its time and reports its loss.
func (m *Machine) beat(ctx context.Context, stop <-chan struct{}, id target.SlotID, l *lease, lost context.CancelCauseFunc) {
	ttl := m.driver.LeaseTTL()
	ticker := time.NewTicker(ttl / 3)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		held := l.get()
		renewed, err := m.driver.AcquireLease(ctx, id, held.Token, held.Holder, ttl)
		switch {
		case err == nil:
			l.mu.Lock()
			l.value = renewed
			l.mu.Unlock()
		case errors.Is(err, target.ErrConflict), errors.Is(err, target.ErrLeaseLost), m.clock.Now().After(held.ExpiresAt):
			lost(fmt.Errorf("%w: %w", target.ErrLeaseLost, err))
			return
		}
	}
}

// holder names this run for whoever finds its lease.
func (m *Machine) holder() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	return fmt.Sprintf("%s (%s, process %d)", m.by, host, os.Getpid())
}
