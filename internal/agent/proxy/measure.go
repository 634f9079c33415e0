package proxy

import (
	"slices"
	"sync"
	"time"

	"github.com/DataDog/sketches-go/ddsketch"
)

// MeasuredTime is how far back Measure can look.
const MeasuredTime = 15 * time.Minute

// latencyAccuracy is the relative error of quantiles.
const latencyAccuracy = 0.01

// Measurement is what a stack answered through the production entrance in a time.
type Measurement struct {
	// Requests counts all whose answer ended in that time, and the streams that began.
	Requests int64
	// Errors counts those that got an answer of 500 or above, the proxy's own included, one
	// that broke off on the instance's side, or none.
	Errors int64
	// P50, P99 and Max are of the time from a request's head to the last byte of its answer,
	// off by 1 percent at most; streams do not count. Of a client that left it is the time
	// until then.
	P50, P99, Max time.Duration
}

// Measure sums up the seconds that overlap with the time between two moments, of which the
// last MeasuredTime are known. It is zero for a stack that is unknown.
func (p *Proxy) Measure(stackID string, from, to time.Time) Measurement {
	p.mu.Lock()
	s := p.stacks[stackID]
	p.mu.Unlock()
	if s == nil {
		return Measurement{}
	}
	return s.meter.sum(p.age(from), p.age(to))
}

// age is the time from the proxy's start to a moment. It goes by the monotonic clock, so that
// a wall clock that was set does not mix up the seconds.
func (p *Proxy) age(t time.Time) time.Duration {
	now := time.Now()
	return now.Sub(p.start) - now.Sub(t)
}

// meter measures a stack, second by second. Requests are recorded in one of several shards,
// of which each collects the second that it is in.
type meter struct {
	shards []meterShard

	mu   sync.Mutex
	past []second // in order; those without requests are left out
}

// second is what was measured in one.
type second struct {
	number           int64 // since the proxy's start
	requests, errors int64
	latencies        []byte // an encoded sketch, of some hundred bytes
}

type meterShard struct {
	mu        sync.Mutex
	second    second
	latencies *ddsketch.DDSketch // of the second
	_         [64]byte           // nobody shares a cache line
}

func newMeter() *meter { return &meter{shards: make([]meterShard, shardCount())} }

// noLatency is that of streams.
const noLatency = time.Duration(-1)

// record takes a request that ended at an age of the proxy.
func (m *meter) record(at, latency time.Duration, failed bool) {
	shard := &m.shards[anyShard(len(m.shards))]
	shard.mu.Lock()
	defer shard.mu.Unlock()
	if number := int64(at / time.Second); shard.second.number != number {
		m.flush(shard)
		shard.second.number = number
	}
	shard.second.requests++
	if failed {
		shard.second.errors++
	}
	if latency == noLatency {
		return
	}
	if shard.latencies == nil {
		shard.latencies = newSketch()
	}
	_ = shard.latencies.Add(float64(latency)) // it takes all that is not negative
}

// flush adds a shard's second to the past. The shard is locked.
func (m *meter) flush(shard *meterShard) {
	if shard.second.requests == 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	n, known := slices.BinarySearchFunc(m.past, shard.second.number, func(s second, number int64) int { return int(s.number - number) })
	if !known {
		m.past = slices.Insert(m.past, n, second{number: shard.second.number})
	}
	into := &m.past[n]
	into.requests += shard.second.requests
	into.errors += shard.second.errors
	if shard.latencies != nil && !shard.latencies.IsEmpty() {
		mergeSketch(shard.latencies, into.latencies)
		into.latencies = into.latencies[:0]
		shard.latencies.Encode(&into.latencies, true)
		into.latencies = slices.Clip(into.latencies)
		shard.latencies.Clear()
	}
	shard.second.requests, shard.second.errors = 0, 0
	newest := m.past[len(m.past)-1].number
	old, _ := slices.BinarySearchFunc(m.past, newest-int64(MeasuredTime/time.Second), func(s second, number int64) int { return int(s.number - number) })
	m.past = slices.Delete(m.past, 0, old)
}

// sum adds up the seconds that overlap with the time between two ages of the proxy.
func (m *meter) sum(from, to time.Duration) Measurement {
	for i := range m.shards {
		shard := &m.shards[i]
		shard.mu.Lock()
		m.flush(shard)
		shard.mu.Unlock()
	}
	var sum Measurement
	all := newSketch()
	m.mu.Lock()
	for _, s := range m.past {
		begin := time.Duration(s.number) * time.Second
		if begin >= to || begin+time.Second <= from {
			continue
		}
		sum.Requests += s.requests
		sum.Errors += s.errors
		mergeSketch(all, s.latencies)
	}
	m.mu.Unlock()
	if values, err := all.GetValuesAtQuantiles([]float64{0.5, 0.99, 1}); err == nil { // else it is empty
		sum.P50, sum.P99, sum.Max = time.Duration(values[0]), time.Duration(values[1]), time.Duration(values[2])
	}
	return sum
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
