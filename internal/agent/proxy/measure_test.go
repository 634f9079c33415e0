package proxy_test

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/proxy"
)

// measured waits until a stack was measured to have ended a number of requests.
func (d *door) measured(t *testing.T, id string, requests int64) proxy.Measurement {
	t.Helper()
	var m proxy.Measurement
	eventually(t, strconv.FormatInt(requests, 10)+" requests that are measured", func() bool {
		m = d.Measure(id, time.Now().Add(-proxy.MeasuredTime/2), time.Now().Add(time.Second))
		return m.Requests >= requests
	})
	if m.Requests != requests {
		t.Errorf("%d requests, want %d", m.Requests, requests)
	}
	return m
}

func TestErrorsAreMeasuredAsTheClientGetsThem(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		app    func(w http.ResponseWriter, r *http.Request)
		errors int64
	}{
		{"an answer", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "fine") }, 0},
		{"an answer of 404", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }, 0},
		{"an answer of 500", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }, 1},
		{"no answer", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 1},
		{"half of an answer", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100000")
			_, _ = io.WriteString(w, pattern(50_000))
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := openDoor(t)
			d.put(t, "blue", "1", startApp(t, "1", test.app).Instance)
			d.serve(t, "blue")
			must(t, d.SetPreview("oms", "blue"))
			for _, address := range []string{d.production, d.preview} { // the latter is not measured
				r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+domain+"/", nil)
				must(t, err)
				_, _ = try(httpClient(t, address, "http/1.1"), r)
			}
			eventually(t, "both requests", func() bool { s := d.Stats("blue"); return s.Requests == 2 && s.InFlight == 0 })
			if m := d.measured(t, "blue", 1); m.Errors != test.errors || m.Max <= 0 {
				t.Errorf("%+v", m)
			}
		})
	}
}

func TestTheProxysOwnErrorsAreMeasured(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	client := httpClient(t, d.production, "h2")
	d.put(t, "blue", "1")
	d.serve(t, "blue")
	get(t, client, "https://"+domain+"/") // 503: no instance
	d.put(t, "blue", "1", proxy.Instance{ID: "1", Addr: deadAddress(t)})
	get(t, client, "https://"+domain+"/") // 502: nobody listens
	d.put(t, "blue", "1", proxy.Instance{ID: "1", Addr: deadAddress(t)}, startApp(t, "2", says("fine")).Instance)
	for range 10 {
		get(t, client, "https://"+domain+"/") // another instance answers
	}
	if m := d.measured(t, "blue", 12); m.Errors != 2 {
		t.Errorf("%+v", m)
	}
}

// Latency reaches to the last byte of the answer, and streams have none.
func TestLatencyIsTheTimeToTheLastByte(t *testing.T) {
	t.Parallel()
	for _, protocol := range []string{"http/1.1", "h2"} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			d := openDoor(t)
			release := make(chan struct{})
			d.put(t, "blue", "1", startApp(t, "1", func(w http.ResponseWriter, r *http.Request) {
				switch r.URL.Path {
				case "/socket":
					echoSocket(w, r)
				case "/stream":
					streamApp("text/event-stream", nil)(w, r)
				default:
					_, _ = io.WriteString(w, "half")
					_ = http.NewResponseController(w).Flush()
					<-release
				}
			}).Instance)
			d.serve(t, "blue")
			client := httpClient(t, d.production, protocol)
			open := func(path string) *http.Response {
				r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+domain+path, nil)
				must(t, err)
				resp, err := client.Do(r)
				must(t, err)
				return resp
			}
			stream := open("/stream")
			defer stream.Body.Close()
			socket, _, err := websocket.Dial(t.Context(), "wss://"+domain+"/socket", &websocket.DialOptions{HTTPClient: httpClient(t, d.production, "http/1.1")})
			must(t, err)
			defer socket.CloseNow()
			if m := d.measured(t, "blue", 2); m.Errors != 0 || m.Max != 0 {
				t.Errorf("streams: %+v", m)
			}
			resp := open("/")
			defer resp.Body.Close()
			begun := time.Now() // the head is here
			eventually(t, "some time to pass", func() bool { return time.Since(begun) > 20*time.Millisecond })
			close(release)
			took := time.Since(begun)
			_, _ = io.ReadAll(resp.Body)
			if m := d.measured(t, "blue", 3); m.P50 < took*98/100 || m.P99 < m.P50 || m.Max < m.P99 {
				t.Errorf("%+v, and it took %v", m, took)
			}
		})
	}
}

