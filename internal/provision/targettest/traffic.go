package targettest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func trafficTests() []test {
	return []test{
		{"traffic moves in shares, each in one write that can be repeated, and the observation says so", sharesMove},
		{"requests are answered by both sides in about the shares asked for", func(w *world) {
			id, lease := w.pair(false)
			w.share(id, 25, "", lease)
			const requests = 400
			got := map[string]int{}
			for range requests {
				got[w.request(id, id.Name)]++
			}
			if n := got["2"]; got["1"]+n != requests || n < requests/8 || n > requests*3/8 {
				w.Errorf("%d requests were answered by %v, want a quarter by release 2", requests, got)
			}
			w.share(id, 0, "", lease)
			w.answer(id, id.Name, "/", "1")
		}},
		{"everybody of one host goes one way where the traffic is divided by account, and moves only with the share", stickyAccounts},
		{"a share for an empty seat or one without health is refused, and all goes on as it was", sharesRefused},
		{"a share of none, or of all and more, is refused as invalid", func(w *world) {
			id, lease := w.pair(false)
			for _, t := range []target.Traffic{{Color: target.Blue, Percent: -1}, {Color: target.Blue, Percent: 100}, {}, {Percent: 10}} {
				_, err := w.driver.SetTraffic(w.Context(), id, t, moment, lease)
				w.refused(err, target.ErrInvalid)
			}
			w.divided(id, target.Blue, 0)
		}},
		{"what carries a share can't be removed, and is not retired", func(w *world) {
			id, lease := w.pair(false)
			w.share(id, 10, "", lease)
			before := w.observe(id)
			for _, c := range []target.Color{target.Blue, target.Green} {
				w.refused(w.driver.DeleteStack(w.Context(), id, c, lease), target.ErrServing)
				at := w.clock.Now()
				// A target may refuse it or wait for the traffic to leave.
				if err := w.driver.RetireStack(w.Context(), id, c, &at, lease); err != nil && !errors.Is(err, target.ErrServing) {
					w.Fatal(err)
				}
			}
			w.after(w.clock.Now().Add(moment))
			after := w.observe(id)
			for c, st := range before.Stacks {
				w.untouched(st, after.Stacks[c])
			}
			w.divided(id, target.Blue, 10)
		}},
		{"a share takes back the retirement of the stack that gets it", func(w *world) {
			id, lease := w.pair(false)
			at := w.clock.Now().Add(moment)
			w.ok(w.driver.RetireStack(w.Context(), id, target.Green, &at, lease))
			w.share(id, 10, "", lease)
			w.share(id, 0, "", lease)
			w.after(at.Add(moment))
			if st, there := w.observe(id).Stacks[target.Green]; !there || st.RetireAt != nil {
				w.Errorf("the stack that had a share is there: %t, and retires at %v", there, st.RetireAt)
			}
		}},
		{"a stack that lost its share can be removed", func(w *world) {
			id, lease := w.pair(false)
			w.share(id, 10, "", lease)
			w.share(id, 0, "", lease)
			w.ok(w.driver.DeleteStack(w.Context(), id, target.Green, lease))
			w.serving(id, target.Blue, "1")
		}},
		{"a stack without routes has traffic like any other, and gives it up", routeless},
		{"what each side answered is measured, from the moment asked for", measured},
		{"traffic can't be moved without the lease, nor after its context ended", func(w *world) {
			id, lease := w.pair(false)
			ctx, cancel := context.WithCancel(w.Context())
			cancel()
			_, err := w.driver.SetTraffic(ctx, id, target.Traffic{Color: target.Blue, Percent: 10}, moment, lease)
			w.refused(err, context.Canceled)
			lease.Token = "never given"
			_, err = w.driver.SetTraffic(w.Context(), id, target.Traffic{Color: target.Blue, Percent: 10}, moment, lease)
			w.refused(err, target.ErrLeaseLost)
			w.divided(id, target.Blue, 0)
		}},
	}
}

