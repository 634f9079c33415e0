package proxy_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/proxy"
)

func TestAnInstanceThatLeavesIsAwaited(t *testing.T) {
	t.Parallel()
	begun, release := make(chan struct{}), make(chan struct{})
	d := openDoor(t)
	slow := startApp(t, "slow", func(w http.ResponseWriter, _ *http.Request) {
		begun <- struct{}{}
		<-release
	}).Instance
	d.put(t, "blue", "1", slow)
	d.serve(t, "blue")
	client := httpClient(t, d.production, "h2")
	const requests = 3
	answers := make(chan answered, requests)
	for range requests {
		go func() { answers <- get(t, client, "https://"+domain+"/") }()
	}
	for range requests {
		receive(t, "a request", begun)
	}
	if got := d.Concurrency("blue", "api", 0).InFlight; got != requests {
		t.Errorf("%d requests are under way, want %d", got, requests)
	}
	if got := d.Concurrency("blue", "other", 0).InFlight + d.Concurrency("green", "api", 0).InFlight; got != 0 {
		t.Errorf("what is not there answers %d requests", got)
	}

	must(t, d.SetInstances("blue", "api", []proxy.Instance{startApp(t, "next", says("next")).Instance}))
	limited, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := d.AwaitInstance(limited, "blue", "api", slow.ID); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("with requests under way: got %v", err)
	}
	must(t, d.AwaitInstance(t.Context(), "blue", "api", "another"))
	awaited := make(chan error, 1)
	go func() { awaited <- d.AwaitInstance(t.Context(), "blue", "api", slow.ID) }()
	for range requests {
		select {
		case err := <-awaited:
			t.Fatalf("awaited before all was answered: %v", err)
		default:
		}
		release <- struct{}{}
	}
	must(t, receive(t, "the end of the wait", awaited))
	for range requests {
		if got := receive(t, "an answer", answers); got.status != http.StatusOK {
			t.Errorf("got %+v", got)
		}
	}
	eventually(t, "no requests", func() bool { return d.Concurrency("blue", "api", 0).InFlight == 0 })
}

// TestTheTrafficGoesBackWhileItDrains takes it back from a stack although the other one has
// not answered what it was asked yet.
func TestTheTrafficGoesBackWhileItDrains(t *testing.T) {
	t.Parallel()
	begun, release := make(chan struct{}), make(chan struct{})
	d := openDoor(t)
	d.put(t, "blue", "1", startApp(t, "1", func(http.ResponseWriter, *http.Request) {
		begun <- struct{}{}
		<-release
	}).Instance)
	d.put(t, "green", "2", startApp(t, "2", says("2")).Instance)
	d.serve(t, "blue")
	answers := make(chan answered, 1)
	go func() { answers <- get(t, httpClient(t, d.production, "h2"), "https://"+domain+"/") }()
	receive(t, "the request", begun)
	for _, to := range []string{"green", "blue"} {
		_, err := d.Direct("oms", proxy.Traffic{Stack: to})
		must(t, err)
	}
	if got := d.Traffic("oms").Stack; got != "blue" {
		t.Errorf("%q serves, want blue", got)
	}
	if s := d.Stats("blue"); s.InFlight != 1 {
		t.Errorf("got %+v, want the request in flight", s)
	}
	release <- struct{}{}
	if got := receive(t, "the answer", answers); got.status != http.StatusOK {
		t.Errorf("got %+v", got)
	}
}
