//go:build linux

package acceptance

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestAccLocalScalingFollowsTheLoad has instances come within seconds under load and go
// slowly after it, without a failed request and without a diff.
func TestAccLocalScalingFollowsTheLoad(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	config := m.base(nil) + slot("1", attrs{"components": "{ api = " + component("ok", attrs{
		"scaling": "{ min = 1, max = 3, target_concurrent_requests = 4 }",
	}) + " }"})
	m.apply(config)
	running := func(want int, limit time.Duration) time.Duration {
		t.Helper()
		began := time.Now()
		m.eventually(limit, fmt.Sprintf("%d healthy instances", want), func() (string, bool) {
			st := m.observe().Stacks["blue"]
			healthy := 0
			for _, i := range st.Instances {
				if i.Healthy {
					healthy++
				}
			}
			return fmt.Sprintf("%d of %v", healthy, st.Scale), healthy == want && len(st.Instances) == want && len(m.instances("1")) == want
		})
		return time.Since(began)
	}
	running(1, 10*time.Second)

	busy, calm := context.WithCancel(t.Context())
	defer calm()
	quiet, end := context.WithCancel(t.Context())
	defer end()
	var all sync.WaitGroup
	var answered atomic.Int64
	work := func(ctx context.Context, c *http.Client) {
		all.Go(func() {
			for ctx.Err() == nil {
				a, err := ask(t.Context(), c, http.MethodGet, m.url("", "/slow?milliseconds=100"))
				if err != nil || a.status != http.StatusOK {
					t.Errorf("got %+v, %v", a, err)
					return
				}
				answered.Add(1)
			}
		})
	}
	clients := m.clients(12)
	work(quiet, clients[0])
	for _, c := range clients[1:] {
		work(busy, c)
	}
	up := running(3, 30*time.Second)
	m.emptyPlan("with more instances than at the apply")

	calm()
	down := running(1, 4*time.Minute)
	end()
	all.Wait()
	t.Logf("to three instances within %s, back to one %s after the load; %d answers", up.Round(100*time.Millisecond), down.Round(time.Second), answered.Load())
	m.destroy()
}
