package proxy_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/proxy"
)

// Users do not pay for a side of a split that cannot serve, and whoever watches that side sees it.
func TestASideWithoutAnInstanceLeavesItsRequestsToTheOther(t *testing.T) {
	t.Parallel()
	for _, dead := range []string{"blue", "green"} {
		for _, how := range []string{"none is healthy", "none can be connected to"} {
			t.Run(dead+": "+how, func(t *testing.T) {
				t.Parallel()
				d := openDoor(t)
				live := map[string]string{"blue": "green", "green": "blue"}[dead]
				d.put(t, live, live, startApp(t, "1", says(live+" ")).Instance)
				var instances []proxy.Instance
				if how != "none is healthy" {
					instances = append(instances, proxy.Instance{ID: "1", Addr: deadAddress(t)})
				}
				d.put(t, dead, dead, instances...)
				d.set(t, 50, proxy.StickyByClient)
				client := httpClient(t, d.production, "http/1.1")
				const requests = 40
				astray := int64(0)
				for range requests {
					r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+domain+"/", strings.NewReader("body"))
					must(t, err)
					got := do(t, client, r)
					if got.status != http.StatusOK || got.body != live+" body" || got.header.Get(proxy.ReleaseHeader) != live {
						t.Errorf("%d %q of release %q", got.status, got.body, got.header.Get(proxy.ReleaseHeader))
					}
					at, err := http.ParseSetCookie(got.header.Get("Set-Cookie"))
					must(t, err)
					if canary := at.Value < "500000"; canary == (dead == "green") {
						astray++
					}
				}
				if astray < requests/2-2 || astray > requests/2+2 {
					t.Errorf("%d of %d clients are at home on the dead side", astray, requests)
				}
				if m := d.measured(t, dead, astray); m.Errors != astray {
					t.Errorf("the dead side: %+v", m)
				}
				if m := d.measured(t, live, requests); m.Errors != 0 {
					t.Errorf("the other side: %+v", m)
				}
				if s := d.Stats(dead); s.ConnectionFailures != astray || s.Requests != astray || s.InFlight != 0 || !s.LastAnswer.IsZero() {
					t.Errorf("the dead side: %+v", s)
				}
				if s := d.Stats(live); s.ConnectionFailures != 0 || s.Requests != requests || s.InFlight != 0 {
					t.Errorf("the other side: %+v", s)
				}
				for _, id := range []string{dead, live} {
					if c := d.Concurrency(id, "api", 0); c.InFlight != 0 {
						t.Errorf("%s: %+v", id, c)
					}
				}
			})
		}
	}
}

func TestARequestThatNeitherSideCanTakeIsRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		instances []proxy.Instance // of both sides
		status    int
	}{
		"none is healthy":          {nil, http.StatusServiceUnavailable},
		"none can be connected to": {[]proxy.Instance{{ID: "1", Addr: deadAddress(t)}}, http.StatusBadGateway},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := openDoor(t)
			d.put(t, "blue", "1", test.instances...)
			d.put(t, "green", "2", test.instances...)
			d.set(t, 50, proxy.StickyByNothing)
			if got := get(t, httpClient(t, d.production, "h2"), "https://"+domain+"/"); got.status != test.status {
				t.Errorf("%d: %s", got.status, got.body)
			}
		})
	}
}
