package targettest

import (
	"context"
	"fmt"
	"net/http"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func routeTests() []test {
	return []test{
		{"requests go by host and path to the slot that has the route, and to none without one", func(w *world) {
			first, second := w.slot(), w.slot()
			w.serve(w.stack(first, target.Blue, "1"), w.lease(first))
			lease, d := w.lease(second), w.definition(second, "2")
			c := d.Components["web"]
			c.Routes = []target.Route{{Host: first.Name, PathPrefix: "/api"}}
			d.Components["web"] = c
			w.serve(w.stackOf(second, target.Blue, d), lease)

			w.answer(first, first.Name, "/", "1")
			w.answer(first, first.Name, "/apis", "1")
			w.answer(first, first.Name, "/api", "2")
			w.answer(first, first.Name, "/api/orders", "2")
			w.answer(first, second.Name, "/", "")
		}},
		{"a route for any host gives way to one that names the host", func(w *world) {
			id := w.slot()
			lease, d := w.lease(id), w.definition(id, "1")
			c := d.Components["web"]
			c.Routes = []target.Route{{Host: "*", PathPrefix: "/"}}
			d.Components["web"] = c
			w.serve(w.stackOf(id, target.Blue, d), lease)
			w.answer(id, "anything", "/deep/path", "1")

			named := w.slot()
			w.serve(w.stack(named, target.Blue, "2"), w.lease(named))
			w.answer(id, named.Name, "/", "2")
			w.answer(id, "anything", "/", "1")
		}},
		{"routes travel with their stack and change in place", func(w *world) {
			id := w.slot()
			lease, s := w.lease(id), w.stack(id, target.Blue, "1")
			w.serve(s, lease)
			w.answer(id, id.Name, "/old", "1")

			c := s.Definition.Components["web"]
			c.Routes = []target.Route{{Host: id.Name, PathPrefix: "/new"}}
			s.Definition.Components = map[string]target.Component{"web": c}
			w.put(s, lease)
			w.answer(id, id.Name, "/old", "")
			w.answer(id, id.Name, "/new", "1")

			w.healthy(w.stack(id, target.Green, "2"), lease)
			w.answer(id, id.Name, "/old", "")
			_, err := w.driver.SetTraffic(w.Context(), id, target.Traffic{Color: target.Green}, moment, lease)
			w.ok(err)
			w.answer(id, id.Name, "/old", "2")
			w.answer(id, id.Name, "/new", "2")
		}},
		{"a deleted slot answers nothing", func(w *world) {
			id := w.slot()
			lease := w.lease(id)
			w.serve(w.stack(id, target.Blue, "1"), lease)
			w.answer(id, id.Name, "/", "1")
			w.ok(w.driver.DeleteSlot(w.Context(), id, lease))
			w.answer(id, id.Name, "/", "")
		}},
	}
}

// answer waits until a request for a label under the environment's domain name is answered by
// a release; "" means by none.
func (w *world) answer(id target.SlotID, label, path, version string) {
	w.Helper()
	if w.Request == nil {
		w.Skip("the harness can't send requests")
	}
	host := label + "." + w.domain(id.Environment)
	w.until(fmt.Sprintf("release %q at %s%s", version, host, path), func(context.Context) (string, bool, error) {
		got, status := w.Request(w.T, w.driver, id.Environment, host, path)
		return fmt.Sprintf("release %q, status %d", got, status), got == version && (version == "") == (status != http.StatusOK), nil
	})
}
