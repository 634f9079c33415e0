package proxy

import (
	"sync"
	"time"
)

// idleAge is how long an unused connection to an instance is kept: less than the 5 seconds
// after which common application servers close it.
const idleAge = 4 * time.Second

// pool holds the idle connections to an instance.
type pool struct {
	mu       sync.Mutex
	open     bool
	idle     []*conn     // the longest unused first
	sweep    *time.Timer // runs dropOld
	sweeping bool        // it has been started
}

// keep says whether connections may be kept; those that are idle now are closed if not.
func (p *pool) keep(open bool) {
	p.mu.Lock()
	p.open = open
	var idle []*conn
	if !open {
		idle, p.idle = p.idle, nil
	}
	p.mu.Unlock()
	// Not under the lock: it takes its time, and requests are still coming back.
	for _, c := range idle {
		_ = c.Close() // nothing is outstanding on it
	}
}

// take returns the connection that was used last, if it is still alive, or nil.
func (p *pool) take() *conn {
	for {
		c := p.pop()
		if c == nil || c.alive() {
			return c
		}
		_ = c.Close() // it is dead
	}
}

func (p *pool) pop() *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.idle)
	if n == 0 {
		return nil
	}
	c := p.idle[n-1]
	if time.Since(c.idleSince) > idleAge {
		p.drop(n) // and the others are older
		return nil
	}
	p.idle[n-1] = nil
	p.idle = p.idle[:n-1]
	return c
}

// put takes back a connection on which nothing is outstanding.
func (p *pool) put(c *conn, now time.Time) {
	c.idleSince, c.used = now, true
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.open {
		_ = c.Close() // nothing is outstanding on it
		return
	}
	p.idle = append(p.idle, c)
	if !p.sweeping {
		p.sweepIn(idleAge)
	}
}

// sweepIn lets dropOld run once. p.mu is held.
func (p *pool) sweepIn(d time.Duration) {
	p.sweeping = true
	if p.sweep == nil {
		p.sweep = time.AfterFunc(d, p.dropOld)
	} else {
		p.sweep.Reset(d)
	}
}

// dropOld closes the connections that have come of age.
func (p *pool) dropOld() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now, old := time.Now(), 0
	for old < len(p.idle) && now.Sub(p.idle[old].idleSince) >= idleAge {
		old++
	}
	p.drop(old)
	p.sweeping = false
	if len(p.idle) > 0 {
		p.sweepIn(idleAge - now.Sub(p.idle[0].idleSince))
	}
}

// drop closes the n connections that were unused for the longest time. p.mu is held.
func (p *pool) drop(n int) {
	for _, c := range p.idle[:n] {
		_ = c.Close() // nothing is outstanding on it
	}
	kept := copy(p.idle, p.idle[n:])
	clear(p.idle[kept:])
	p.idle = p.idle[:kept]
}
