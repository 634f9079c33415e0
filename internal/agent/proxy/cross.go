package proxy

import (
	"net/http"
	"time"
)

// cross brings a request that none of its side's instances could take, of which so many were
// tried, to the other side of the split, if that has a healthy one. The side that should have
// served it has failed; its client stays where its cookie says.
func (x *exchange) cross(tried int) bool {
	if x.crossed || x.entry.split == nil {
		return false
	}
	beside := x.proxy.enterBeside(x.entrance, x.r, x.stack)
	if beside == nil {
		return false
	}
	if tried == 0 {
		x.stack.counters.connectionFailures.Add(1)
	}
	x.proxy.log.Debug("cross over", "stack", x.stack.ID, "component", x.entry.component, "tried", tried, "to", beside.turn.stack.ID)
	now := time.Now()
	x.crossed, x.broken, x.ended = true, true, now
	x.part()
	x.broken, x.ended = false, time.Time{}
	x.join(beside, now)
	x.await()
	return true
}

// enterBeside finds a way for a request that does not lead to a stack but to a healthy
// instance, nil for none, and counts it in as [Proxy.enter] does.
func (p *Proxy) enterBeside(e Entrance, r *http.Request, avoid *stack) *entry {
	n, _ := parseName(r.Host, p.domain) // it has been read before
	for {
		now := p.table.Load()
		var beside *entry
		found, other := now.find(e, n, r.URL.Path)
		for _, way := range []*entry{found, other} {
			if way != nil && way.turn != nil && way.turn.stack != avoid && len(way.instances.list()) > 0 {
				beside = way
			}
		}
		if beside == nil {
			return nil
		}
		beside.turn.requests.enter()
		if p.table.Load() == now {
			return beside
		}
		beside.turn.requests.leave() // the table was swapped meanwhile, as in enter
	}
}