// A client that does not wait for a slow stack must not make it look fast.
func TestAClientThatLeavesIsMeasuredToo(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	begun := make(chan struct{})
	d.put(t, "blue", "1", startApp(t, "1", func(_ http.ResponseWriter, r *http.Request) { close(begun); <-r.Context().Done() }).Instance)
	d.serve(t, "blue")
	ctx, leave := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+domain+"/", nil)
	must(t, err)
	done := make(chan struct{})
	go func() { defer close(done); _, _ = try(httpClient(t, d.production, "h2"), r) }()
	receive(t, "the request", begun)
	came := time.Now()
	eventually(t, "some time to pass", func() bool { return time.Since(came) > 20*time.Millisecond })
	leave()
	receive(t, "the end", done)
	if m := d.measured(t, "blue", 1); m.Errors != 0 || m.Max < 19*time.Millisecond {
		t.Errorf("%+v", m)
	}
}

func TestEachSideOfASplitIsMeasuredByItself(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	d.put(t, "blue", "1", startApp(t, "1", says("1")).Instance)
	d.put(t, "green", "2", startApp(t, "1", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot + 100) }).Instance)
	d.set(t, 25, proxy.StickyByNothing)
	client := httpClient(t, d.production, "h2")
	seen := map[string]int64{}
	for range 200 {
		seen[get(t, client, "https://"+domain+"/").header.Get(proxy.ReleaseHeader)]++
	}
	if seen["2"] < 49 || seen["2"] > 51 {
		t.Errorf("requests by release: %v", seen)
	}
	if old, next := d.measured(t, "blue", seen["1"]), d.measured(t, "green", seen["2"]); old.Errors != 0 || next.Errors != seen["2"] {
		t.Errorf("old %+v, new %+v", old, next)
	}
	if m := d.Measure("unheard", time.Now().Add(-time.Minute), time.Now()); m != (proxy.Measurement{}) {
		t.Errorf("a stack that is unknown: %+v", m)
	}
	if m := d.Measure("blue", time.Now().Add(-time.Hour), time.Now().Add(-time.Minute)); m.Requests != 0 {
		t.Errorf("before the beginning: %+v", m)
	}
}

func TestConcurrencyTellsWhoIsBusy(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	begun, release := make(chan struct{}, 10), make(chan struct{})
	slow := func(http.ResponseWriter, *http.Request) { begun <- struct{}{}; <-release }
	d.put(t, "blue", "1", startApp(t, "1", slow).Instance, startApp(t, "2", slow).Instance)
	d.serve(t, "blue")
	client := httpClient(t, d.production, "h2")
	var requests sync.WaitGroup
	for range 10 {
		requests.Go(func() { get(t, client, "https://"+domain+"/") })
		receive(t, "a request", begun)
	}
	c := d.Concurrency("blue", "api", time.Second)
	if c.InFlight != 10 || c.Instances["1"] != 5 || c.Instances["2"] != 5 || len(c.Instances) != 2 {
		t.Errorf("%+v", c)
	}
	eventually(t, "an average", func() bool { return d.Concurrency("blue", "api", 0).Average > 9.99 })
	if c := d.Concurrency("blue", "api", time.Hour); c.Average <= 0 || c.Average >= 9 {
		t.Errorf("over a minute of which few seconds were busy: %+v", c)
	}
	close(release)
	requests.Wait()
	eventually(t, "nobody busy", func() bool {
		c := d.Concurrency("blue", "api", time.Second)
		return c.InFlight == 0 && c.Instances["1"]+c.Instances["2"] == 0
	})
	for _, unknown := range [][2]string{{"blue", "worker"}, {"unheard", "api"}} {
		if c := d.Concurrency(unknown[0], unknown[1], time.Second); c.InFlight != 0 || c.Average != 0 || c.Instances != nil {
			t.Errorf("%v: %+v", unknown, c)
		}
	}
}

