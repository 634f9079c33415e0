package proxy

import (
	"sync/atomic"
	"time"
)

// Stats are the figures of a stack since it was put, over both entrances.
type Stats struct {
	InFlight           int64 // ordinary requests that have no complete answer yet
	Streams            int64 // open event streams and WebSockets
	Requests           int64 // all that were sent its way
	ServerErrors       int64 // answers with a status of 500 and up, the proxy's own included
	ConnectionFailures int64 // connections that could not be made, or broke under a request
	LastAnswer         time.Time
}

// Stats returns the figures of a stack, all zero if it is unknown.
func (p *Proxy) Stats(stackID string) Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.stacks[stackID]
	if s == nil {
		return Stats{}
	}
	c := &s.counters
	return Stats{
		InFlight:           c.inFlight.Load(),
		Streams:            s.streams.count(),
		Requests:           c.requests.Load(),
		ServerErrors:       c.serverErrors.Load(),
		ConnectionFailures: c.connectionFailures.Load(),
		LastAnswer:         c.lastAnswer.time(),
	}
}

// counters are what Stats is made of.
type counters struct {
	inFlight           atomic.Int64
	requests           atomic.Int64
	serverErrors       atomic.Int64
	connectionFailures atomic.Int64
	lastAnswer         instant
}

// instant is an atomic point in time.
type instant struct{ nanoseconds atomic.Int64 }

func (i *instant) set(t time.Time) { i.nanoseconds.Store(t.UnixNano()) }

func (i *instant) time() time.Time {
	if n := i.nanoseconds.Load(); n != 0 {
		return time.Unix(0, n)
	}
	return time.Time{}
}
