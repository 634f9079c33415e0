package proxy

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// waitingAfter is how long a request waits for its answer before it counts as waiting.
const waitingAfter = time.Second

// waiters are the requests to a stack whose answer has not begun. Each is in one of several
// shards, so that those that come and go at a time do not meet.
type waiters struct{ shards []waiterShard }

type waiterShard struct {
	mu  sync.Mutex
	all []*waiter
	_   [64]byte // nobody shares a cache line
}

// waiter is one request whose answer has not begun. Nil is one that nobody looks at.
type waiter struct {
	start time.Time     // of the proxy
	began time.Duration // since the start: when the head had been read
	// since is from when on, after the start, the request has waited for the instance; 0 while
	// it is the client that the next piece of the body is waited for.
	since atomic.Int64

	shard *waiterShard
	place int // in the shard, which guards it
}

// wait is how long a request has waited for its answer, and how old it is.
type wait struct{ waited, age time.Duration }

func newWaiters() waiters { return waiters{make([]waiterShard, shardCount())} }

// add adds a request that began at a moment and waits from now on.
func (w *waiters) add(start, began time.Time) *waiter {
	made := &waiter{start: start, began: began.Sub(start), shard: &w.shards[anyShard(len(w.shards))]}
	made.resume()
	made.shard.mu.Lock()
	defer made.shard.mu.Unlock()
	made.place = len(made.shard.all)
	made.shard.all = append(made.shard.all, made)
	return made
}

// pause stops the wait: it is the client's turn. Only one goroutine at a time calls it and resume.
func (w *waiter) pause() {
	if w != nil {
		w.since.Store(0)
	}
}

// resume begins the wait anew: the instance has all that the client has given.
func (w *waiter) resume() {
	if w != nil {
		w.since.Store(int64(time.Since(w.start)))
	}
}

// remove ends the wait and says how long it took.
func (w *waiter) remove() (waited time.Duration) {
	if w == nil {
		return 0
	}
	w.shard.mu.Lock()
	defer w.shard.mu.Unlock()
	last := len(w.shard.all) - 1
	moved := w.shard.all[last]
	w.shard.all[w.place], moved.place = moved, w.place
	w.shard.all[last] = nil
	w.shard.all = w.shard.all[:last]
	return w.at(time.Since(w.start)).waited
}

// at is the wait as it stands at an age of the proxy.
func (w *waiter) at(now time.Duration) wait {
	made := wait{age: now - w.began}
	if since := w.since.Load(); since != 0 {
		made.waited = now - time.Duration(since)
	}
	return made
}

// long returns the waits that are long enough to count at an age of the proxy.
func (w *waiters) long(now time.Duration) []wait {
	var out []wait
	for i := range w.shards {
		shard := &w.shards[i]
		shard.mu.Lock()
		for _, one := range shard.all {
			if at := one.at(now); at.waited >= waitingAfter {
				out = append(out, at)
			}
		}
		shard.mu.Unlock()
	}
	return out
}

// await counts the request as one that waits, if it is measured. What asks for a stream may be
// answered when there is something to tell.
func (x *exchange) await() {
	m := x.entry.turn.meter
	if m == nil || x.probe || wantsUpgrade(x.r) || wantsEvents(x.r) {
		return
	}
	x.waiter = m.waiters.add(x.proxy.start, x.began)
}

// awaited ends the wait, and reports whether there was one that counts as unanswered if it
// ended without an answer.
func (x *exchange) awaited() (long bool) {
	waited := x.waiter.remove()
	x.waiter = nil
	return waited >= target.UnansweredAfter
}

// wantsEvents reports whether a request asks for an event stream.
func wantsEvents(r *http.Request) bool {
	for _, accepted := range r.Header["Accept"] {
		if strings.Contains(strings.ToLower(accepted), eventStream) {
			return true
		}
	}
	return false
}
