package proxy

import (
	"context"
	"sync"
	"sync/atomic"
)

// crowd counts what is inside something and lets others wait until it is empty.
type crowd struct {
	inside  atomic.Int64
	awaited atomic.Bool // somebody has waited; only then does leave take the lock

	mu    sync.Mutex
	empty chan struct{} // closed when the last one leaves; nil when nobody waits
}

func (c *crowd) enter() { c.inside.Add(1) }

func (c *crowd) leave() {
	if c.inside.Add(-1) > 0 || !c.awaited.Load() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.empty != nil {
		close(c.empty)
		c.empty = nil
	}
}

// wait returns nil once nothing is inside, or the context's error.
func (c *crowd) wait(ctx context.Context) error {
	for {
		c.mu.Lock()
		if c.empty == nil {
			c.empty = make(chan struct{})
		}
		empty := c.empty
		c.mu.Unlock()
		// Announced before counted: a leave that this count does not see sees the announcement.
		c.awaited.Store(true)
		if c.inside.Load() == 0 {
			return nil
		}
		select {
		case <-empty:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
