package proxy

import (
	"slices"
	"sync"
	"time"
)

// Concurrency is how many requests a component works on, by both entrances.
type Concurrency struct {
	InFlight int64   // ordinary requests, now
	Average  float64 // of InFlight over a time
	// Instances has the requests and streams on each instance, now: the healthy ones, and those
	// that have left and were at work at the last change of them.
	Instances map[string]int64
}

// longestAverage is the longest time over which an average can be told, shortestAverage the
// shortest.
const (
	shortestAverage = time.Second
	longestAverage  = time.Minute
)

// Concurrency returns how many requests a component of a stack works on, with the average over
// the last 1 to 60 seconds. It is zero for what is unknown.
func (p *Proxy) Concurrency(stackID, component string, over time.Duration) Concurrency {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.stacks[stackID]
	if s == nil || s.components[component] == nil {
		return Concurrency{}
	}
	c := s.components[component]
	over = min(max(over, shortestAverage), longestAverage)
	made := Concurrency{Instances: map[string]int64{}}
	made.InFlight, made.Average = c.gauge.read(p.age(time.Now()), over)
	for _, i := range slices.Concat(c.list(), c.left) {
		made.Instances[i.ID] += i.busy.Load()
	}
	return made
}

// gaugeSeconds is how many seconds a gauge remembers: one in progress and one that is cut off
// by the longest average among them.
const gaugeSeconds = int64(longestAverage/time.Second) + 4

// gauge knows how many are inside something, and how many were on average. Each entry and
// each exit is counted in any one of its shards; only their sums mean something.
type gauge struct{ shards []gaugeShard }

type gaugeShard struct {
	mu     sync.Mutex
	inside int64
	at     time.Duration               // up to where it has been summed up
	sums   [gaugeSeconds]time.Duration // inside times time, by second, in a ring
	_      [64]byte                    // nobody shares a cache line
}

func newGauge() *gauge { return &gauge{shards: make([]gaugeShard, shardCount())} }

// add lets some in, or out, at an age of the proxy.
func (g *gauge) add(at time.Duration, n int64) {
	shard := &g.shards[anyShard(len(g.shards))]
	shard.mu.Lock()
	defer shard.mu.Unlock()
	shard.advance(at)
	shard.inside += n
}

// read returns how many are inside, and how many were over a time before an age of the proxy.
func (g *gauge) read(at, over time.Duration) (inside int64, average float64) {
	var sum float64
	for i := range g.shards {
		shard := &g.shards[i]
		shard.mu.Lock()
		shard.advance(at)
		inside += shard.inside
		sum += shard.sum(at-over, at)
		shard.mu.Unlock()
	}
	return inside, max(0, sum/float64(over))
}

// advance sums up until an age of the proxy. The shard is locked.
func (s *gaugeShard) advance(to time.Duration) {
	if oldest := to.Truncate(time.Second) - time.Duration(gaugeSeconds-1)*time.Second; s.at < oldest {
		s.at = oldest
		s.sums[ring(s.at)] = 0
	}
	for s.at < to {
		next := min(to, s.at.Truncate(time.Second)+time.Second)
		s.sums[ring(s.at)] += time.Duration(s.inside) * (next - s.at)
		if ring(next) != ring(s.at) {
			s.sums[ring(next)] = 0
		}
		s.at = next
	}
}

// sum returns the sum between two ages, taking the first second's to be spread evenly. The
// shard is locked and has advanced to the end.
func (s *gaugeShard) sum(from, to time.Duration) float64 {
	from = max(from, 0)
	var sum float64
	for begin := from.Truncate(time.Second); begin < to; begin += time.Second {
		part := float64(s.sums[ring(begin)])
		if begin < from {
			part *= float64(begin+time.Second-from) / float64(time.Second)
		}
		sum += part
	}
	return sum
}

// ring is the place of the second that an age is in.
func ring(at time.Duration) int64 { return int64(at/time.Second) % gaugeSeconds }
