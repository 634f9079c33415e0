package proxy

import (
	"cmp"
	"crypto/subtle"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/DataDog/sketches-go/ddsketch"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// MeasuredTime is how far back Measure can look.
const MeasuredTime = 15 * time.Minute

// grain is how finely it can look: a meter counts in buckets of it.
const grain = 250 * time.Millisecond

// slack is how far the clocks of who measures and of the proxy may be apart: who measures on
// from the To of a measurement has to meet the same bucket.
const slack = time.Millisecond

// latencyAccuracy is the relative error of quantiles.
const latencyAccuracy = 0.01

// Measurement is what a stack answered through the production entrance in a time.
type Measurement struct {
	// From and To are what is covered of the time that was asked for.
	From, To time.Time
	// Requests counts all whose answer ended in that time, and the streams that began.
	Requests int64
	// Errors counts those that got an answer of 500 or above, the proxy's own included, one
	// that broke off on the instance's side, or none.
	Errors int64
	// P50, P99 and Max are of the time from a request's head to the last byte of its answer,
	// off by 1 percent at most; streams do not count. Of a client that left it is the time
	// until then.
	P50, P99, Max time.Duration
	// Waiting counts those that are in progress and have waited a second and longer for their
	// answer to begin, not counting what their client takes for their bodies. No request counts
	// in it that asks for a stream. Their ages so far count in P50, P99 and Max. It is told by
	// measurements up to now only.
	Waiting int64
	// Unanswered counts those of Waiting that have waited for [target.UnansweredAfter] and
	// longer, and those whose client left without any answer after that time.
	Unanswered int64
}

// Measure sums up what was answered between two moments, of which the last MeasuredTime are
// known, in whole buckets of a quarter of a second: one that began before the first moment, or
// ends after the second one, is left out. [Proxy.SetTraffic] begins a new bucket, so that what
// each side answers with its new share can be told from what it answered before. Who goes on
// from the To of a measurement misses nothing. It is zero for a stack that is unknown.
func (p *Proxy) Measure(stackID string, from, to time.Time) Measurement {
	p.mu.Lock()
	s := p.stacks[stackID]
	p.mu.Unlock()
	if s == nil {
		return Measurement{}
	}
	until, now := p.age(to), time.Since(p.start)
	var waiting []wait
	if now-until < grain {
		waiting = s.meter.waiters.long(now)
	}
	m, begin, end := s.meter.sum(p.age(from), until, waiting...)
	m.To = to.Add(end - p.age(to))
	m.From = m.To.Add(begin - end)
	return m
}

// MarkProbe marks a request to this proxy as a probe of our own, which Measure does not count.
func (p *Proxy) MarkProbe(r *http.Request) { r.Header.Set(probeHeader, p.probe) }

func (p *Proxy) isProbe(r *http.Request) bool {
	return subtle.ConstantTimeCompare([]byte(r.Header.Get(probeHeader)), []byte(p.probe)) == 1
}

// age is the time from the proxy's start to a moment. It goes by the monotonic clock, so that
// a wall clock that was set does not mix up the seconds.
func (p *Proxy) age(t time.Time) time.Duration {
	now := time.Now()
	return now.Sub(p.start) - now.Sub(t)
}

// meter measures a stack, bucket by bucket. Requests are recorded in one of several shards,
// of which each collects the bucket that it is in.
type meter struct {
	shards  []meterShard
	waiters waiters
	cut     atomic.Int64 // the age of the proxy at which a bucket was begun last before its time

	mu   sync.Mutex
	past []bucket // in order; those without requests are left out
}

// bucket is what was measured in a grain, or in a part of it where it was cut.
type bucket struct {
	begin                        time.Duration // since the proxy's start
	requests, errors, unanswered int64
	latencies                    []byte // an encoded sketch, of some hundred bytes
}

type meterShard struct {
	mu        sync.Mutex
	bucket    bucket
	latencies *ddsketch.DDSketch // of the bucket
	_         [64]byte           // nobody shares a cache line
}

func newMeter() *meter {
	return &meter{shards: make([]meterShard, shardCount()), waiters: newWaiters()}
}

// outcome is how a request ended.
type outcome int

const (
	served     outcome = iota
	failed             // with an error of the server, half an answer, or none
	unanswered         // its client left after it had waited in vain for long
)

// noLatency is that of streams.
const noLatency = time.Duration(-1)

// begin begins a new bucket at an age of the proxy.
func (m *meter) begin(at time.Duration) { m.cut.Store(int64(at)) }

// bucketOf is when the bucket of an age of the proxy began.
func (m *meter) bucketOf(at time.Duration) time.Duration {
	begin := at.Truncate(grain)
	if cut := time.Duration(m.cut.Load()); cut <= at {
		return max(begin, cut)
	}
	return begin
}

// record takes a request that ended at an age of the proxy.
func (m *meter) record(at, latency time.Duration, how outcome) {
	shard := &m.shards[anyShard(len(m.shards))]
	shard.mu.Lock()
	defer shard.mu.Unlock()
	if begin := m.bucketOf(at); shard.bucket.begin != begin {
		m.flush(shard)
		shard.bucket.begin = begin
	}
	shard.bucket.requests++
	switch how {
	case failed:
		shard.bucket.errors++
	case unanswered:
		shard.bucket.unanswered++
	}
	if latency == noLatency {
		return
	}
	if shard.latencies == nil {
		shard.latencies = newSketch()
	}
	_ = shard.latencies.Add(float64(latency)) // it takes all that is not negative
}

// search finds the bucket that began at an age of the proxy, or the place for it.
func (m *meter) search(begin time.Duration) (n int, known bool) {
	return slices.BinarySearchFunc(m.past, begin, func(b bucket, begin time.Duration) int { return cmp.Compare(b.begin, begin) })
}

// flush adds a shard's bucket to the past. The shard is locked.
func (m *meter) flush(shard *meterShard) {
	if shard.bucket.requests == 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	n, known := m.search(shard.bucket.begin)
	if !known {
		m.past = slices.Insert(m.past, n, bucket{begin: shard.bucket.begin})
	}
	into := &m.past[n]
	into.requests += shard.bucket.requests
	into.errors += shard.bucket.errors
	into.unanswered += shard.bucket.unanswered
	if shard.latencies != nil && !shard.latencies.IsEmpty() {
		mergeSketch(shard.latencies, into.latencies)
		into.latencies = into.latencies[:0]
		shard.latencies.Encode(&into.latencies, true)
		into.latencies = slices.Clip(into.latencies)
		shard.latencies.Clear()
	}
	shard.bucket.requests, shard.bucket.errors, shard.bucket.unanswered = 0, 0, 0
	old, _ := m.search(m.past[len(m.past)-1].begin - MeasuredTime)
	m.past = slices.Delete(m.past, 0, old)
}

// sum adds up the whole buckets between two ages of the proxy, and those that wait at the
// second one, and says what the buckets cover.
func (m *meter) sum(from, to time.Duration, waiting ...wait) (sum Measurement, begin, end time.Duration) {
	begin, end = m.cover(from, to)
	for i := range m.shards {
		shard := &m.shards[i]
		shard.mu.Lock()
		m.flush(shard)
		shard.mu.Unlock()
	}
	all := newSketch()
	m.mu.Lock()
	first, _ := m.search(begin)
	for _, b := range m.past[first:] {
		if b.begin.Truncate(grain) >= end {
			break
		}
		sum.Requests += b.requests
		sum.Errors += b.errors
		sum.Unanswered += b.unanswered
		mergeSketch(all, b.latencies)
	}
	m.mu.Unlock()
	for _, one := range waiting {
		sum.Waiting++
		if one.waited >= target.UnansweredAfter {
			sum.Unanswered++
		}
		_ = all.Add(float64(one.age)) // it takes all that is not negative
	}
	if values, err := all.GetValuesAtQuantiles([]float64{0.5, 0.99, 1}); err == nil { // else it is empty
		sum.P50, sum.P99, sum.Max = time.Duration(values[0]), time.Duration(values[1]), time.Duration(values[2])
	}
	return sum, begin, end
}

// cover is the part of a time that whole buckets cover: none where it is too short.
func (m *meter) cover(from, to time.Duration) (begin, end time.Duration) {
	from -= slack
	begin, end = from.Truncate(grain), to.Truncate(grain)
	if begin < from {
		begin += grain
	}
	if cut := time.Duration(m.cut.Load()); from <= cut && cut < begin {
		begin = cut
	}
	return min(begin, end), end
}

func newSketch() *ddsketch.DDSketch {
	made, err := ddsketch.NewDefaultDDSketch(latencyAccuracy)
	if err != nil {
		panic(err) // the accuracy is between 0 and 1
	}
	return made
}

// mergeSketch adds an encoded sketch, which may be empty, to another one.
func mergeSketch(into *ddsketch.DDSketch, encoded []byte) {
	if err := into.DecodeAndMergeWith(encoded); err != nil {
		panic(err) // we have encoded it
	}
}
