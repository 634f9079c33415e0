package proxy_test

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/proxy"
)

// openSplit opens a door with the stacks blue, of release 1, and green, of release 2.
func openSplit(t *testing.T, routes ...proxy.Route) *door {
	t.Helper()
	if routes == nil {
		routes = everything
	}
	d := openDoor(t)
	for id, release := range map[string]string{"blue": "1", "green": "2"} {
		must(t, d.PutStack(proxy.Stack{ID: id, Slot: "oms", Release: release, Routes: routes}))
		a := startApp(t, "1", func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			fmt.Fprintf(w, "%s%s", release, body)
			if cookies := r.Header["Cookie"]; strings.Contains(fmt.Sprint(cookies), "slipway") {
				t.Errorf("the application sees %q", cookies)
			}
		})
		must(t, d.SetInstances(id, "api", []proxy.Instance{a.Instance}))
		must(t, d.SetInstances(id, "console", []proxy.Instance{a.Instance}))
	}
	return d
}

// set gives green a share of what blue serves; 0 takes it away, 100 lets it serve alone.
func (d *door) set(t testing.TB, percent int, by proxy.StickyBy) proxy.Switched {
	t.Helper()
	traffic := proxy.Traffic{Stack: "blue", Canary: "green", Percent: percent, StickyBy: by}
	switch percent {
	case 0:
		traffic = proxy.Traffic{Stack: "blue"}
	case 100:
		traffic = proxy.Traffic{Stack: "green"}
	}
	switched, err := d.SetTraffic(t.Context(), "oms", traffic)
	must(t, err)
	if got := d.Traffic("oms"); got != traffic {
		t.Errorf("traffic is %+v instead of %+v", got, traffic)
	}
	return switched
}

func TestACanaryGetsItsShareOfTenThousandRequests(t *testing.T) {
	t.Parallel()
	const requests, clients = 10_000, 20
	d := openSplit(t, proxy.Route{PathPrefix: "/", Component: "api"}, proxy.Route{Host: "console", PathPrefix: "/", Component: "console"})
	for percent, protocol := range map[int]string{1: "h2", 10: "http/1.1", 50: "h2"} {
		d.set(t, percent, proxy.StickyByNothing)
		var canary [2]atomic.Int64 // by component
		var all sync.WaitGroup
		for range clients {
			client := httpClient(t, d.production, protocol)
			all.Go(func() {
				for n := range requests / clients {
					host := []string{domain, "console." + domain}[n%2]
					if get(t, client, "https://"+host+"/").header.Get(proxy.ReleaseHeader) == "2" {
						canary[n%2].Add(1)
					}
				}
			})
		}
		all.Wait()
		for n, component := range []string{"api", "console"} {
			if share := float64(canary[n].Load()) / requests * 2 * 100; math.Abs(share-float64(percent)) > 0.5 {
				t.Errorf("%s by %s: %.2f percent instead of %d", component, protocol, share, percent)
			}
		}
	}
}

func TestStepsUnderLoadLoseNothing(t *testing.T) {
	t.Parallel()
	d := openSplit(t)
	d.set(t, 0, proxy.StickyByNothing)
	l := startLoad(t, d.production, 20)
	for _, percent := range []int{1, 10, 50, 100, 50, 0, 99, 0} {
		switched := d.set(t, percent, proxy.StickyByNothing)
		if !switched.Drained {
			t.Errorf("%d percent: %+v", percent, switched)
		}
		for _, left := range switched.Left {
			if n := d.Stats(left).InFlight; n != 0 {
				t.Errorf("%d percent: %d requests on %s, which has left", percent, n, left)
			}
		}
		l.progress(t, 200)
	}
	if answers, failures := l.stop(); failures != 0 {
		t.Errorf("%d of %d requests failed", failures, answers+failures)
	}
}

