package proxy_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/proxy"
)

func TestTwentySwitchesUnderLoadLoseNothing(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	colors := []string{"blue", "green"}
	for _, color := range colors {
		d.put(t, color, color, startApp(t, "1", says(color)).Instance, startApp(t, "2", says(color)).Instance)
	}
	d.serve(t, "blue")
	l := startLoad(t, d.production, 50)
	for n := range 20 {
		l.progress(t, 100)
		switched := d.serve(t, colors[(n+1)%2])
		if switched.Old.Stack != colors[n%2] || !switched.Drained || switched.LastOldAnswer.IsZero() {
			t.Errorf("switch %d: %+v", n, switched)
		}
		if got := d.Stats(switched.Old.Stack).InFlight; got != 0 {
			t.Errorf("switch %d: %d requests on the old stack after the drain", n, got)
		}
	}
	l.progress(t, 100)
	if answers, failures := l.stop(); failures != 0 {
		t.Errorf("%d of %d requests failed", failures, answers+failures)
	}
	for _, color := range colors {
		if s := d.Stats(color); s.ServerErrors != 0 || s.ConnectionFailures != 0 || s.Requests == 0 {
			t.Errorf("%s: %+v", color, s)
		}
	}
}

func TestNoRequestReachesTheOldStackOnceSwitchHasReturned(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	retired := map[string]*atomic.Bool{"blue": {}, "green": {}}
	working := map[string]*atomic.Int64{"blue": {}, "green": {}}
	for color := range retired {
		d.put(t, color, color, startApp(t, "1", func(w http.ResponseWriter, r *http.Request) {
			if retired[color].Load() {
				t.Errorf("a request came to %s, which was retired", color)
			}
			working[color].Add(1)
			body, _ := io.ReadAll(r.Body)
			working[color].Add(-1)
			_, _ = io.WriteString(w, color+string(body))
		}).Instance)
	}
	d.serve(t, "blue")
	l := startLoad(t, d.production, 20)
	old, next := "blue", "green"
	for range 60 {
		l.progress(t, 1)
		retired[next].Store(false)
		if !d.serve(t, next).Drained {
			t.Fatal("not drained")
		}
		retired[old].Store(true)
		if n := working[old].Load(); n != 0 {
			t.Errorf("%s works on %d requests after its drain", old, n)
		}
		old, next = next, old
	}
	l.stop()
}

func TestRequestsThatAreUnderWayCompleteOnTheOldStack(t *testing.T) {
	t.Parallel()
	big := pattern(300_000)
	for _, protocol := range []string{"http/1.1", "h2"} {
		for _, test := range []struct {
			name string
			// app tells by begun that the request is with it, and completes it on release.
			app     func(w http.ResponseWriter, r *http.Request, begun func(), release <-chan struct{})
			request func(ctx context.Context, release <-chan struct{}) (*http.Request, error)
			want    string
		}{
			{
				name: "a slow answer",
				app: func(w http.ResponseWriter, _ *http.Request, begun func(), release <-chan struct{}) {
					begun()
					<-release
					_, _ = io.WriteString(w, "old")
				},
				want: "old",
			},
			{
				name: "an upload",
				app: func(w http.ResponseWriter, r *http.Request, begun func(), _ <-chan struct{}) {
					begun()
					body, err := io.ReadAll(r.Body)
					if err != nil {
						t.Errorf("read upload: %v", err)
					}
					_, _ = w.Write(body)
				},
				request: func(ctx context.Context, release <-chan struct{}) (*http.Request, error) {
					return http.NewRequestWithContext(ctx, http.MethodPost, "https://"+domain+"/", &gated{content: strings.NewReader(big), open: release})
				},
				want: big,
			},
			{
				name: "a download",
				app: func(w http.ResponseWriter, _ *http.Request, begun func(), release <-chan struct{}) {
					_, _ = io.WriteString(w, big[:1000])
					_ = http.NewResponseController(w).Flush()
					begun()
					<-release
					_, _ = io.WriteString(w, big[1000:])
				},
				want: big,
			},
		} {
			t.Run(test.name+" by "+protocol, func(t *testing.T) {
				t.Parallel()
				d := openDoor(t)
				begun, release := make(chan struct{}), make(chan struct{})
				signal := sync.OnceFunc(func() { close(begun) })
				d.put(t, "blue", "1", startApp(t, "1", func(w http.ResponseWriter, r *http.Request) { test.app(w, r, signal, release) }).Instance)
				d.put(t, "green", "2", startApp(t, "1", says("new")).Instance)
				d.serve(t, "blue")
				client := httpClient(t, d.production, protocol)
				r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+domain+"/", nil)
				if test.request != nil {
					r, err = test.request(t.Context(), release)
				}
				must(t, err)
				answers := make(chan answered, 1)
				go func() {
					a, err := try(client, r)
					if err != nil {
						t.Error(err)
					}
					answers <- a
				}()
				receive(t, "the request", begun)
				switches := make(chan proxy.Switched, 1)
				go func() {
					switched, err := d.SetTraffic(t.Context(), "oms", proxy.Traffic{Stack: "green"})
					if err != nil {
						t.Error(err)
					}
					switches <- switched
				}()
				eventually(t, "the switch", func() bool { return d.Traffic("oms").Stack == "green" })
				if got := get(t, client, "https://"+domain+"/"); got.body != "new" || got.header.Get("Slipway-Release") != "2" {
					t.Errorf("meanwhile the answer was %q of release %q", got.body, got.header.Get("Slipway-Release"))
				}
				select {
				case s := <-switches:
					t.Errorf("the switch did not wait: %+v", s)
				default:
				}
				close(release)
				got := receive(t, "the answer", answers)
				if got.status != http.StatusOK || got.body != test.want || got.header.Get("Slipway-Release") != "1" {
					t.Errorf("status %d, %d bytes (want %d), release %q", got.status, len(got.body), len(test.want), got.header.Get("Slipway-Release"))
				}
				if s := receive(t, "the end of the switch", switches); !s.Drained || s.Old.Stack != "blue" || s.LastOldAnswer.Before(s.At) {
					t.Errorf("%+v", s)
				}
			})
		}
	}
}

