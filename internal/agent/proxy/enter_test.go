package proxy

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// A request that a drain has not seen would be here after its stack's turn was declared
// drained. Only the front of the proxy takes part, so that it happens very often, and a long
// list of routes makes the time between finding a stack and registering with it long. (With
// the second look at the table removed from enter, this fails each time.)
func TestADrainSeesEveryRequestThatEntered(t *testing.T) {
	t.Parallel()
	p := New("eu.localhost", slog.New(slog.DiscardHandler))
	routes := []Route{{PathPrefix: "/", Component: "api"}}
	for n := range 1000 {
		routes = append(routes, Route{Host: fmt.Sprint(n), PathPrefix: "/", Component: "api"})
	}
	for _, color := range []string{"blue", "green"} {
		err := p.PutStack(Stack{ID: color, Slot: "oms", Release: color, Routes: routes})
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := p.SetTraffic(t.Context(), "oms", Traffic{Stack: "blue"}); err != nil {
		t.Fatal(err)
	}
	var drained sync.Map // of *turn
	var stop atomic.Bool
	var requests sync.WaitGroup
	for range 2 {
		requests.Go(func() {
			r := &http.Request{Host: "eu.localhost", URL: &url.URL{Path: "/"}}
			for !stop.Load() {
				e, _, refused := p.enter(Production, r)
				if refused != nil {
					t.Errorf("refused: %+v", refused)
					return
				}
				for range 3 {
					if _, late := drained.Load(e.turn); late {
						t.Error("a request is on a stack that has been drained")
						stop.Store(true)
					}
					runtime.Gosched()
				}
				e.turn.requests.leave()
			}
		})
	}
	colors := []string{"green", "blue"}
	for n := range 50 {
		old := p.slots["oms"].reach[Production].main
		switched, err := p.SetTraffic(t.Context(), "oms", Traffic{Stack: colors[n%2]})
		if err != nil || !switched.Drained {
			t.Errorf("%+v, %v", switched, err)
		}
		drained.Store(old, true)
		if stop.Load() {
			break
		}
	}
	stop.Store(true)
	requests.Wait()
}

func TestWhatHasNoRouteIsUnavailableWhileRoutesAreUnknown(t *testing.T) {
	t.Parallel()
	p := New("eu.localhost", slog.New(slog.DiscardHandler))
	r := &http.Request{Host: "eu.localhost", URL: &url.URL{Path: "/"}}
	for _, lack := range []bool{false, true, false} {
		p.LackRoutes(lack)
		want := http.StatusNotFound
		if lack {
			want = http.StatusServiceUnavailable
		}
		if _, _, refused := p.enter(Production, r); refused == nil || refused.status != want {
			t.Errorf("lacking routes is %t: got %+v, want %d", lack, refused, want)
		}
	}
}