func TestAnAccountStaysOnOneSideAndMovesOnlyWithTheShare(t *testing.T) {
	t.Parallel()
	const accounts = 400
	d := openSplit(t)
	client := httpClient(t, d.production, "h2")
	on := make([]bool, accounts) // the canary's side
	for n, percent := range []int{10, 50, 90, 50, 10} {
		d.set(t, percent, proxy.StickyByAccount)
		grows, canary := n < 3, 0
		for account := range accounts {
			now := get(t, client, fmt.Sprintf("https://a%d.%s/", account, domain)).body == "2"
			again := get(t, client, fmt.Sprintf("https://A%d.%s/other", account, domain)).body == "2"
			if now != again {
				t.Errorf("account %d flaps at %d percent", account, percent)
			}
			if on[account] && !now && grows || !on[account] && now && !grows {
				t.Errorf("account %d moved the wrong way at %d percent", account, percent)
			}
			if on[account] = now; now {
				canary++
			}
		}
		// The binomial distribution's standard deviation is 2.5 points at most.
		if share := float64(canary) / accounts * 100; math.Abs(share-float64(percent)) > 7.5 {
			t.Errorf("%.1f percent of the accounts instead of %d", share, percent)
		}
	}
}

func TestAClientStaysOnOneSideByItsCookie(t *testing.T) {
	t.Parallel()
	const clients = 200
	d := openSplit(t)
	d.set(t, 1, proxy.StickyByClient)
	browsers := make([]*http.Client, clients)
	for n := range browsers {
		browsers[n] = httpClient(t, d.production, "http/1.1")
		jar, err := cookiejar.New(nil)
		must(t, err)
		browsers[n].Jar = jar
	}
	on := make([]bool, clients)
	for n, percent := range []int{1, 10, 50, 99, 50, 10} {
		d.set(t, percent, proxy.StickyByClient)
		grows, canary := n < 4, 0
		for i, browser := range browsers {
			first := get(t, browser, "https://"+domain+"/")
			browser.CloseIdleConnections()
			again := get(t, browser, "https://console."+domain+"/") // another name, another connection
			if set := first.header["Set-Cookie"]; (len(set) == 1) != (n == 0) || again.header["Set-Cookie"] != nil {
				t.Errorf("client %d: cookies %q and %q at %d percent", i, set, again.header["Set-Cookie"], percent)
			}
			now := first.body == "2"
			if now != (again.body == "2") {
				t.Errorf("client %d flaps at %d percent", i, percent)
			}
			if on[i] && !now && grows || !on[i] && now && !grows {
				t.Errorf("client %d moved the wrong way at %d percent", i, percent)
			}
			if on[i] = now; now {
				canary++
			}
		}
		if share := float64(canary) / clients * 100; math.Abs(share-float64(percent)) > 1 {
			t.Errorf("%.1f percent of the clients instead of %d", share, percent)
		}
	}
}

// A gateway brings many clients over few connections from one address.
func TestClientsThatShareConnectionsAreDividedAllTheSame(t *testing.T) {
	t.Parallel()
	const clients = 500
	d := openSplit(t)
	shared := []*http.Client{httpClient(t, d.production, "http/1.1"), httpClient(t, d.production, "h2")}
	for _, percent := range []int{1, 10, 50} {
		d.set(t, percent, proxy.StickyByClient)
		canary := 0
		for n := range clients {
			first := get(t, shared[n%2], "https://"+domain+"/")
			side, err := http.ParseSetCookie(first.header.Get("Set-Cookie"))
			must(t, err)
			if first.body == "2" {
				canary++
			}
			for _, by := range shared {
				r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+domain+"/", nil)
				must(t, err)
				r.AddCookie(side)
				if again := do(t, by, r); again.body != first.body || again.header["Set-Cookie"] != nil {
					t.Errorf("client %d came to release %s, then to %s with cookie %q", n, first.body, again.body, again.header["Set-Cookie"])
				}
			}
		}
		if share := float64(canary) / clients * 100; math.Abs(share-float64(percent)) > 1 {
			t.Errorf("%.1f percent of the clients instead of %d", share, percent)
		}
	}
}

