package targettest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func retirementTests() []test {
	return []test{
		{"a retired stack disappears by itself after its deadline and not before", func(w *world) {
			id := w.slot()
			lease := w.lease(id)
			w.healthy(w.stack(id, target.Blue, "1"), lease)
			at := w.clock.Now().Add(moment)
			w.ok(w.driver.RetireStack(w.Context(), id, target.Blue, &at, lease))
			if got := w.observe(id).Stacks[target.Blue].RetireAt; got == nil || !got.Equal(at) {
				w.Fatalf("the stack retires at %v, want %s", got, at)
			}
			w.ok(w.driver.ReleaseLease(w.Context(), id, lease.Token)) // nobody has to be there
			w.retired(id, target.Blue, at)
		}},
		{"a stack whose deadline has passed already disappears at once", func(w *world) {
			id := w.slot()
			lease := w.lease(id)
			w.healthy(w.stack(id, target.Blue, "1"), lease)
			at := w.clock.Now().Add(-time.Second)
			w.ok(w.driver.RetireStack(w.Context(), id, target.Blue, &at, lease))
			w.retired(id, target.Blue, at)
		}},
		{"a retirement can be put off and called off", func(w *world) {
			id := w.slot()
			lease := w.lease(id)
			before := w.healthy(w.stack(id, target.Blue, "1"), lease)
			at, later := w.clock.Now().Add(moment), w.clock.Now().Add(long)
			for _, deadline := range []*time.Time{&at, &later, &at, nil} {
				w.ok(w.driver.RetireStack(w.Context(), id, target.Blue, deadline, lease))
			}
			w.after(at.Add(moment))
			st := w.observe(id).Stacks[target.Blue]
			w.untouched(before, st)
			if st.RetireAt != nil {
				w.Errorf("the stack still retires at %s", st.RetireAt)
			}
		}},
		{"what serves is not retired, whatever its deadline", func(w *world) {
			id := w.slot()
			lease := w.lease(id)
			w.serve(w.stack(id, target.Blue, "1"), lease)
			before := w.observe(id).Stacks[target.Blue]
			at := w.clock.Now()
			// A target may refuse it or wait for the traffic to leave.
			if err := w.driver.RetireStack(w.Context(), id, target.Blue, &at, lease); err != nil && !errors.Is(err, target.ErrServing) {
				w.Fatal(err)
			}
			w.after(at.Add(moment))
			w.untouched(before, w.observe(id).Stacks[target.Blue])
			w.serving(id, target.Blue, "1")
		}},
		{"the fallback is retired and what took over goes on serving", func(w *world) {
			id := w.slot()
			lease := w.lease(id)
			w.serve(w.stack(id, target.Blue, "1"), lease)
			w.serve(w.stack(id, target.Green, "2"), lease)
			at := w.clock.Now().Add(moment)
			w.ok(w.driver.RetireStack(w.Context(), id, target.Blue, &at, lease))
			w.retired(id, target.Blue, at)
			w.serving(id, target.Green, "2")
		}},
	}
}

// retired waits until a seat is empty and ends the test if that came before the deadline.
func (w *world) retired(id target.SlotID, c target.Color, deadline time.Time) {
	w.Helper()
	w.until(fmt.Sprintf("the end of the %s stack of %s", c, id), func(ctx context.Context) (string, bool, error) {
		obs, err := w.driver.Observe(ctx, id)
		_, there := obs.Stacks[c]
		if err == nil && !there && obs.At.Before(deadline) {
			w.Fatalf("gone at %s, before the deadline %s", obs.At, deadline)
		}
		return "still there", !there, err
	})
}
