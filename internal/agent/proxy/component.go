package proxy

import (
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"
)

// component balances the requests of one component over its healthy instances.
type component struct {
	instances atomic.Pointer[[]*instance]
	gauge     *gauge      // of ordinary requests
	left      []*instance // that are out of rotation and may still be answering; Proxy.mu guards it
}

func (c *component) list() []*instance {
	if l := c.instances.Load(); l != nil {
		return *l
	}
	return nil
}

// set replaces the instances, keeping those that stay. Proxy.mu is held.
func (c *component) set(healthy []Instance, inRotation bool) {
	old := c.list()
	var next []*instance
	for _, h := range healthy {
		same := slices.IndexFunc(old, func(i *instance) bool { return i.Instance == h })
		if same >= 0 {
			next = append(next, old[same])
			continue
		}
		made := &instance{Instance: h}
		made.pool.keep(inRotation)
		next = append(next, made)
	}
	c.instances.Store(&next)
	c.left = slices.DeleteFunc(c.left, func(i *instance) bool { return i.busy.Load() == 0 })
	for _, i := range old {
		if !slices.Contains(next, i) {
			i.pool.keep(false)
			c.left = append(c.left, i)
		}
	}
}

// pick returns the instance with the fewest requests, a random one of several; nil when
// all have been tried. It counts the request in; the caller lets it leave. Instances that
// could not be connected to lately come last.
func (c *component) pick(tried []*instance) *instance {
	for {
		now := c.instances.Load()
		best := c.choose(tried)
		if best == nil {
			return nil
		}
		best.enter()
		if c.instances.Load() == now {
			return best
		}
		// It may be out of rotation, and who waits for it may not have counted us.
		best.requests.leave()
		best.busy.Add(-1)
	}
}

func (c *component) choose(tried []*instance) *instance {
	instances := c.list()
	if len(instances) == 0 {
		return nil
	}
	var best *instance
	var least int64
	start, now := rand.IntN(len(instances)), int64(0)
	for n := range instances {
		i := instances[(start+n)%len(instances)]
		if slices.Contains(tried, i) {
			continue
		}
		load := i.busy.Load()
		if until := i.suspectUntil.Load(); until != 0 {
			if now == 0 {
				now = time.Now().UnixNano()
			}
			if now < until {
				load += suspectLoad
			}
		}
		if best == nil || load < least {
			best, least = i, load
		}
	}
	return best
}
