package proxy

import (
	"context"
	"sync/atomic"
	"time"
)

const (
	// suspectTime is how long an instance that could not be connected to is avoided, and
	// suspectLoad how busy it seems meanwhile.
	suspectTime = time.Second
	suspectLoad = 1 << 32
)

// Instance is a process of a component that speaks HTTP/1.1 at an address "127.0.0.1:port".
type Instance struct{ ID, Addr string }

// instance is the proxy's side of an Instance.
type instance struct {
	Instance
	busy         atomic.Int64 // requests and streams that are on it
	requests     crowd        // the ordinary ones
	suspectUntil atomic.Int64 // Unix nanoseconds, 0 for never
	pool         pool
}

// connect returns a connection from the pool that is known to live, or a new one.
func (i *instance) connect(ctx context.Context) (*conn, error) {
	if c := i.pool.take(); c != nil {
		return c, nil
	}
	c, err := dial(ctx, i.Addr)
	if err == nil && i.suspectUntil.Load() != 0 {
		i.suspectUntil.Store(0)
	}
	return c, err
}

// suspect has other instances preferred for a while.
func (i *instance) suspect() {
	i.suspectUntil.Store(time.Now().Add(suspectTime).UnixNano())
}

// enter counts a request in, exit one that did not get as far as being sent.
func (i *instance) enter() {
	i.busy.Add(1)
	i.requests.enter()
}

func (i *instance) exit() {
	i.requests.leave()
	i.busy.Add(-1)
}
