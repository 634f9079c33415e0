//go:build linux

package acceptance

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

const (
	// allowed is the part of the requests, in percent, that the guardrail lets fail, within
	// guardWindow.
	allowed     = 5
	guardWindow = 10 * time.Second
)

// gradual is a swap in steps of 1, 10 and 50 percent with guardrails.
func gradual(hold int, guardrails string) string {
	return fmt.Sprintf(`{
    start_timeout_seconds = 30, minimum_healthy_seconds = 0, drain_seconds = 10, fallback_window_seconds = 600, bake_seconds = 1
    steps      = [{ percent = 1, hold_seconds = 1 }, { percent = 10, hold_seconds = 1 }, { percent = 50, hold_seconds = %d }]
    guardrails = { window_seconds = %d, minimum_requests = 100, %s }
  }`, hold, int(guardWindow.Seconds()), guardrails)
}

// TestAccLocalBreachGoesBack swaps in steps at a thousand requests a second, with releases
// that get worse once they have half of the traffic: each goes back within a second and is
// on hold, until it is asked for once more.
func TestAccLocalBreachGoesBack(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	config := func(release, swap string, retry int) string {
		return m.base(nil) + slot(release, attrs{
			"components": "{ api = " + component("ok", m.moods()) + " }", "swap": swap, "retry": fmt.Sprint(retry),
		})
	}
	m.apply(config("1", quick, 0))
	crowd := m.startCrowd(100, 1000)
	serving := "1"
	for n, c := range []struct{ name, mood, guardrails, figures string }{
		{"a release that fails", failing, fmt.Sprintf("max_error_percent = %d", allowed), "failed, at most 5 % may"},
		{"a release that is slow", slowly, "max_p99_milliseconds = 1000", "ms, at most 1000 ms is allowed"},
		{"a release that is slower than the one before", slowly, "max_p99_ratio = 10", "at most 10 times as much is allowed"},
	} {
		release := fmt.Sprint(n + 2)
		began := time.Now()
		s := m.startApply(config(release, gradual(60, c.guardrails), 0))
		m.reaches(s, target.PhaseWatching, 50)
		m.mood(release, c.mood)
		o := s.wait()
		flat := unwrapped(o.out)
		for _, want := range []string{
			"broke a guardrail with 50 % of the traffic", c.figures, "Release " + serving + " serves all traffic again", "raise retry above 0",
		} {
			if o.code != 1 || !strings.Contains(flat, want) {
				t.Errorf("%s: apply ended with %d, want 1 and %q:\n%s", c.name, o.code, want, o.out)
			}
		}
		m.serves(serving)
		m.wentBack(c.name, release, crowd, began, c.mood)
		m.held(c.name, release)

		if n > 0 {
			continue
		}
		m.mood(release, "")
		again := time.Now()
		m.apply(config(release, gradual(1, c.guardrails), 1))
		serving = release
		m.serves(serving)
		m.emptyPlan(c.name + " that was asked for once more")
		crowd.flawless(again)
	}
	crowd.stop()
	m.destroy()
}

// reaches waits until a run of Terraform has come to a phase with a share of the traffic.
func (m *machine) reaches(s *started, phase target.Phase, percent int) {
	m.Helper()
	d := m.target()
	m.eventually(90*time.Second, fmt.Sprintf("the swap is %s with %d percent", phase, percent), func() (string, bool) {
		select {
		case <-s.over:
			m.Fatalf("the apply ended before:\n%s", s.out)
		default:
		}
		rec, err := d.GetSlot(m.Context(), oms)
		if err != nil || rec.Swap == nil || rec.Swap.Phase != phase {
			return fmt.Sprint(rec.Swap, err), false
		}
		last := rec.Swap.Steps[len(rec.Swap.Steps)-1]
		return fmt.Sprint(last), last.Percent == percent
	})
}

// record is what the agent holds of the slot.
func (m *machine) record() target.SlotRecord {
	m.Helper()
	rec, err := m.target().GetSlot(m.Context(), oms)
	m.ok(err)
	return rec
}

// wentBack ends the test unless nobody was led to a release a second after it was decided
// that it goes, and no more requests failed than the guardrail lets.
func (m *machine) wentBack(what, release string, c *crowd, began time.Time, mood string) {
	m.Helper()
	w := m.record().Swap
	n := slices.IndexFunc(w.Steps, func(s target.Step) bool { return s.Phase == target.PhaseRollingBack })
	if n < 1 || w.Release != release || w.Phase != target.PhaseRolledBack {
		m.Fatalf("%s: the record has %+v", what, w)
	}
	decided := w.Steps[n].At
	all := sum(c.since(began))
	late := all.last[release].Sub(decided)
	if late > time.Second || all.releases[release] == 0 {
		m.Errorf("%s: it answered a request of %s after it was to go", what, late)
	}
	within := sum(c.since(decided.Add(-guardWindow)))
	rate := 100 * float64(within.failed) / float64(within.asked)
	limit := 0.0
	if mood == failing {
		limit = allowed
	}
	if rate > limit || mood == failing && within.failed == 0 {
		m.Errorf("%s: %.2f percent of %d requests failed, at most %g may: %v", what, rate, within.asked, limit, within.firstError)
	}
	m.Logf("%s: %.0f requests a second; decided, last request led there %s after; %d of %d requests within %s failed (%.2f percent), the last %s after the first; measured %+v",
		what, float64(all.asked)/time.Since(began).Seconds(), late.Round(time.Millisecond), within.failed, within.asked, guardWindow, rate,
		within.lastFailed.Sub(within.firstFailed).Round(time.Millisecond), w.Steps[n-1].Measured)
}

// held ends the test unless a plan shows the truth with a warning and an apply fails without
// touching anything: the configuration written last asks for a release that is on hold.
func (m *machine) held(what, release string) {
	m.Helper()
	before, seen := m.record(), m.observe()
	p := m.plan()
	flat := unwrapped(p.out)
	if p.code != 2 || !strings.Contains(flat, "Release is on hold") || !strings.Contains(flat, "-> "+fmt.Sprintf("%q", release)) {
		m.Errorf("%s: plan ended with %d, want 2, the change and a warning:\n%s", what, p.code, p.out)
	}
	a := m.terraform(nil, "apply", "-auto-approve", "-no-color", "-input=false")
	if a.code != 1 || !strings.Contains(unwrapped(a.out), "nothing was touched") {
		m.Errorf("%s: apply ended with %d, want 1 and that nothing was touched:\n%s", what, a.code, a.out)
	}
	if now := m.record(); now.Revision != before.Revision {
		m.Errorf("%s: an apply that was refused changed the record", what)
	}
	for color, st := range m.observe().Stacks {
		if was := seen.Stacks[color]; !target.Same(st.Spec, was.Spec) || len(st.Instances) != len(was.Instances) {
			m.Errorf("%s: an apply that was refused changed %s: %+v, was %+v", what, color, st, was)
		}
	}
	m.Logf("%s: plan exit code %d, apply exit code %d: %s", what, p.code, a.code, diagnostic(unwrapped(a.out)))
}
