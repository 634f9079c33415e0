//go:build !windows

package platform

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/process"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// probe checks the instance again and again until ctx ends. begun is called after the first
// check. A component without a health check is healthy while it runs.
func (i *instance) probe(ctx context.Context, adopted bool, begun func()) {
	client := newProbeClient()
	defer client.HTTPClient.CloseIdleConnections()
	var rotated time.Time
	for {
		h := i.spec().HealthCheck
		interval := time.Minute
		passed := true
		if h != nil {
			interval = time.Duration(h.IntervalSeconds) * time.Second
			var seen string
			passed, seen = i.check(ctx, client, *h)
			if ctx.Err() != nil {
				return
			}
			i.note(*h, passed, seen, adopted)
		} else {
			i.note(target.HealthCheck{HealthyThreshold: 1, UnhealthyThreshold: 1}, true, "", adopted)
		}
		begun()
		if time.Since(rotated) > 10*time.Second {
			rotated = time.Now()
			i.rotate()
		}
		if !passed && !i.wasHealthy() {
			interval = min(interval, firstProbing)
		}
		t := time.NewTimer(interval)
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
	}
}

// newProbeClient makes a client that asks once, on a connection of its own, and follows no
// redirects.
func newProbeClient() *retryablehttp.Client {
	c := retryablehttp.NewClient()
	c.HTTPClient = &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	c.RetryMax, c.Logger = 0, nil
	c.ErrorHandler = retryablehttp.PassthroughErrorHandler
	return c
}

// check asks the instance once and says in words what was seen.
func (i *instance) check(ctx context.Context, client *retryablehttp.Client, h target.HealthCheck) (bool, string) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(h.TimeoutSeconds)*time.Second)
	defer cancel()
	i.mu.Lock()
	url := "http://127.0.0.1:" + strconv.Itoa(i.port) + h.Path
	i.mu.Unlock()
	r, err := retryablehttp.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false, err.Error()
	}
	r.Header.Set("User-Agent", "slipway-health-check")
	response, err := client.Do(r)
	switch {
	case ctx.Err() != nil:
		return false, fmt.Sprintf("GET %s -> no answer within %d s", h.Path, h.TimeoutSeconds)
	case err != nil:
		return false, fmt.Sprintf("GET %s -> no connection to port %d", h.Path, i.portNow())
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10))
	_ = response.Body.Close()
	return response.StatusCode >= 200 && response.StatusCode < 300, fmt.Sprintf("GET %s -> %d", h.Path, response.StatusCode)
}

func (i *instance) portNow() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.port
}

func (i *instance) wasHealthy() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.healthy
}

// note counts a check. An instance that was found again is healthy after its first pass: it
// was so before.
func (i *instance) note(h target.HealthCheck, passed bool, seen string, adopted bool) {
	i.mu.Lock()
	before := i.healthy
	i.lastProbe = seen
	if passed {
		i.passes++
		i.failures = 0
		if i.since == nil {
			now := i.st.s.e.p.clock.Now()
			i.since = &now
		}
		i.healthy = i.healthy || i.passes >= h.HealthyThreshold || adopted
	} else {
		if i.passes > 0 {
			i.relapse = relapse{i.st.s.e.p.clock.Now(), seen}
		}
		i.passes, i.since = 0, nil
		i.failures++
		i.healthy = i.healthy && i.failures < h.UnhealthyThreshold
	}
	changed := before != i.healthy
	if changed {
		i.usage = usage{} // what it took to start says nothing of its load
	}
	if i.healthy {
		i.ill = nil
	}
	i.fallIll()
	i.mu.Unlock()
	if changed {
		i.st.publish(i.component)
	}
}

// rotate keeps the instance's log from growing without end.
func (i *instance) rotate() {
	path := i.st.s.files.instanceLog(i.st.s.id.Name, i.st.current().SwapID, i.component, i.index)
	if _, err := process.RotateLog(path, logLimit, keptRotated); err != nil {
		i.st.s.e.p.log.Error("a log was not rotated", "instance", i.name(), "error", err)
	}
}
