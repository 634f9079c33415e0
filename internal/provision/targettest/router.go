package targettest

import (
	"context"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func routerTests() []test {
	return []test{
		{"a stack does not serve before it is told to", func(w *world) {
			id := w.slot()
			w.healthy(w.stack(id, target.Blue, "1"), w.lease(id))
			p, err := w.driver.ProbeFrontDoor(w.Context(), id)
			w.ok(err)
			if got := w.observe(id).Serving; got != "" || p.Release != "" {
				w.Errorf("seat %q serves and release %q answers", got, p.Release)
			}
		}},
		{"serving moves the traffic in one write, to and fro, and the front door answers with that release", func(w *world) {
			id := w.slot()
			lease := w.lease(id)
			w.healthy(w.stack(id, target.Blue, "1"), lease)
			w.healthy(w.stack(id, target.Green, "2"), lease)
			for _, to := range []struct {
				color   target.Color
				version string
			}{{target.Blue, "1"}, {target.Green, "2"}, {target.Blue, "1"}} {
				before := w.clock.Now()
				moved, err := w.driver.SetTraffic(w.Context(), id, target.Traffic{Color: to.color}, moment, lease)
				w.ok(err)
				if moved.At.Before(before) || moved.At.After(w.clock.Now()) {
					w.Errorf("switched %+v, want at a time after %s", moved, before)
				}
				w.serving(id, to.color, to.version)

				again, err := w.reopened().SetTraffic(w.Context(), id, target.Traffic{Color: to.color}, moment, lease)
				w.ok(err)
				if !again.At.IsZero() {
					w.Errorf("serving again moved the traffic at %s", again.At)
				}
				w.serving(id, to.color, to.version)
			}
		}},
		{"a switch of many clients at once is one switch", func(w *world) {
			id := w.slot()
			lease := w.lease(id)
			w.serve(w.stack(id, target.Blue, "1"), lease)
			w.healthy(w.stack(id, target.Green, "2"), lease)
			moves := make([]bool, 6)
			for _, err := range w.together(len(moves), func(d target.Driver, i int) error {
				moved, err := d.SetTraffic(w.Context(), id, target.Traffic{Color: target.Green}, moment, lease)
				moves[i] = !moved.At.IsZero()
				return err
			}) {
				w.ok(err)
			}
			n := 0
			for _, moved := range moves {
				if moved {
					n++
				}
			}
			if n != 1 {
				w.Errorf("%d calls say they moved the traffic, want 1", n)
			}
		}},
		{"an empty seat can't serve, and what serves goes on", func(w *world) {
			id := w.slot()
			lease := w.lease(id)
			_, err := w.driver.SetTraffic(w.Context(), id, target.Traffic{Color: target.Green}, moment, lease)
			w.refused(err, target.ErrConflict)
			w.serve(w.stack(id, target.Blue, "1"), lease)
			_, err = w.driver.SetTraffic(w.Context(), id, target.Traffic{Color: target.Green}, moment, lease)
			w.refused(err, target.ErrConflict)
			w.serving(id, target.Blue, "1")
		}},
		{"a stack without a healthy instance of each routed component can't serve", func(w *world) {
			id := w.slot()
			lease := w.lease(id)
			w.serve(w.stack(id, target.Blue, "1"), lease)
			d := w.definition(id, "2")
			second := release(w.Apps.NeverHealthy())
			second.Routes = []target.Route{{Host: id.Name, PathPrefix: "/second"}}
			d.Components["second"] = second
			s := w.stackOf(id, target.Green, d)
			w.put(s, lease)
			w.stackUntil(s, "one of two components healthy", func(st target.StackStatus) bool {
				web := st.Of("web")
				return len(web) == 1 && web[0].Healthy
			})
			_, err := w.driver.SetTraffic(w.Context(), id, target.Traffic{Color: target.Green}, moment, lease)
			w.refused(err, target.ErrConflict)
			w.serving(id, target.Blue, "1")
		}},
		{"what serves can't be removed", func(w *world) {
			id := w.slot()
			lease := w.lease(id)
			w.serve(w.stack(id, target.Blue, "1"), lease)
			before := w.observe(id).Stacks[target.Blue]
			w.refused(w.driver.DeleteStack(w.Context(), id, target.Blue, lease), target.ErrServing)
			w.untouched(before, w.observe(id).Stacks[target.Blue])
			w.serving(id, target.Blue, "1")
		}},
		{"what served before can be removed, and what serves now goes on", func(w *world) {
			id := w.slot()
			lease := w.lease(id)
			w.serve(w.stack(id, target.Blue, "1"), lease)
			w.serve(w.stack(id, target.Green, "2"), lease)
			w.ok(w.driver.DeleteStack(w.Context(), id, target.Blue, lease))
			w.serving(id, target.Green, "2")
		}},
		{"to serve takes back the retirement of the stack", func(w *world) {
			id := w.slot()
			lease := w.lease(id)
			w.serve(w.stack(id, target.Blue, "1"), lease)
			w.healthy(w.stack(id, target.Green, "2"), lease)
			at := w.clock.Now().Add(moment)
			w.ok(w.driver.RetireStack(w.Context(), id, target.Green, &at, lease))
			_, err := w.driver.SetTraffic(w.Context(), id, target.Traffic{Color: target.Green}, moment, lease)
			w.ok(err)
			_, err = w.driver.SetTraffic(w.Context(), id, target.Traffic{Color: target.Blue}, moment, lease)
			w.ok(err)
			w.after(at.Add(moment))
			if st, there := w.observe(id).Stacks[target.Green]; !there || st.RetireAt != nil {
				w.Errorf("the stack that served meanwhile is there: %t, and retires at %v", there, st.RetireAt)
			}
		}},
		{"what serves scales in place and serves on", func(w *world) {
			id := w.slot()
			lease, s := w.lease(id), w.stack(id, target.Blue, "1")
			w.serve(s, lease)
			before := w.observe(id).Stacks[target.Blue]
			s.Capacity = map[string]int{"web": 2}
			w.untouched(before, w.healthy(s, lease))
			w.serving(id, target.Blue, "1")
		}},
		{"a serve whose context has ended moves nothing", func(w *world) {
			id := w.slot()
			lease := w.lease(id)
			w.healthy(w.stack(id, target.Blue, "1"), lease)
			ctx, cancel := context.WithCancel(w.Context())
			cancel()
			_, err := w.driver.SetTraffic(ctx, id, target.Traffic{Color: target.Blue}, moment, lease)
			w.refused(err, context.Canceled)
			if got := w.observe(id).Serving; got != "" {
				w.Errorf("seat %q serves", got)
			}
		}},
	}
}
