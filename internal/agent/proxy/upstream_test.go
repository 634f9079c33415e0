package proxy_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/proxy"
)

// post sends a request that must not be repeated.
func post(t testing.TB, c *http.Client, url, body string) answered {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	must(t, err)
	return do(t, c, r)
}

func TestARequestThatReachedNobodyGoesToAnotherInstance(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{"a small body": "order", "a long body": pattern(100_000)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := openDoor(t)
			d.put(t, "blue", "1",
				proxy.Instance{ID: "dead", Addr: deadAddress(t)},
				startApp(t, "alive", says("got ")).Instance,
				proxy.Instance{ID: "dead too", Addr: deadAddress(t)})
			d.serve(t, "blue")
			client := httpClient(t, d.production, "http/1.1")
			for range 20 {
				if got := post(t, client, "https://"+domain+"/", body); got.status != http.StatusOK || got.body != "got "+body {
					t.Fatalf("%d, %d bytes", got.status, len(got.body))
				}
			}
			// An instance that could not be connected to is avoided for a while.
			if s := d.Stats("blue"); s.ConnectionFailures == 0 || s.ConnectionFailures > 10 || s.ServerErrors != 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestInstancesThatAreAllDeadAreABadGateway(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	d.put(t, "blue", "1", proxy.Instance{ID: "1", Addr: deadAddress(t)}, proxy.Instance{ID: "2", Addr: deadAddress(t)})
	d.serve(t, "blue")
	got := post(t, httpClient(t, d.production, "h2"), "https://"+domain+"/", "order")
	if got.status != http.StatusBadGateway || got.header.Get("Slipway-Error") != "instance-unreachable" ||
		!strings.Contains(got.body, `component "api" of release 1: none of 2 instances could be connected to`) {
		t.Errorf("%d %v %q", got.status, got.header, got.body)
	}
	if s := d.Stats("blue"); s.ServerErrors != 1 || s.ConnectionFailures != 2 {
		t.Errorf("%+v", s)
	}
}

func TestARequestThatAnInstanceMayHaveSeenIsNeverRepeated(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{"a small body": "order", "a long body": pattern(100_000), "no body": ""} {
		for _, kept := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, kept connection %t", name, kept), func(t *testing.T) {
				t.Parallel()
				var seen atomic.Int64
				drops := func(c net.Conn) {
					r := bufio.NewReader(c)
					for answers := kept; ; answers = false {
						if _, err := http.ReadRequest(r); err != nil {
							return
						}
						seen.Add(1)
						if !answers {
							return
						}
						_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
					}
				}
				d := openDoor(t)
				instances := []proxy.Instance{startRaw(t, "1", drops)}
				d.put(t, "blue", "1", instances...)
				d.serve(t, "blue")
				client := httpClient(t, d.production, "http/1.1")
				if kept {
					get(t, client, "https://"+domain+"/")
					eventually(t, "an idle connection", func() bool { return d.Idle("blue") == 1 })
				} else {
					must(t, d.SetInstances("blue", "api", append(instances, startRaw(t, "2", drops))))
				}
				before := seen.Load()
				got := post(t, client, "https://"+domain+"/", body)
				if got.status != http.StatusBadGateway || got.header.Get("Slipway-Error") != "instance-lost" || got.header.Get("Slipway-Release") != "" {
					t.Errorf("%d %v %q", got.status, got.header, got.body)
				}
				if n := seen.Load() - before; n != 1 {
					t.Errorf("instances saw it %d times", n)
				}
				if s := d.Stats("blue"); s.ServerErrors != 1 || s.ConnectionFailures != 1 {
					t.Errorf("%+v", s)
				}
			})
		}
	}
}