func TestTheCookieOfASideIsSafeAndStaysWithTheProxy(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	for _, id := range []string{"blue", "green"} {
		d.put(t, id, id, startApp(t, "1", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Set-Cookie", "mine=1")
			_, _ = io.WriteString(w, strings.Join(r.Header["Cookie"], "|"))
		}).Instance)
	}
	d.set(t, 50, proxy.StickyByClient)
	for _, protocol := range []string{"http/1.1", "h2"} {
		client := httpClient(t, d.production, protocol)
		for cookies, want := range map[string]struct {
			seen string
			set  bool
		}{
			"":                                       {"", true},
			"a=1; slipway-side=000123; b=2":          {"a=1; b=2", false},
			"slipway-side=999999":                    {"", false},
			"slipway-side=1234567; a=1":              {"a=1", true}, // nothing that we have given
			"slipway-side=-12345":                    {"", true},
			"slipway-sides=000123; x=slipway-side=5": {"slipway-sides=000123; x=slipway-side=5", true},
		} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+domain+"/", nil)
			must(t, err)
			if cookies != "" {
				r.Header.Set("Cookie", cookies)
			}
			got := do(t, client, r)
			if got.body != want.seen {
				t.Errorf("of %q the application saw %q", cookies, got.body)
			}
			set := got.header["Set-Cookie"]
			if set[0] != "mine=1" || (len(set) == 2) != want.set {
				t.Errorf("cookies %q for %q", set, cookies)
				continue
			}
			if want.set {
				c, err := http.ParseSetCookie(set[1])
				must(t, err)
				if c.Name != proxy.SideCookie || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode ||
					c.Path != "/" || c.Domain != domain || c.MaxAge != 0 || !c.Expires.IsZero() || len(c.Value) != 6 {
					t.Errorf("%q", set[1])
				}
			}
		}
	}
	d.set(t, 0, proxy.StickyByNothing)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+domain+"/", nil)
	must(t, err)
	r.Header.Set("Cookie", "slipway-side=000123")
	if got := do(t, httpClient(t, d.production, "h2"), r); got.body != "" || len(got.header["Set-Cookie"]) != 1 {
		t.Errorf("after the steps the application sees %q, the client %q", got.body, got.header["Set-Cookie"])
	}
}

func TestEachSideHasItsOwnRoutes(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	for id, routes := range map[string][]proxy.Route{
		"blue":  {{Host: "api", PathPrefix: "/", Component: "api"}, {Host: "api", PathPrefix: "/old", Component: "old"}, {Host: "old", PathPrefix: "/", Component: "old"}},
		"green": {{Host: "api", PathPrefix: "/", Component: "api"}, {Host: "api", PathPrefix: "/new", Component: "new"}, {Host: "new", PathPrefix: "/", Component: "new"}},
		"other": {{PathPrefix: "/", Component: "other"}},
	} {
		slot := map[bool]string{true: "crm", false: "oms"}[id == "other"]
		must(t, d.PutStack(proxy.Stack{ID: id, Slot: slot, Release: id, Routes: routes}))
		for _, r := range routes {
			must(t, d.SetInstances(id, r.Component, []proxy.Instance{startApp(t, "1", says(id+" "+r.Component)).Instance}))
		}
	}
	_, err := d.SetTraffic(t.Context(), "crm", proxy.Traffic{Stack: "other"})
	must(t, err)
	d.set(t, 50, proxy.StickyByNothing)
	client := httpClient(t, d.production, "h2")
	for url, want := range map[string][2]string{
		"api." + domain + "/":     {"blue api", "green api"},
		"api." + domain + "/old":  {"blue old", "green api"},
		"api." + domain + "/new":  {"blue api", "green new"},
		"old." + domain + "/":     {"blue old", "blue old"},
		"new." + domain + "/":     {"green new", "green new"},
		"third." + domain + "/":   {"other other", "other other"},
		domain + "/anything/else": {"other other", "other other"},
	} {
		seen := map[string]int{}
		for range 100 {
			seen[get(t, client, "https://"+url).body]++
		}
		least := 49 // a hundred requests are divided with an error of one
		if want[0] == want[1] {
			least = 100
		}
		if seen[want[0]] < least || seen[want[1]] < least {
			t.Errorf("%s: %v, want %q", url, seen, want)
		}
	}
}

