package proxy_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/proxy"
)

func TestRoutesAreChosenByHostAndThenByPath(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	slots := map[string][]proxy.Route{
		"oms": {
			{PathPrefix: "/", Component: "web"},
			{PathPrefix: "/api", Component: "api"},
			{PathPrefix: "/api/v2/", Component: "api2"},
			{Host: "*", PathPrefix: "/", Component: "account"},
			{Host: "console", PathPrefix: "/", Component: "console"},
			{Host: "Console", PathPrefix: "/help", Component: "help"},
		},
		"crm": {
			{Host: "crm", PathPrefix: "/", Component: "crm"},
			{Host: "deep.crm", PathPrefix: "/only", Component: "deep"},
		},
	}
	for slot, routes := range slots {
		must(t, d.PutStack(proxy.Stack{ID: slot + "/blue", Slot: slot, Release: slot + "-1", Routes: routes}))
		for _, r := range routes {
			must(t, d.SetInstances(slot+"/blue", r.Component, []proxy.Instance{startApp(t, "1", says(r.Component)).Instance}))
		}
		_, err := d.SetTraffic(t.Context(), slot, proxy.Traffic{Stack: slot + "/blue"})
		must(t, err)
	}
	for _, test := range []struct{ name, url, want string }{
		{"the domain itself", domain + "/", "web"},
		{"a path below a prefix", domain + "/api/orders?x=/", "api"},
		{"exactly a prefix", domain + "/api", "api"},
		{"a path that only begins alike", domain + "/apix", "web"},
		{"the longest prefix", domain + "/api/v2/orders", "api2"},
		{"a prefix that was written with a slash", domain + "/api/v2", "api2"},
		{"an escaped path", domain + "/%61pi/orders", "api"},
		{"one label goes before any name even with a shorter path", "acme." + domain + "/api", "account"},
		{"an exact host goes before one label", "console." + domain + "/api", "console"},
		{"a host in another case and with a final dot", "CONSOLE.EU.localhost./help/me", "help"},
		{"two labels are a name of the environment", "a.b." + domain + "/api", "api"},
		{"another slot", "crm." + domain + "/", "crm"},
		{"an exact host of two labels", "deep.crm." + domain + "/only", "deep"},
		{"an exact host without a route for the path", "deep.crm." + domain + "/else", "web"},
		{"a foreign host", "localhost/", ""},
		{"a host that only ends alike", "x" + domain + "/", ""},
		{"no label", "." + domain + "/", ""},
		{"an address", "127.0.0.1/", ""},
	} {
		for _, protocol := range []string{"http/1.1", "h2"} {
			client := httpClient(t, d.production, protocol)
			t.Run(test.name+" by "+protocol, func(t *testing.T) {
				t.Parallel()
				got := get(t, client, "https://"+test.url)
				if test.want == "" {
					if got.status != http.StatusNotFound || got.header.Get("Slipway-Error") != "no-route" || got.header.Get("Slipway-Release") != "" {
						t.Errorf("%d %v %q", got.status, got.header, got.body)
					}
					return
				}
				if got.status != http.StatusOK || got.body != test.want {
					t.Errorf("%d %q, want %q", got.status, got.body, test.want)
				}
			})
		}
	}
}

func TestRoutesOfTheServingStackChangeInPlace(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	d.put(t, "blue", "1", startApp(t, "1", says("api")).Instance)
	must(t, d.SetInstances("blue", "other", []proxy.Instance{startApp(t, "1", says("other")).Instance}))
	before := d.serve(t, "blue")
	client := httpClient(t, d.production, "h2")
	must(t, d.PutStack(proxy.Stack{ID: "blue", Slot: "oms", Release: "1b", Routes: []proxy.Route{
		{PathPrefix: "/new", Component: "other"}, {PathPrefix: "/empty", Component: "empty"},
	}}))
	if got := get(t, client, "https://"+domain+"/new"); got.body != "other" || got.header.Get("Slipway-Release") != "1b" {
		t.Errorf("%q of release %q", got.body, got.header.Get("Slipway-Release"))
	}
	if got := get(t, client, "https://"+domain+"/"); got.status != http.StatusNotFound {
		t.Errorf("a route that is gone answers %d", got.status)
	}
	got := get(t, client, "https://"+domain+"/empty")
	if got.status != http.StatusServiceUnavailable || got.header.Get("Slipway-Error") != "no-instance" ||
		!strings.Contains(got.body, `slot "oms", component "empty" of release 1b has no healthy instance`) {
		t.Errorf("%d %v %q", got.status, got.header, got.body)
	}
	if again := d.serve(t, "blue"); again.At != before.At {
		t.Error("a change of routes began another turn")
	}
}
