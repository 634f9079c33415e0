package memtarget_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/memtarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// divide lets blue serve but for a percentage.
func (f *fixture) divide(percent int) {
	f.Helper()
	_, err := f.SetTraffic(f.Context(), oms, target.Traffic{Color: target.Blue, Percent: percent}, time.Minute, f.lease)
	f.ok(err)
}

func TestAnswersAreMeasuredAsScripted(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.ScriptAnswers("", func(time.Time, int) memtarget.Answers {
		return memtarget.Answers{PerSecond: 100, P50Milliseconds: 10, P99Milliseconds: 50}
	})
	bad := start.Add(time.Hour)
	f.ScriptAnswers("2", func(at time.Time, percent int) memtarget.Answers {
		a := memtarget.Answers{PerSecond: 100, P50Milliseconds: 20, P99Milliseconds: 70}
		if percent >= 50 {
			a.ErrorPercent = 30
		}
		if !at.Before(bad) {
			a.P99Milliseconds = 900
		}
		return a
	})
	f.serve(target.Blue, "1")
	f.put(target.Green, "2", "app")
	for !f.web(target.Green).Healthy {
	}
	from := f.clock.Now()
	f.divide(10)
	f.clock.Advance(10 * time.Second)
	f.divide(50)
	f.clock.Advance(bad.Sub(f.clock.Now()))
	half := f.clock.Now()
	f.clock.Advance(500 * time.Millisecond)
	for _, c := range []struct {
		from        time.Time
		blue, green target.Measurement
	}{
		{from.Add(5 * time.Second), // 5 s at 10 percent, the rest of the hour at 50
			target.Measurement{Requests: 450 + 50*3590 + 25, P50Milliseconds: 10, P99Milliseconds: 50},
			target.Measurement{Requests: 50 + 50*3590 + 25, Errors: 15*3590 + 7, P50Milliseconds: 20, P99Milliseconds: 900}},
		{half,
			target.Measurement{Requests: 25, P50Milliseconds: 10, P99Milliseconds: 50},
			target.Measurement{Requests: 25, Errors: 7, P50Milliseconds: 20, P99Milliseconds: 900}},
	} {
		got, err := f.Measure(t.Context(), oms, c.from)
		f.ok(err)
		c.blue.From, c.green.From, c.blue.To, c.green.To = c.from, c.from, f.clock.Now(), f.clock.Now()
		if diff := cmp.Diff(map[target.Color]target.Measurement{target.Blue: c.blue, target.Green: c.green}, got); diff != "" {
			t.Errorf("from %s (-want +got):\n%s", c.from, diff)
		}
	}
}

func TestRequestsOfAReleaseThatHangsWait(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.ScriptAnswers("", func(time.Time, int) memtarget.Answers {
		return memtarget.Answers{PerSecond: 10, P50Milliseconds: 10, P99Milliseconds: 50, HangPercent: 60}
	})
	f.serve(target.Blue, "1")
	from := f.clock.Now()
	f.clock.Advance(7 * time.Second)
	for _, c := range []struct {
		later time.Duration
		want  target.Measurement
	}{
		{0, target.Measurement{Requests: 28, P50Milliseconds: 7000, P99Milliseconds: 7000, Waiting: 42, Unanswered: 18}}, // of the first three seconds
		{time.Hour, target.Measurement{Requests: 28 + 4*3600, P50Milliseconds: 60_000, P99Milliseconds: 60_000, Waiting: 360, Unanswered: 336}},
	} {
		f.clock.Advance(c.later)
		got, err := f.Measure(t.Context(), oms, from)
		f.ok(err)
		c.want.From, c.want.To = from, f.clock.Now()
		if diff := cmp.Diff(c.want, got[target.Blue]); diff != "" {
			t.Errorf("%s later (-want +got):\n%s", c.later, diff)
		}
	}
}

func TestWhatAStackAnsweredIsNotCountedForTheNextOneInItsSeat(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.ScriptAnswers("", func(time.Time, int) memtarget.Answers { return memtarget.Answers{PerSecond: 10} })
	f.serve(target.Blue, "1")
	f.serve(target.Green, "2")
	f.clock.Advance(time.Minute)
	f.serve(target.Blue, "1")
	f.ok(f.DeleteStack(t.Context(), oms, target.Green, f.lease))
	f.put(target.Green, "3", "app")
	got, err := f.Measure(t.Context(), oms, start)
	f.ok(err)
	if n := got[target.Green].Requests; n != 0 {
		t.Errorf("release 3 is said to have answered %d requests", n)
	}
}

func TestAShareCanBeTakenFromAStackThatLostItsHealth(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.serve(target.Blue, "1")
	f.put(target.Green, "2", "app")
	for !f.web(target.Green).Healthy {
	}
	f.divide(50)
	for _, to := range []struct {
		sick    target.Color
		percent int
		refused bool
	}{{target.Green, 60, true}, {target.Green, 40, false}, {target.Blue, 20, true}, {target.Blue, 60, false}} {
		f.KillInstance(oms, to.sick, "web", 1)
		_, err := f.SetTraffic(t.Context(), oms, target.Traffic{Color: target.Blue, Percent: to.percent}, time.Minute, f.lease)
		if errors.Is(err, target.ErrConflict) != to.refused || !to.refused && err != nil {
			t.Errorf("%d percent while the %s stack is sick: got error %v, want it refused: %t", to.percent, to.sick, err, to.refused)
		}
		for !f.web(to.sick).Healthy {
		}
	}
}

func TestAStackIsScaledToItsLoad(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	s := f.put(target.Blue, "1", "app")
	for _, c := range []struct{ load, floor, want int }{{0, 1, 1}, {2, 1, 2}, {9, 1, 3}, {2, 3, 3}, {0, 0, 1}} {
		f.ScriptLoad("web", "1", c.load)
		s.Capacity = map[string]int{"web": c.floor}
		f.ok(f.PutStack(t.Context(), s, f.lease))
		obs, err := f.Observe(t.Context(), oms)
		f.ok(err)
		if st := obs.Stacks[target.Blue]; st.Scale["web"] != c.want || len(st.Instances) != c.want {
			t.Errorf("with a load for %d and a floor of %d: %d wanted and %d there, want %d", c.load, c.floor, st.Scale["web"], len(st.Instances), c.want)
		}
	}
}
