package targettest

import (
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func requestTests() []test {
	request := func(id, swapID string) target.Request {
		return target.Request{
			ID: id, Kind: target.RequestRollBack, SwapID: swapID, By: "an operator", Reason: "orders were lost",
			At: time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC),
		}
	}
	return []test{
		{"a request stands for all to see until it is removed under the lease, and of two about one swap the first", func(w *world) {
			id := w.slot()
			lease := w.lease(id)
			w.putRecord(id, lease)
			w.requests(id, nil)
			first := request("a", "s1")
			for _, r := range []target.Request{first, first, request("b", "s1")} {
				stands, err := w.reopened().PutRequest(w.Context(), id, r)
				w.ok(err)
				if diff := cmp.Diff(first, stands); diff != "" {
					w.Errorf("what stands (-want +got):\n%s", diff)
				}
				w.requests(id, &first)
			}
			w.ok(w.driver.DeleteRequest(w.Context(), id, "b", lease))
			w.refused(w.driver.DeleteRequest(w.Context(), id, first.ID, target.Lease{Token: "never given"}), target.ErrLeaseLost)
			w.requests(id, &first)
			for range 2 {
				w.ok(w.driver.DeleteRequest(w.Context(), id, first.ID, lease))
				w.requests(id, nil)
			}
		}},
		{"a request about another swap takes the place of the one before", func(w *world) {
			id := w.slot()
			w.putRecord(id, w.lease(id))
			for _, r := range []target.Request{request("a", "s1"), request("b", "s2")} {
				_, err := w.driver.PutRequest(w.Context(), id, r)
				w.ok(err)
				w.requests(id, &r)
			}
		}},
		{"nothing can be requested of a slot that does not exist, and requests go with their slot", func(w *world) {
			id := w.slot()
			lease := w.lease(id)
			_, err := w.driver.PutRequest(w.Context(), id, request("a", "s1"))
			w.refused(err, target.ErrNotFound)
			w.putRecord(id, lease)
			_, err = w.driver.PutRequest(w.Context(), id, request("a", "s1"))
			w.ok(err)
			w.ok(w.driver.DeleteSlot(w.Context(), id, lease))
			w.putRecord(id, w.lease(id))
			w.requests(id, nil)
		}},
	}
}

// requests wants a request to stand, or none.
func (w *world) requests(id target.SlotID, want *target.Request) {
	w.Helper()
	seen, err := w.reopened().Observe(w.Context(), id)
	w.ok(err)
	if diff := cmp.Diff(want, seen.Request); diff != "" {
		w.Errorf("the request (-want +got):\n%s", diff)
	}
}