// pair is a slot whose blue stack, release 1, serves, with a healthy green one, release 2,
// beside it. They take the requests for the slot's name, or those for any host.
func (w *world) pair(anyHost bool) (target.SlotID, target.Lease) {
	w.Helper()
	id := w.slot()
	lease := w.lease(id)
	for version, c := range map[string]target.Color{"1": target.Blue, "2": target.Green} {
		d := w.definition(id, version)
		if anyHost {
			web := d.Components["web"]
			web.Routes = []target.Route{{Host: "*", PathPrefix: "/"}}
			d.Components["web"] = web
		}
		w.healthy(w.stackOf(id, c, d), lease)
	}
	w.share(id, 0, "", lease)
	return id, lease
}

// share leaves the traffic with blue but for a percentage that goes to green.
func (w *world) share(id target.SlotID, percent int, by target.StickyBy, l target.Lease) target.Switched {
	w.Helper()
	moved, err := w.driver.SetTraffic(w.Context(), id, target.Traffic{Color: target.Blue, Percent: percent, StickyBy: by}, moment, l)
	w.ok(err)
	return moved
}

// divided ends the test unless a seat serves but for a percentage.
func (w *world) divided(id target.SlotID, c target.Color, percent int) {
	w.Helper()
	if obs := w.observe(id); obs.Serving != c || obs.Percent != percent {
		w.Fatalf("seat %q serves but for %d percent, want %q but for %d", obs.Serving, obs.Percent, c, percent)
	}
}

// request sends one request for a label under the domain name to the front door and returns
// the release that answered.
func (w *world) request(id target.SlotID, label string) string {
	w.Helper()
	if w.Request == nil {
		w.Skip("the harness can't send requests")
	}
	version, status := w.Request(w.T, w.driver, id.Environment, label+"."+w.domain(id.Environment), "/")
	if status != http.StatusOK {
		w.Fatalf("a request was answered with status %d by release %q", status, version)
	}
	return version
}

func sharesMove(w *world) {
	id, lease := w.pair(false)
	for _, to := range []target.Traffic{
		{Color: target.Blue, Percent: 1},
		{Color: target.Blue, Percent: 50, StickyBy: target.StickyByClient},
		{Color: target.Blue, Percent: 99, StickyBy: target.StickyByAccount},
		{Color: target.Green},
		{Color: target.Green, Percent: 30},
		{Color: target.Blue},
	} {
		if to.StickyBy != "" && to.StickyBy == w.NotStickyBy {
			to.StickyBy = ""
		}
		before := w.clock.Now()
		moved, err := w.driver.SetTraffic(w.Context(), id, to, moment, lease)
		w.ok(err)
		if moved.At.Before(before) || moved.At.After(w.clock.Now()) {
			w.Errorf("moved %+v, want at a time after %s", moved, before)
		}
		w.divided(id, to.Color, to.Percent)
		again, err := w.reopened().SetTraffic(w.Context(), id, to, moment, lease)
		w.ok(err)
		if !again.At.IsZero() {
			w.Errorf("asked for %+v again, the traffic moved at %s", to, again.At)
		}
		w.divided(id, to.Color, to.Percent)
	}
	w.serving(id, target.Blue, "1")
}

func routeless(w *world) {
	id := w.slot()
	lease := w.lease(id)
	jobs := func(c target.Color, version string) target.StackSpec {
		d := w.definition(id, version)
		d.Components = map[string]target.Component{"jobs": release(w.Apps.Worker())}
		return w.stackOf(id, c, d)
	}
	w.healthy(jobs(target.Blue, "1"), lease)
	w.divided(id, "", 0)
	w.share(id, 0, "", lease)
	w.divided(id, target.Blue, 0)
	w.serve(jobs(target.Green, "2"), lease)
	w.divided(id, target.Green, 0)
	w.refused(w.driver.DeleteStack(w.Context(), id, target.Green, lease), target.ErrServing)
	w.ok(w.driver.DeleteStack(w.Context(), id, target.Blue, lease))
	w.divided(id, target.Green, 0)
}

