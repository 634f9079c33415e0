package proxy

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Those that wait are the ones that came, less those that went, in whatever order.
func TestWaitersAreThoseThatCameAndHaveNotGone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w, start := newWaiters(), time.Now()
		var there []*waiter
		for range rapid.IntRange(0, 60).Draw(t, "events") {
			if len(there) > 0 && rapid.Bool().Draw(t, "goes") {
				n := rapid.IntRange(0, len(there)-1).Draw(t, "which")
				there[n].remove()
				there = slices.Delete(there, n, n+1)
				continue
			}
			made := w.add(start, start)
			if rapid.IntRange(0, 3).Draw(t, "waits for its client") == 0 {
				made.pause()
			}
			there = append(there, made)
		}
		want := 0
		for _, one := range there {
			if one.since.Load() != 0 {
				want++
			}
		}
		if got := len(w.long(time.Hour)); got != want {
			t.Fatalf("%d wait, want %d", got, want)
		}
		if got := len(w.long(0)); got != 0 {
			t.Fatalf("%d wait for long already", got)
		}
	})
}

// One slow request among the answered is what the quantiles say of it.
func TestAMeterCountsThoseThatWaitAtTheirAge(t *testing.T) {
	t.Parallel()
	m := newMeter()
	for range 90 {
		m.record(time.Second, time.Millisecond, served)
	}
	m.record(time.Second, 6*time.Second, unanswered)
	var waiting []wait
	for n := range 9 {
		waiting = append(waiting, wait{waited: time.Duration(n) * time.Second, age: 10 * time.Second})
	}
	got, _, _ := m.sum(0, 2*time.Second, waiting...)
	if got.Requests != 91 || got.Errors != 0 || got.Waiting != 9 || got.Unanswered != 1+4 {
		t.Errorf("%+v", got)
	}
	if got.P50 > 2*time.Millisecond || got.P99 < 9*time.Second || got.P99 > 11*time.Second {
		t.Errorf("%+v", got)
	}
}