// gated is a body of which a part comes at once and the rest when it is opened.
type gated struct {
	content io.Reader
	begun   bool
	open    <-chan struct{}
}

func (g *gated) Read(b []byte) (int, error) {
	if !g.begun {
		g.begun = true
		return g.content.Read(b[:min(len(b), 10_000)])
	}
	<-g.open
	return g.content.Read(b)
}

func TestSwitchGivesUpWaitingAtTheDrainLimitAndTheContext(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		limit time.Duration
		call  time.Duration // limit of the call's context
		want  error
	}{
		{"the drain limit", 20 * time.Millisecond, patience, nil},
		{"the context", patience, 20 * time.Millisecond, context.DeadlineExceeded},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := openDoor(t)
			begun, release := make(chan struct{}), make(chan struct{})
			slow := startApp(t, "1", func(http.ResponseWriter, *http.Request) { close(begun); <-release })
			d.put(t, "blue", "1", slow.Instance)
			must(t, d.PutStack(proxy.Stack{ID: "blue", Slot: "oms", Release: "1", Routes: everything, DrainLimit: test.limit}))
			d.serve(t, "blue")
			client := httpClient(t, d.production, "http/1.1")
			done := make(chan struct{})
			go func() { defer close(done); get(t, client, "https://"+domain+"/") }()
			receive(t, "the request", begun)
			ctx, cancel := context.WithTimeout(t.Context(), test.call)
			defer cancel()
			switched, err := d.SetTraffic(ctx, "oms", proxy.Traffic{})
			if !errors.Is(err, test.want) || switched.Drained || switched.Old.Stack != "blue" || switched.At.IsZero() {
				t.Errorf("%+v, %v", switched, err)
			}
			if d.Traffic("oms").Stack != "" {
				t.Error("it was not switched")
			}
			if n := d.Stats("blue").InFlight; n != 1 {
				t.Errorf("%d in flight", n)
			}
			close(release)
			receive(t, "the answer", done)
		})
	}
}

func TestSwitchingIsIdempotentAndRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	begun, release := make(chan struct{}), make(chan struct{})
	d.put(t, "blue", "1", startApp(t, "1", func(http.ResponseWriter, *http.Request) { close(begun); <-release }).Instance)
	if s := d.serve(t, ""); s.Old.Stack != "" || !s.Drained {
		t.Errorf("from nothing to nothing: %+v", s)
	}
	first := d.serve(t, "blue")
	if first.Old.Stack != "" || first.At.IsZero() {
		t.Errorf("first: %+v", first)
	}
	client := httpClient(t, d.production, "http/1.1")
	done := make(chan struct{})
	go func() { defer close(done); get(t, client, "https://"+domain+"/") }()
	receive(t, "the request", begun)
	if again := d.serve(t, "blue"); again.Old.Stack != "blue" || !again.Drained || !again.At.Equal(first.At) {
		t.Errorf("again: %+v, first %+v", again, first)
	}
	close(release)
	receive(t, "the answer", done)
	must(t, d.PutStack(proxy.Stack{ID: "other", Slot: "crm"}))
	for _, stack := range []string{"unheard", "other"} {
		if _, err := d.SetTraffic(t.Context(), "oms", proxy.Traffic{Stack: stack}); !errors.Is(err, proxy.ErrUnknownStack) {
			t.Errorf("switch to %s: %v", stack, err)
		}
		if err := d.SetPreview("oms", stack); !errors.Is(err, proxy.ErrUnknownStack) {
			t.Errorf("preview of %s: %v", stack, err)
		}
	}
	if err := d.SetInstances("unheard", "api", nil); !errors.Is(err, proxy.ErrUnknownStack) {
		t.Errorf("instances: %v", err)
	}
	if err := d.DeleteStack(t.Context(), "blue"); !errors.Is(err, proxy.ErrStackServes) {
		t.Errorf("delete: %v", err)
	}
	if err := d.PutStack(proxy.Stack{ID: "other", Slot: "oms"}); err == nil {
		t.Error("a stack moved to another slot")
	}
	if err := d.PutStack(proxy.Stack{ID: "bad", Slot: "oms", Routes: []proxy.Route{{PathPrefix: "api", Component: "api"}}}); err == nil {
		t.Error("a route without a slash was taken")
	}
	d.serve(t, "")
	must(t, d.DeleteStack(t.Context(), "blue"))
	must(t, d.DeleteStack(t.Context(), "blue"))
}

