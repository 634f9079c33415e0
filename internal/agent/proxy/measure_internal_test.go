package proxy

import (
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// A meter agrees with a plain list of all requests, whatever their order, over any time that
// it still knows.
func TestAMeterAgreesWithAList(t *testing.T) {
	t.Parallel()
	type request struct {
		at, latency, bucket time.Duration
		failed              bool
	}
	rapid.Check(t, func(t *rapid.T) {
		m := newMeter()
		var all []request
		at := time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "start"))
		cut := time.Duration(0)
		for range rapid.IntRange(0, 200).Draw(t, "requests") {
			// Requests that end at the same time are recorded in any order.
			at += time.Duration(rapid.Int64Range(-int64(50*time.Millisecond), int64(3*time.Second)).Draw(t, "later"))
			if rapid.IntRange(0, 20).Draw(t, "the traffic changes") == 0 {
				cut = max(at, 0)
				m.begin(cut)
			}
			r := request{at: max(at, 0), latency: time.Duration(rapid.Int64Range(-1, int64(time.Minute)).Draw(t, "latency")), failed: rapid.Bool().Draw(t, "failed")}
			if r.bucket = r.at.Truncate(grain); cut <= r.at {
				r.bucket = max(r.bucket, cut)
			}
			m.record(r.at, r.latency, map[bool]outcome{false: served, true: failed}[r.failed])
			all = append(all, r)
			if rapid.IntRange(0, 20).Draw(t, "somebody looks") == 0 {
				m.sum(0, at)
			}
		}
		to := at + time.Second
		from := to - time.Duration(rapid.Int64Range(0, int64(MeasuredTime-2*time.Second)).Draw(t, "time"))
		if rapid.Bool().Draw(t, "since the change") {
			from = max(cut, to-MeasuredTime+2*time.Second)
		}
		got, begin, end := m.sum(from, to)
		if late := begin - from + slack; begin < end && (late < 0 || late > grain || from == cut && late > slack) || to-end < 0 || to-end >= grain {
			t.Fatalf("from %s to %s covers %s to %s, cut at %s", from, to, begin, end, cut)
		}
		var want Measurement
		var latencies []time.Duration
		for _, r := range all {
			if r.bucket < begin || r.bucket.Truncate(grain)+grain > to {
				continue
			}
			want.Requests++
			if r.failed {
				want.Errors++
			}
			if r.latency >= 0 {
				latencies = append(latencies, r.latency)
			}
		}
		if got.Requests != want.Requests || got.Errors != want.Errors {
			t.Fatalf("got %+v, want %+v", got, want)
		}
		slices.Sort(latencies)
		for q, got := range map[float64]time.Duration{0.5: got.P50, 0.99: got.P99, 1: got.Max} {
			want := 0.0
			if len(latencies) > 0 {
				want = float64(latencies[int(q*float64(len(latencies)-1))])
			}
			if math.Abs(float64(got)-want) > latencyAccuracy*want+1 {
				t.Fatalf("quantile %v is %v, want %v", q, got, time.Duration(want))
			}
		}
	})
}

func TestAMeterForgetsWhatIsOldAndIsSmall(t *testing.T) {
	t.Parallel()
	m := newMeter()
	const days, each = 2, 200
	end := days * 24 * time.Hour
	for at := end - 2*MeasuredTime; at < end; at += time.Second {
		for n := range each {
			m.record(at, time.Duration(n*n)*time.Millisecond, served)
		}
	}
	m.sum(0, end)
	size := 0
	for _, s := range m.past {
		size += cap(s.latencies)
	}
	if seconds := int(MeasuredTime/time.Second) + 1; len(m.past) != seconds || size > 1<<20 {
		t.Errorf("%d buckets in %d bytes, want %d in less than a megabyte", len(m.past), size, seconds)
	}
	if got, _, _ := m.sum(0, end-MeasuredTime-2*time.Second); got.Requests != 0 {
		t.Errorf("%d old requests", got.Requests)
	}
	if got, _, _ := m.sum(end-10*time.Second, end); got.Requests != 10*each {
		t.Errorf("%d requests in ten seconds", got.Requests)
	}
}

func TestAMeterCountsEverybodyAtOnce(t *testing.T) {
	t.Parallel()
	const writers, each = 8, 2000
	m := newMeter()
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for n := range each {
				m.record(time.Duration(n)*time.Millisecond, time.Millisecond, []outcome{failed, served}[min(n%10, 1)])
				if n%100 == 0 {
					m.sum(0, time.Hour)
				}
			}
		})
	}
	all.Wait()
	if got, _, _ := m.sum(0, time.Hour); got.Requests != writers*each || got.Errors != writers*each/10 {
		t.Errorf("%+v", got)
	}
}

// A gauge agrees with the sum, over all visits, of the time that each was inside.
func TestAGaugeAgreesWithTheVisits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		g := newGauge()
		var at time.Duration
		var since []time.Duration
		type visit struct{ from, to time.Duration }
		var visits []visit
		for range rapid.IntRange(0, 60).Draw(t, "events") {
			at += time.Duration(rapid.OneOf(rapid.Int64Range(0, int64(time.Second)), rapid.Int64Range(0, int64(3*time.Minute))).Draw(t, "later"))
			if len(since) > 0 && rapid.Bool().Draw(t, "leaves") {
				visits = append(visits, visit{since[0], at})
				since = since[1:]
				g.add(at, -1)
			} else {
				since = append(since, at)
				g.add(at, 1)
			}
		}
		at += time.Duration(rapid.Int64Range(0, int64(90*time.Second)).Draw(t, "later"))
		at = at.Truncate(time.Second) + time.Second // so that no second is cut
		for _, v := range since {
			visits = append(visits, visit{v, math.MaxInt64})
		}
		over := time.Duration(rapid.IntRange(1, 60).Draw(t, "seconds")) * time.Second
		var want float64
		for _, v := range visits {
			want += max(0, float64(min(v.to, at)-max(v.from, at-over)))
		}
		want /= float64(over)
		inside, got := g.read(at, over)
		if inside != int64(len(since)) || math.Abs(got-want) > 1e-6*(1+want) {
			t.Fatalf("%d inside and %v on average, want %d and %v", inside, got, len(since), want)
		}
	})
}
