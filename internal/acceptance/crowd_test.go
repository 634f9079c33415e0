//go:build linux

package acceptance

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// crowd is many clients that ask at a steady rate and remember each answer.
type crowd struct {
	m       *machine
	end     context.CancelFunc
	clients sync.WaitGroup

	mu   sync.Mutex
	seen []sighting
}

// sighting is what one request got: an error where the answer was not as it should be.
type sighting struct {
	began, ended time.Time
	release      string
	err          error
}

// startCrowd begins to ask over some connections, as often a second in all as the machine
// gives, at most perSecond.
func (m *machine) startCrowd(connections, perSecond int) *crowd {
	m.Helper()
	ctx, end := context.WithCancel(context.WithoutCancel(m.Context()))
	c := &crowd{m: m, end: end}
	rest := time.Duration(connections) * time.Second / time.Duration(perSecond)
	for _, client := range m.clients(connections) {
		c.clients.Go(func() { c.work(ctx, client, rest) })
	}
	m.Cleanup(c.stop)
	return c
}

func (c *crowd) work(ctx context.Context, client *http.Client, rest time.Duration) {
	ticker := time.NewTicker(rest)
	defer ticker.Stop()
	url := c.m.url("", "/")
	for {
		s := sighting{began: time.Now()}
		a, err := ask(context.WithoutCancel(ctx), client, http.MethodGet, url)
		if s.ended, s.release = time.Now(), a.release; err == nil && (a.status != http.StatusOK || a.release != a.body) {
			err = fmt.Errorf("got %+v", a)
		}
		s.err = err
		c.mu.Lock()
		c.seen = append(c.seen, s)
		c.mu.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// stop ends the clients after their last request.
func (c *crowd) stop() {
	c.end()
	c.clients.Wait()
}

// since are the answers to what was asked from a moment on.
func (c *crowd) since(from time.Time) []sighting {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []sighting
	for _, s := range c.seen {
		if !s.began.Before(from) {
			out = append(out, s)
		}
	}
	return out
}

// flawless ends the test if a request was not answered as it should be.
func (c *crowd) flawless(from time.Time) {
	c.m.Helper()
	if t := sum(c.since(from)); t.failed > 0 || t.asked == 0 {
		c.m.Errorf("%d of %d requests failed, the first with %v", t.failed, t.asked, t.firstError)
	}
}

// total sums up answers.
type total struct {
	asked, failed int
	firstError    error
	// firstFailed and lastFailed are when the first and the last failure was seen, last when
	// a release was last asked something, by when it began.
	firstFailed, lastFailed time.Time
	last                    map[string]time.Time
	releases                map[string]int
}

func sum(all []sighting) total {
	t := total{last: map[string]time.Time{}, releases: map[string]int{}}
	for _, s := range all {
		t.asked++
		t.releases[s.release]++
		if s.began.After(t.last[s.release]) {
			t.last[s.release] = s.began
		}
		if s.err == nil {
			continue
		}
		t.failed++
		if t.firstFailed.IsZero() || s.ended.Before(t.firstFailed) {
			t.firstFailed, t.firstError = s.ended, s.err
		}
		if s.ended.After(t.lastFailed) {
			t.lastFailed = s.ended
		}
	}
	return t
}
