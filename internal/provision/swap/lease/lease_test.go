package lease_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/swap/lease"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

const ttl = 20 * time.Second

var (
	noon = time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)
	oms  = target.SlotID{Environment: target.EnvironmentID{Region: "eu", Name: "production"}, Name: "oms"}
)

// table is a target with one lease.
type table struct {
	*wait.Fake
	held target.Lease
	down error
}

func (t *table) AcquireLease(_ context.Context, _ target.SlotID, token, holder string, ttl time.Duration) (target.Lease, error) {
	switch valid := t.Now().Before(t.held.ExpiresAt); {
	case t.down != nil:
		return target.Lease{}, t.down
	case valid && t.held.Token != token:
		return target.Lease{}, &target.LeaseHeldError{Slot: oms, Lease: t.held}
	}
	t.held = target.Lease{Token: token, Holder: holder, ExpiresAt: t.Now().Add(ttl), Beat: t.held.Beat + 1}
	return t.held, nil
}

func (t *table) ReleaseLease(_ context.Context, _ target.SlotID, token string) error {
	if t.held.Token == token {
		t.held = target.Lease{}
	}
	return nil
}

func (t *table) LeaseTTL() time.Duration { return ttl }

// other has somebody else hold the lease, who renews it for a time.
func (t *table) other(renewed time.Duration) {
	l := target.Lease{Token: "other", Holder: "somebody else", ExpiresAt: t.Now().Add(ttl)}
	t.held = l
	end := t.Now().Add(renewed)
	t.Every(ttl/5, func() {
		if t.held.Token == l.Token && t.Now().Before(end) {
			t.held.Beat, t.held.ExpiresAt = t.held.Beat+1, t.Now().Add(ttl)
		}
	})
}

func TestTake(t *testing.T) {
	t.Parallel()
	stay := func(context.Context) (bool, error) { return true, nil }
	refused := errors.New("refused")
	for _, c := range []struct {
		name    string
		renewed time.Duration // how long somebody else renews it
		down    error
		held    func(context.Context) (bool, error)
		within  time.Duration
		want    error
	}{
		{"of nobody", -ttl, nil, nil, 0, nil},
		{"of somebody dead: once it has run out", 0, nil, nil, ttl + ttl/10, nil},
		{"of somebody alive: refused at the first heartbeat", time.Hour, nil, nil, ttl / 2, target.ErrConflict},
		{"of somebody alive whom it is worth to wait for", 5 * time.Minute, nil, stay, 6 * time.Minute, nil},
		{"of somebody alive, with an answer", time.Hour, nil, func(context.Context) (bool, error) { return false, refused }, 0, refused},
		{"of a target that does not answer", -ttl, target.ErrUnavailable, nil, 2 * ttl, target.ErrUnavailable},
		{"of a target that refuses", -ttl, target.ErrNotFound, nil, 0, target.ErrNotFound},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			tab := &table{Fake: wait.NewFake(noon), down: c.down}
			if c.renewed >= 0 {
				tab.other(c.renewed)
			}
			l, err := lease.Take(t.Context(), tab, tab, oms, "the test", c.held)
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if took := tab.Now().Sub(noon); took > c.within {
				t.Errorf("it took %s, want at most %s", took, c.within)
			}
			if err == nil && (l.Value() != tab.held || tab.held.Holder != "the test") {
				t.Errorf("got %+v, stored is %+v", l.Value(), tab.held)
			}
		})
	}
}

func TestKeep(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		do   func(*table)
		lost bool
	}{
		{"for long", func(tab *table) { tab.Advance(10 * ttl) }, false},
		{"through a short outage", func(tab *table) {
			tab.down = target.ErrUnavailable
			tab.Advance(ttl / 2)
			tab.down = nil
			tab.Advance(ttl)
		}, false},
		{"until a long outage", func(tab *table) { tab.down = target.ErrUnavailable; tab.Advance(2 * ttl) }, true},
		{"until the machine sleeps for longer than it lasts", func(tab *table) { tab.Jump(2 * ttl); tab.Advance(ttl / 5) }, true},
		{"until somebody else has it", func(tab *table) { tab.other(time.Hour); tab.Advance(ttl / 5) }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			tab := &table{Fake: wait.NewFake(noon)}
			l, err := lease.Take(t.Context(), tab, tab, oms, "the test", nil)
			if err != nil {
				t.Fatal(err)
			}
			done := errors.New("done")
			err = l.Keep(t.Context(), func(ctx, leased context.Context) error {
				c.do(tab)
				for name, ctx := range map[string]context.Context{"the work's context": ctx, "the lease's context": leased} {
					if got := errors.Is(context.Cause(ctx), target.ErrLeaseLost); got != c.lost {
						t.Errorf("%s: lost %t (%v), want %t", name, got, context.Cause(ctx), c.lost)
					}
				}
				return done
			})
			if !errors.Is(err, done) {
				t.Errorf("got %v, want what was returned", err)
			}
			if tab.held.Token == l.Value().Token && !c.lost {
				t.Error("the lease was not given back")
			}
		})
	}
}