// Who ends an instance has to know when its last request has been answered.
func TestConcurrencyTellsOfInstancesThatLeaveUntilTheyAreDone(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	begun, release := make(chan struct{}), make(chan struct{})
	leaving := startApp(t, "1", func(http.ResponseWriter, *http.Request) { close(begun); <-release }).Instance
	stays := startApp(t, "2", says("2")).Instance
	d.put(t, "blue", "1", leaving)
	d.serve(t, "blue")
	client := httpClient(t, d.production, "h2")
	done := make(chan struct{})
	go func() { defer close(done); get(t, client, "https://"+domain+"/") }()
	receive(t, "the request", begun)
	busy := func() map[string]int64 { return d.Concurrency("blue", "api", time.Second).Instances }
	for range 2 {
		d.put(t, "blue", "1", stays)
		if got := busy(); len(got) != 2 || got["1"] != 1 || got["2"] != 0 {
			t.Errorf("while it works: %v", got)
		}
	}
	close(release)
	receive(t, "the answer", done)
	eventually(t, "nothing to do", func() bool { return busy()["1"] == 0 })
	d.put(t, "blue", "1", stays)
	if got := busy(); len(got) != 1 {
		t.Errorf("it is not forgotten: %v", got)
	}
}

// A share is measured from its first request on, and nothing of what was answered before.
func TestANewShareIsMeasuredByItself(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	d.put(t, "blue", "1", startApp(t, "1", says("1")).Instance)
	d.put(t, "green", "2", startApp(t, "1", says("2")).Instance)
	d.serve(t, "blue")
	client := httpClient(t, d.production, "h2")
	for range 30 {
		get(t, client, "https://"+domain+"/")
	}
	d.measured(t, "blue", 30)
	from := time.Now()
	d.set(t, 50, proxy.StickyByNothing)
	for range 20 {
		get(t, client, "https://"+domain+"/")
	}
	var blue, green proxy.Measurement
	eventually(t, "what was answered since to be measured", func() bool {
		now := time.Now()
		blue, green = d.Measure("blue", from, now), d.Measure("green", from, now)
		return blue.Requests+green.Requests >= 20
	})
	if blue.Requests+green.Requests != 20 || blue.From.Before(from) || !blue.To.After(blue.From) {
		t.Errorf("since %s: old %+v, new %+v", from, blue, green)
	}
	if m := d.Measure("blue", time.Now(), time.Now()); m.Requests != 0 || m.To.Before(m.From) {
		t.Errorf("in no time: %+v", m)
	}
}

// Probes of our own are no requests of users; nobody else can pass for one, and no instance
// sees the mark.
func TestProbesAreNotMeasured(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	marks := make(chan string, 3)
	d.put(t, "blue", "1", startApp(t, "1", func(_ http.ResponseWriter, r *http.Request) { marks <- r.Header.Get("Slipway-Probe") }).Instance)
	d.serve(t, "blue")
	client := httpClient(t, d.production, "h2")
	for _, mark := range []func(*http.Request){d.MarkProbe, func(*http.Request) {}, func(r *http.Request) { r.Header.Set("Slipway-Probe", "guessed") }} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+domain+"/", nil)
		must(t, err)
		mark(r)
		_, _ = try(client, r)
		if got := receive(t, "the request", marks); got != "" {
			t.Errorf("the instance saw the mark %q", got)
		}
	}
	d.measured(t, "blue", 2)
}
