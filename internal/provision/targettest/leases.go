package targettest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func leaseTests() []test {
	acquire := func(w *world, d target.Driver, id target.SlotID, who string, ttl time.Duration) (target.Lease, error) {
		return d.AcquireLease(w.Context(), id, "token of "+who, who, ttl)
	}
	return []test{
		{"a lease names its holder and lasts for its time, also of a slot that does not exist", func(w *world) {
			before := w.clock.Now()
			l, err := acquire(w, w.driver, w.slot(), "ann", long)
			w.ok(err)
			if l.Holder != "ann" || l.Token != "token of ann" || l.ExpiresAt.Before(before.Add(long)) || l.ExpiresAt.After(w.clock.Now().Add(long)) {
				w.Errorf("got %+v at %s, want a lease of ann for %s", l, before, long)
			}
			if w.driver.LeaseTTL() <= 0 {
				w.Errorf("the target's leases last %s", w.driver.LeaseTTL())
			}
		}},
		{"a second holder is refused while the lease is valid and told who has it and until when, not the token", func(w *world) {
			id := w.slot()
			mine, err := acquire(w, w.driver, id, "ann", long)
			w.ok(err)
			_, err = acquire(w, w.reopened(), id, "bob", long)
			w.refused(err, target.ErrConflict)
			var held *target.LeaseHeldError
			if !errors.As(err, &held) {
				w.Fatalf("got error %v, want a *LeaseHeldError", err)
			}
			if held.Slot != id || held.Lease.Holder != "ann" || !held.Lease.ExpiresAt.Equal(mine.ExpiresAt) || held.Lease.Beat != mine.Beat {
				w.Errorf("got %+v, want the lease %+v", held, mine)
			}
			if held.Lease.Token == mine.Token {
				w.Error("the error gives the holder's token away")
			}
		}},
		{"a renewal beats and lasts longer", func(w *world) {
			id := w.slot()
			first, err := acquire(w, w.driver, id, "ann", long)
			w.ok(err)
			second, err := acquire(w, w.reopened(), id, "ann", 2*long)
			w.ok(err)
			if second.Beat <= first.Beat || !second.ExpiresAt.After(first.ExpiresAt) {
				w.Errorf("got %+v after %+v", second, first)
			}
		}},
		{"a second holder gets the lease when it has expired and not before, and the first has lost it", func(w *world) {
			id := w.slot()
			mine, err := acquire(w, w.driver, id, "ann", moment)
			w.ok(err)
			other := w.reopened()
			var theirs target.Lease
			w.until("the lease of "+id.String(), func(context.Context) (string, bool, error) {
				theirs, err = acquire(w, other, id, "bob", long)
				if errors.Is(err, target.ErrConflict) {
					return err.Error(), false, nil
				}
				return "taken", true, err
			})
			if got := w.clock.Now(); got.Before(mine.ExpiresAt) {
				w.Errorf("taken over at %s, before it expired at %s", got, mine.ExpiresAt)
			}
			if theirs.Beat <= mine.Beat {
				w.Errorf("the beat went from %d to %d with the new holder", mine.Beat, theirs.Beat)
			}
			_, err = acquire(w, w.driver, id, "ann", long)
			w.refused(err, target.ErrConflict)
			_, err = w.driver.PutSlot(w.Context(), w.record(id), mine)
			w.refused(err, target.ErrLeaseLost)
			_, err = other.PutSlot(w.Context(), w.record(id), theirs)
			w.ok(err)
		}},
		{"a lease that was given back is free, and giving back another's changes nothing", func(w *world) {
			id := w.slot()
			mine, err := acquire(w, w.driver, id, "ann", long)
			w.ok(err)
			w.ok(w.reopened().ReleaseLease(w.Context(), id, "token of bob"))
			_, err = acquire(w, w.reopened(), id, "bob", long)
			w.refused(err, target.ErrConflict)
			for range 2 {
				w.ok(w.driver.ReleaseLease(w.Context(), id, mine.Token))
			}
			_, err = w.driver.PutSlot(w.Context(), w.record(id), mine)
			w.refused(err, target.ErrLeaseLost)
			_, err = acquire(w, w.reopened(), id, "bob", long)
			w.ok(err)
		}},
		{"the leases of two slots have nothing to do with each other", func(w *world) {
			_, err := acquire(w, w.driver, w.slot(), "ann", long)
			w.ok(err)
			_, err = acquire(w, w.driver, w.slot(), "bob", long)
			w.ok(err)
		}},
		{"of many that ask for a lease at once one gets it", func(w *world) {
			id := w.slot()
			w.oneWins(w.together(10, func(d target.Driver, i int) error {
				_, err := acquire(w, d, id, fmt.Sprint("holder ", i), long)
				return err
			}), target.ErrConflict)
		}},
	}
}