func TestWhatLosesItsWholeShareIsDrained(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		to      proxy.Traffic
		waits   string // for the requests of this stack
		ignores string
	}{
		{"a canary that is taken away", proxy.Traffic{Stack: "blue"}, "green", "blue"},
		{"the old stack when the canary takes over", proxy.Traffic{Stack: "green"}, "blue", "green"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := openDoor(t)
			begun, release := make(chan string, 100), map[string]chan struct{}{"blue": make(chan struct{}), "green": make(chan struct{})}
			for id, gate := range release {
				d.put(t, id, id, startApp(t, "1", func(_ http.ResponseWriter, r *http.Request) {
					if r.URL.Path == "/slow" {
						begun <- id
						<-gate
					}
				}).Instance)
			}
			d.set(t, 50, proxy.StickyByNothing)
			client := httpClient(t, d.production, "http/1.1")
			var slow sync.WaitGroup
			for range 100 {
				slow.Go(func() { get(t, client, "https://"+domain+"/slow") })
			}
			on := map[string]int64{}
			for range 100 {
				on[receive(t, "a request", begun)]++
			}
			if on["blue"] == 0 || on["green"] == 0 || d.Stats("blue").InFlight != on["blue"] || d.Stats("green").InFlight != on["green"] {
				t.Errorf("requests on %v", on)
			}
			if s := d.set(t, 60, proxy.StickyByNothing); !s.Drained || s.Left != nil || s.Old.Percent != 50 {
				t.Errorf("another percentage: %+v", s)
			}
			switches := make(chan proxy.Switched, 1)
			go func() {
				switched, err := d.SetTraffic(t.Context(), "oms", test.to)
				if err != nil {
					t.Error(err)
				}
				switches <- switched
			}()
			eventually(t, "the change", func() bool { return d.Traffic("oms") == test.to })
			for range 100 {
				if got := get(t, client, "https://"+domain+"/").header.Get(proxy.ReleaseHeader); got != test.ignores {
					t.Errorf("an answer of %s", got)
				}
			}
			select {
			case s := <-switches:
				t.Errorf("it did not wait: %+v", s)
			default:
			}
			close(release[test.waits])
			s := receive(t, "the end of the change", switches)
			if !s.Drained || len(s.Left) != 1 || s.Left[0] != test.waits || s.LastOldAnswer.Before(s.At) || s.Old.Canary != "green" {
				t.Errorf("%+v", s)
			}
			if in, idle := d.Stats(test.ignores).InFlight, d.Idle(test.waits); in != on[test.ignores] || idle != 0 {
				t.Errorf("%d requests on the stack that stays, %d idle connections to the one that left", in, idle)
			}
			close(release[test.ignores])
			slow.Wait()
		})
	}
}

func TestTrafficThatMakesNoSenseIsRefused(t *testing.T) {
	t.Parallel()
	d := openSplit(t)
	first := d.set(t, 10, proxy.StickyByClient)
	if again := d.set(t, 10, proxy.StickyByClient); !again.At.Equal(first.At) || again.Left != nil {
		t.Errorf("again: %+v, first %+v", again, first)
	}
	before := d.Traffic("oms")
	for _, bad := range []proxy.Traffic{
		{Canary: "green", Percent: 10},
		{Stack: "blue", Canary: "blue", Percent: 10},
		{Stack: "blue", Canary: "green"},
		{Stack: "blue", Canary: "green", Percent: 100},
		{Stack: "blue", Canary: "green", Percent: -1},
		{Stack: "blue", Percent: 10},
		{Stack: "blue", StickyBy: proxy.StickyByClient},
		{Stack: "blue", Canary: "green", Percent: 10, StickyBy: "luck"},
		{Stack: "blue", Canary: "unheard", Percent: 10},
	} {
		_, err := d.SetTraffic(t.Context(), "oms", bad)
		if err == nil || errors.Is(err, proxy.ErrUnknownStack) != (bad.Canary == "unheard") {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	if got := d.Traffic("oms"); got != before {
		t.Errorf("a refusal left %+v", got)
	}
	for _, serves := range []string{"blue", "green"} {
		if err := d.DeleteStack(t.Context(), serves); !errors.Is(err, proxy.ErrStackServes) {
			t.Errorf("delete %s: %v", serves, err)
		}
	}
}