func TestBackAndForthDoesNotWaitForTheOtherTurn(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	begun := make(chan struct{})
	gates := map[string]chan struct{}{"/first": make(chan struct{}), "/second": make(chan struct{})}
	d.put(t, "blue", "1", startApp(t, "1", func(_ http.ResponseWriter, r *http.Request) {
		begun <- struct{}{}
		<-gates[r.URL.Path]
	}).Instance)
	d.put(t, "green", "2", startApp(t, "1", says("new")).Instance)
	client := httpClient(t, d.production, "http/1.1")
	var requests sync.WaitGroup
	ask := func(path string) {
		requests.Go(func() { get(t, client, "https://"+domain+path) })
		receive(t, "the request", begun)
	}
	d.serve(t, "blue")
	ask("/first")
	ends := make(chan proxy.Switched, 1)
	go func() {
		switched, err := d.SetTraffic(t.Context(), "oms", proxy.Traffic{Stack: "green"})
		if err != nil {
			t.Error(err)
		}
		ends <- switched
	}()
	eventually(t, "the switch", func() bool { return d.Traffic("oms").Stack == "green" })
	d.serve(t, "blue")
	ask("/second") // belongs to the second turn of blue, which nobody waits for
	close(gates["/first"])
	if s := receive(t, "the end of the first switch", ends); !s.Drained {
		t.Errorf("%+v", s)
	}
	close(gates["/second"])
	requests.Wait()
}

func TestSwitchClosesIdleConnectionsToTheOldStack(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	d.put(t, "blue", "1", startApp(t, "1", says("old")).Instance)
	d.put(t, "green", "2", startApp(t, "1", says("new")).Instance)
	d.serve(t, "blue")
	client := httpClient(t, d.production, "http/1.1")
	get(t, client, "https://"+domain+"/")
	eventually(t, "an idle connection", func() bool { return d.Idle("blue") == 1 })
	d.serve(t, "green")
	if n := d.Idle("blue"); n != 0 {
		t.Errorf("%d idle connections to the old stack", n)
	}
	reused := false
	trace := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { reused = i.Reused }})
	r, err := http.NewRequestWithContext(trace, http.MethodGet, "https://"+domain+"/", nil)
	must(t, err)
	if got := do(t, client, r); got.body != "new" || !reused {
		t.Errorf("got %q, client's connection kept: %t", got.body, reused)
	}
}

func TestPreviewReachesTheCandidateByTheSameRoutes(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	routes := []proxy.Route{{PathPrefix: "/", Component: "api"}, {Host: "console", PathPrefix: "/", Component: "console"}}
	for _, stack := range []string{"blue", "green"} {
		must(t, d.PutStack(proxy.Stack{ID: stack, Slot: "oms", Release: stack, Routes: routes}))
		for _, component := range []string{"api", "console"} {
			must(t, d.SetInstances(stack, component, []proxy.Instance{startApp(t, "1", says(stack+" "+component)).Instance}))
		}
	}
	production, preview := httpClient(t, d.production, "h2"), httpClient(t, d.preview, "h2")
	expect := func(client *http.Client, status int, api, console string) {
		t.Helper()
		for url, want := range map[string]string{"https://" + domain + "/": api, "https://console." + domain + "/": console} {
			got := get(t, client, url)
			if got.status != status || !strings.Contains(got.body, want) {
				t.Errorf("%s: %d %q, want %d %q", url, got.status, got.body, status, want)
			}
			if status != http.StatusOK && got.header.Get("Slipway-Error") != "no-stack" {
				t.Errorf("%s: Slipway-Error %q", url, got.header.Get("Slipway-Error"))
			}
		}
	}
	none := `slot "oms" has no stack at the`
	expect(production, http.StatusServiceUnavailable, none, none)
	expect(preview, http.StatusServiceUnavailable, none, none)
	d.serve(t, "blue")
	expect(production, http.StatusOK, "blue api", "blue console")
	expect(preview, http.StatusServiceUnavailable, none, none)
	must(t, d.SetPreview("oms", "green"))
	expect(production, http.StatusOK, "blue api", "blue console")
	expect(preview, http.StatusOK, "green api", "green console")
	d.serve(t, "green")
	must(t, d.SetPreview("oms", ""))
	expect(production, http.StatusOK, "green api", "green console")
	expect(preview, http.StatusServiceUnavailable, none, none)
	must(t, d.SetPreview("oms", "blue"))
	must(t, d.DeleteStack(t.Context(), "blue"))
	expect(preview, http.StatusServiceUnavailable, none, none)
}
