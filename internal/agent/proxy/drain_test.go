package proxy_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/proxy"
)

// upgrade is what happens to an environment when the agent's binary is replaced: two
// proxies on one listening socket, of which the old one drains.
type upgrade struct {
	old, next *proxy.Proxy
	address   string
	oldServed chan error
}

func startUpgrade(t *testing.T, release string, instances ...proxy.Instance) *upgrade {
	t.Helper()
	first := listen(t).(*net.TCPListener)
	file, err := first.File()
	must(t, err)
	second, err := net.FileListener(file)
	must(t, err)
	must(t, file.Close())
	u := &upgrade{address: first.Addr().String(), oldServed: make(chan error, 1)}
	start := func(l net.Listener, served chan error) *proxy.Proxy {
		p := proxy.New(domain, quiet())
		must(t, p.PutStack(proxy.Stack{ID: "blue", Slot: "oms", Release: release, Routes: everything}))
		must(t, p.SetInstances("blue", "api", instances))
		_, err := p.SetTraffic(t.Context(), "oms", proxy.Traffic{Stack: "blue"})
		must(t, err)
		settings := serverTLS(t)
		go func() { served <- p.Serve(proxy.Production, l, settings) }()
		return p
	}
	nextServed := make(chan error, 1)
	u.old, u.next = start(first, u.oldServed), start(second, nextServed)
	t.Cleanup(func() {
		if err := errors.Join(u.next.Close(), receive(t, "the end of Serve", nextServed)); err != nil {
			t.Error(err)
		}
	})
	return u
}

func TestAnUpgradeUnderLoadLosesNothing(t *testing.T) {
	t.Parallel()
	u := startUpgrade(t, "1", startApp(t, "1", says("1")).Instance, startApp(t, "2", says("1")).Instance)
	l := startLoad(t, u.address, 50)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := u.old.Drain(ctx); err != nil {
		t.Errorf("drain: %v", err)
	}
	if err := receive(t, "the end of Serve", u.oldServed); err != nil {
		t.Errorf("serve: %v", err)
	}
	before := u.old.Stats("blue").Requests
	l.progress(t, 500)
	if answers, failures := l.stop(); failures != 0 {
		t.Errorf("%d of %d requests failed", failures, answers+failures)
	}
	if after := u.old.Stats("blue").Requests; after != before || u.next.Stats("blue").Requests < 500 {
		t.Errorf("the old proxy got %d requests after its drain, the next %d", after-before, u.next.Stats("blue").Requests)
	}
}

func TestAnUpgradeUnderHTTP2LoadLosesNothing(t *testing.T) {
	t.Parallel()
	u := startUpgrade(t, "1", startApp(t, "1", says("1")).Instance)
	var answers atomic.Int64
	var stop atomic.Bool
	var all sync.WaitGroup
	for range 5 {
		client := httpClient(t, u.address, "h2")
		for range 4 {
			all.Go(func() {
				for !stop.Load() {
					r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+domain+"/", strings.NewReader("x"))
					if err != nil {
						t.Error(err)
						return
					}
					if got, err := try(client, r); err != nil || got.body != "1x" {
						t.Errorf("%d %q, %v", got.status, got.body, err)
						return
					}
					answers.Add(1)
				}
			})
		}
	}
	eventually(t, "answers", func() bool { return answers.Load() > 100 })
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := u.old.Drain(ctx); err != nil {
		t.Errorf("drain: %v", err)
	}
	before := answers.Load()
	eventually(t, "more answers", func() bool { return answers.Load() > before+100 || t.Failed() })
	stop.Store(true)
	all.Wait()
}

func TestDrainWaitsForRequestsThatAreUnderWay(t *testing.T) {
	t.Parallel()
	for _, protocol := range []string{"http/1.1", "h2"} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			begun, release := make(chan struct{}), make(chan struct{})
			d := openDoor(t)
			d.put(t, "blue", "1", startApp(t, "1", func(w http.ResponseWriter, _ *http.Request) {
				close(begun)
				<-release
				_, _ = io.WriteString(w, "done")
			}).Instance)
			d.serve(t, "blue")
			client := httpClient(t, d.production, protocol)
			answers := make(chan answered, 1)
			go func() { answers <- get(t, client, "https://"+domain+"/") }()
			receive(t, "the request", begun)
			drained := make(chan error, 1)
			go func() { drained <- d.Drain(t.Context()) }()
			eventually(t, "nobody to listen", func() bool {
				c, err := net.Dial("tcp", d.production)
				if err != nil {
					return true
				}
				return c.Close() != nil
			})
			select {
			case err := <-drained:
				t.Errorf("it did not wait: %v", err)
			default:
			}
			close(release)
			if got := receive(t, "the answer", answers); got.body != "done" {
				t.Errorf("%d %q", got.status, got.body)
			}
			if err := receive(t, "the end of the drain", drained); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestDrainCutsWhatIsLeftWhenItsTimeIsUp(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	d.put(t, "blue", "1", startApp(t, "1", func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/socket":
			echoSocket(w, r)
		case "/stream":
			streamApp("text/event-stream", nil)(w, r)
		}
	}).Instance)
	d.serve(t, "blue")
	get(t, httpClient(t, d.production, "h2"), "https://"+domain+"/") // leaves an idle connection
	socket, _, err := websocket.Dial(t.Context(), "wss://"+domain+"/socket", &websocket.DialOptions{HTTPClient: httpClient(t, d.production, "http/1.1")})
	must(t, err)
	defer socket.CloseNow()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+domain+"/stream", nil)
	must(t, err)
	stream, err := httpClient(t, d.production, "http/1.1").Do(r)
	must(t, err)
	defer stream.Body.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err = d.Drain(ctx)
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "cut off 2 connections and 1 WebSockets") {
		t.Errorf("drain: %v", err)
	}
	if _, _, err := socket.Read(t.Context()); err == nil {
		t.Error("a WebSocket outlived the drain")
	}
	_, _ = io.ReadAll(stream.Body) // ends
	if err := d.Serve(proxy.Production, listen(t), serverTLS(t)); !errors.Is(err, proxy.ErrClosed) {
		t.Errorf("serve again: %v", err)
	}
}