func stickyAccounts(w *world) {
	id, lease := w.pair(true)
	if w.NotStickyBy == target.StickyByAccount {
		w.notSticky(id, lease)
		return
	}
	const accounts = 60
	sides := func(percent int) (moved map[string]bool) {
		w.share(id, percent, target.StickyByAccount, lease)
		moved = map[string]bool{}
		for n := range accounts {
			host := fmt.Sprintf("account-%d", n)
			first := w.request(id, host)
			if again := w.request(id, host); again != first {
				w.Fatalf("with a share of %d percent %s was answered by release %s and then by %s", percent, host, first, again)
			}
			if first == "2" {
				moved[host] = true
			}
		}
		return moved
	}
	contains := func(many, few map[string]bool) bool {
		for host := range few {
			if !many[host] {
				return false
			}
		}
		return true
	}
	a, b, c := sides(20), sides(60), sides(40)
	if len(a) == 0 || len(b) == accounts || !contains(b, a) || !contains(b, c) || !contains(c, a) || len(c) == len(b) {
		w.Errorf("of %d accounts release 2 had %d with a share of 20 percent, %d with 60 and then %d with 40, want each to move one way only as the share does", accounts, len(a), len(b), len(c))
	}
}

// notSticky wants a target that can't divide traffic by something to refuse it, before anything is
// built and when it is asked to.
func (w *world) notSticky(id target.SlotID, l target.Lease) {
	w.Helper()
	s := target.Slot{Environment: id.Environment, Name: id.Name, Definition: w.definition(id, "1")}
	w.ok(w.driver.CheckSlot(w.Context(), s))
	s.Policy.StickyBy = w.NotStickyBy
	w.refused(w.driver.CheckSlot(w.Context(), s), target.ErrInvalid)
	_, err := w.driver.SetTraffic(w.Context(), id, target.Traffic{Color: target.Blue, Percent: 10, StickyBy: w.NotStickyBy}, moment, l)
	w.refused(err, target.ErrInvalid)
	w.divided(id, target.Blue, 0)
}

func sharesRefused(w *world) {
	id := w.slot()
	lease := w.lease(id)
	w.serve(w.stack(id, target.Blue, "1"), lease)
	try := func() {
		w.Helper()
		_, err := w.driver.SetTraffic(w.Context(), id, target.Traffic{Color: target.Blue, Percent: 10}, moment, lease)
		w.refused(err, target.ErrConflict)
		w.divided(id, target.Blue, 0)
	}
	try()
	d := w.definition(id, "2")
	d.Components["web"] = routed(id, w.Apps.NeverHealthy())
	s := w.stackOf(id, target.Green, d)
	w.put(s, lease)
	w.stackUntil(s, "a failed check", func(st target.StackStatus) bool {
		web := st.Of("web")
		return len(web) > 0 && web[0].LastProbe != ""
	})
	try()
	w.serving(id, target.Blue, "1")
}

func measured(w *world) {
	id, lease := w.pair(false)
	from := w.clock.Now()
	w.share(id, 50, "", lease)
	if w.MeterPeriod > 0 {
		w.after(w.clock.Now().Truncate(w.MeterPeriod).Add(w.MeterPeriod))
	}
	const requests = 20
	got := map[string]int64{}
	for range requests {
		got[w.request(id, id.Name)]++
	}
	of := func(m map[target.Color]target.Measurement) string {
		return fmt.Sprintf("blue %+v, green %+v", m[target.Blue], m[target.Green])
	}
	w.until("what was answered to be measured", func(ctx context.Context) (string, bool, error) {
		m, err := w.driver.Measure(ctx, id, from)
		blue, green := m[target.Blue], m[target.Green]
		done := blue.Requests == got["1"] && green.Requests == got["2"] && blue.Errors+green.Errors == 0
		for _, side := range []target.Measurement{blue, green} {
			if done && side.Requests > 0 && (side.P50Milliseconds <= 0 || side.P99Milliseconds < side.P50Milliseconds || side.To.Before(side.From)) {
				w.Fatalf("measured %+v", side)
			}
		}
		return of(m), done, err
	})
	later := w.clock.Now().Add(moment)
	w.after(later.Add(time.Second))
	m, err := w.driver.Measure(w.Context(), id, later)
	w.ok(err)
	if m[target.Blue].Requests+m[target.Green].Requests > 0 {
		w.Errorf("measured %s from a moment after the last request on", of(m))
	}
}