func TestAKeptConnectionThatHasDiedIsNotUsed(t *testing.T) {
	t.Parallel()
	dying := make(chan struct{})
	d := openDoor(t)
	d.put(t, "blue", "1", startRaw(t, "1", func(c net.Conn) {
		request, err := http.ReadRequest(bufio.NewReader(c))
		if err != nil {
			return
		}
		body, _ := io.ReadAll(request.Body)
		_, _ = fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		select { // the test lets it close once the proxy keeps the connection
		case dying <- struct{}{}:
		case <-t.Context().Done():
		}
	}))
	d.serve(t, "blue")
	client := httpClient(t, d.production, "http/1.1")
	for n := range 50 {
		if got := post(t, client, "https://"+domain+"/", "order"); got.status != http.StatusOK || got.body != "order" {
			t.Fatalf("request %d: %d %q", n, got.status, got.body)
		}
		eventually(t, "an idle connection", func() bool { return d.Idle("blue") == 1 })
		receive(t, "the end of the connection", dying)
		eventually(t, "the end of the connection to arrive", func() bool { return d.Idle("blue") == 1 && d.IdleAlive("blue") == 0 })
	}
	if s := d.Stats("blue"); s.ConnectionFailures != 0 {
		t.Errorf("%+v", s)
	}
}

func TestRequestsGoToTheInstanceThatIsLeastBusy(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	busy, release := make(chan string, 1), make(chan struct{})
	instance := func(id string) proxy.Instance {
		return startApp(t, id, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/slow" {
				busy <- id
				<-release
			}
			_, _ = io.WriteString(w, id)
		}).Instance
	}
	d.put(t, "blue", "1", instance("1"), instance("2"), instance("3"))
	d.serve(t, "blue")
	client := httpClient(t, d.production, "h2")
	count := func(n int) map[string]int {
		answers := map[string]int{}
		for range n {
			answers[get(t, client, "https://"+domain+"/").body]++
		}
		return answers
	}
	if got := count(90); len(got) != 3 {
		t.Errorf("idle instances were used like this: %v", got)
	}
	var slow sync.WaitGroup
	slow.Go(func() { get(t, client, "https://"+domain+"/slow") })
	occupied := receive(t, "the slow request", busy)
	if got := count(30); got[occupied] != 0 || len(got) != 2 {
		t.Errorf("with %s busy instances were used like this: %v", occupied, got)
	}
	close(release)
	slow.Wait()
}

func TestAnInstanceThatIsNoLongerHealthyFinishesAndGetsNothingNew(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	begun, release := make(chan struct{}), make(chan struct{})
	sick := startApp(t, "sick", func(w http.ResponseWriter, _ *http.Request) {
		close(begun)
		<-release
		_, _ = io.WriteString(w, "sick")
	})
	d.put(t, "blue", "1", sick.Instance)
	d.serve(t, "blue")
	client := httpClient(t, d.production, "http/1.1")
	last := make(chan answered, 1)
	go func() { last <- get(t, client, "https://"+domain+"/") }()
	receive(t, "the request", begun)
	must(t, d.SetInstances("blue", "api", []proxy.Instance{startApp(t, "well", says("well")).Instance}))
	for range 10 {
		if got := get(t, client, "https://"+domain+"/"); got.body != "well" {
			t.Errorf("got %q", got.body)
		}
	}
	close(release)
	if got := receive(t, "the answer", last); got.body != "sick" {
		t.Errorf("got %q", got.body)
	}
	must(t, d.SetInstances("blue", "api", nil))
	if got := get(t, client, "https://"+domain+"/"); got.status != http.StatusServiceUnavailable || got.header.Get("Slipway-Error") != "no-instance" {
		t.Errorf("%d %v", got.status, got.header)
	}
}

func TestKillingInstancesUnderLoadLosesAtMostWhatTheyHad(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	survivor := startApp(t, "survivor", says("1"))
	victim := startApp(t, "victim", says("1"))
	d.put(t, "blue", "1", survivor.Instance, victim.Instance)
	d.serve(t, "blue")
	const clients = 20
	client := httpClient(t, d.production, "h2")
	var answers, lost atomic.Int64
	var stop atomic.Bool
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for !stop.Load() {
				switch got := post(t, client, "https://"+domain+"/", "order"); {
				case got.status == http.StatusOK:
					answers.Add(1)
				case got.header.Get("Slipway-Error") == "instance-lost":
					lost.Add(1)
				default:
					t.Errorf("%d %q", got.status, got.body)
				}
			}
		})
	}
	eventually(t, "answers", func() bool { return answers.Load() > 200 })
	victim.stop()
	before := answers.Load()
	eventually(t, "more answers", func() bool { return answers.Load() > before+500 })
	stop.Store(true)
	all.Wait()
	// The instance closes its connections one by one: a client may meet two of them.
	if n := lost.Load(); n > 2*clients {
		t.Errorf("%d requests were lost", n)
	}
}
