package swap

import (
	"fmt"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

const (
	// sickLimit is how long an instance of a watched release may be without health.
	sickLimit = 10 * time.Second
	// defaultWindow is how far back a judgement looks where the policy does not say.
	defaultWindow = 30 * time.Second
)

// watching judges the release with the share that it has, until it has held it long enough.
func (f Facts) watching() Decision {
	w := f.Record.Swap
	passed, percent, hold := f.step()
	changed := *w
	switch {
	case f.reached() != percent, percent == 100 && !w.Probed:
		changed.StepsPassed = passed
		return Decision{Swap: &changed, Next: target.PhaseSwitching}
	case w.WatchedFrom == nil, f.Watched == nil, !f.Watched.Equal(*w.WatchedFrom):
		changed.WatchedFrom = &f.Now
		return Decision{Swap: &changed}
	}
	if why := f.breach(percent); why != "" {
		return f.bad(why)
	}
	if percent == 100 {
		if d, more := f.handOver(w.From, w.To); more {
			return d
		}
		if d, more := f.workersWatched(); more {
			return d
		}
	}
	switch {
	case f.Now.Sub(*w.WatchedFrom) < hold:
		return Decision{Wait: true}
	case hold > 0 && f.tooFew():
		return f.bad(fmt.Sprintf("%d requests in %s are too few to judge release %s (at least %d were to be), and on_too_few_requests is %q",
			f.Whole[w.To].Requests, hold, w.Release, f.Want.Policy.Guardrails.MinimumRequests, target.VerdictRollBack))
	case percent < 100:
		changed.StepsPassed, changed.WatchedFrom = passed+1, nil
		return Decision{Swap: &changed, Next: target.PhaseSwitching}
	}
	return f.settled()
}

// tooFew says that there were too few requests to judge, where that is a reason to go back.
func (f Facts) tooFew() bool {
	w, p := f.Record.Swap, f.Want.Policy
	return p.OnTooFewRequests == target.VerdictRollBack && w.From != "" && f.Whole[w.To].Requests < int64(p.Guardrails.MinimumRequests)
}

// breach says what is wrong with a release that carries traffic, "" if nothing is.
func (f Facts) breach(percent int) string {
	w, g := f.Record.Swap, f.Want.Policy.Guardrails
	if gap := f.sick(); gap != nil {
		return gap.String()
	}
	for _, m := range []map[target.Color]target.Measurement{f.Recent, f.Whole} {
		old, compared := m[w.From], true
		if percent == 100 {
			if compared = w.Baseline != nil; compared {
				old = *w.Baseline
			}
		}
		compared = compared && enough(old, g)
		if why := broke(m[w.To], old, compared, g); why != "" {
			return fmt.Sprintf("release %s broke a guardrail with %d %% of the traffic: %s", w.Release, percent, why)
		}
	}
	return ""
}

// sick says what is wrong with the instances of a release that carries traffic. A fallback
// that was switched back to may have lived, and restarted, for long. What was added under
// load may take its time to start.
func (f Facts) sick() *gap {
	w := f.Record.Swap
	st := f.Seen.Stacks[w.To]
	if gap := dead(st); gap != nil {
		return gap
	}
	if gap := broken(st); gap != nil && !w.Reuse {
		return gap
	}
	for _, i := range st.Instances {
		limit := sickLimit
		if i.Index > st.Spec.Capacity[i.Component] {
			limit = max(limit, seconds(f.Want.Policy.StartTimeoutSeconds))
		}
		worker := st.Spec.Definition.Components[i.Component].Worker()
		if !worker && i.UnhealthySince != nil && f.Seen.At.Sub(*i.UnhealthySince) >= limit {
			return instanceGap(st, i, "was not healthy for %s", limit)
		}
	}
	return nil
}

func enough(m target.Measurement, g target.Guardrails) bool {
	return m.Requests > 0 && m.Requests >= int64(g.MinimumRequests)
}

// broke says which guardrail a measurement breaks, with the figures, "" if none.
func broke(m, old target.Measurement, compared bool, g target.Guardrails) string {
	if !enough(m, g) {
		return ""
	}
	of := fmt.Sprintf("of %d requests in %s", m.Requests, m.To.Sub(m.From).Round(100*time.Millisecond))
	errors, oldErrors := m.ErrorPercent(), old.ErrorPercent()
	switch {
	case g.MaxErrorPercent != nil && errors > *g.MaxErrorPercent:
		return fmt.Sprintf("%.2f %% %s failed, at most %g %% may", errors, of, *g.MaxErrorPercent)
	case g.MaxP99Milliseconds != nil && m.P99Milliseconds > *g.MaxP99Milliseconds:
		return fmt.Sprintf("the p99 latency %s was %.0f ms, at most %g ms is allowed", of, m.P99Milliseconds, *g.MaxP99Milliseconds)
	case !compared:
	case g.MaxErrorPercentOverOld != nil && errors-oldErrors > *g.MaxErrorPercentOverOld:
		return fmt.Sprintf("%.2f %% %s failed and %.2f %% of the old release's, at most %g percentage points more may", errors, of, oldErrors, *g.MaxErrorPercentOverOld)
	case g.MaxP99Ratio != nil && old.P99Milliseconds > 0 && m.P99Milliseconds > *g.MaxP99Ratio*old.P99Milliseconds:
		return fmt.Sprintf("the p99 latency %s was %.0f ms and the old release's %.0f ms, at most %g times as much is allowed", of, m.P99Milliseconds, old.P99Milliseconds, *g.MaxP99Ratio)
	}
	return ""
}

// settled does what follows from a watch that was passed. Each step is told from what is
// seen, so it can be resumed anywhere.
func (f Facts) settled() Decision {
	w := f.Record.Swap
	if d, more := f.keepFallback(); more {
		return d
	}
	if d, more := f.free(w.To, f.Want.Definition); more {
		return d
	}
	if d, more := f.tidy(""); more {
		return d
	}
	return Decision{Next: target.PhaseLive}
}

// keepFallback sets the old stack's deadline and size, or removes it where none is wanted.
func (f Facts) keepFallback() (Decision, bool) {
	w, p := f.Record.Swap, f.Want.Policy
	old, there := f.Seen.Stacks[w.From]
	unproven := f.Record.Passed[w.From].SwapID != old.Spec.SwapID // it served degraded
	switch {
	case !there:
		return Decision{}, false
	case p.FallbackWindowSeconds == 0 && !p.FallbackUntilNextRelease, unproven:
		return f.remove(w.From), true
	case old.Spec.Capacity == nil:
		if d, more := f.freeze(old); more {
			return d, true
		}
	}
	if p.FallbackUntilNextRelease {
		return Decision{Do: RetireStack, Color: w.From}, old.RetireAt != nil
	}
	at := w.SwitchedAt.Add(seconds(p.FallbackWindowSeconds))
	return Decision{Do: RetireStack, Color: w.From, At: &at}, old.RetireAt == nil || !old.RetireAt.Equal(at)
}

// degraded goes on with a release that broke its guardrails and stayed: it is watched again.
func (f Facts) degraded() Decision {
	passed, _, _ := f.step()
	d := f.watch(passed)
	d.Note = "watched again"
	return d
}
