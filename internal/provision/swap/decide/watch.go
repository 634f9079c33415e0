package decide

import (
	"fmt"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/swap/judge"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// defaultWindow is how far back a judgement looks where the policy does not say.
const defaultWindow = 30 * time.Second

// Window is how far back a judgement looks, and whether anything is judged at all.
func (f Facts) Window() (time.Duration, bool) {
	w, n := f.Record.Swap, f.Want.Policy.Guardrails.WindowSeconds
	if w == nil || w.Phase != target.PhaseSwitching && w.Phase != target.PhaseWatching {
		return 0, false
	}
	if n == 0 {
		return defaultWindow, true
	}
	return seconds(n), true
}

// watch begins the watch of the share that is reached.
func (f Facts) watch(note string) *Decision {
	w := f.swap()
	w.StepsPassed, _, _ = f.Step()
	w.WatchedFrom = nil
	return &Decision{Swap: w, Next: target.PhaseWatching, Note: note}
}

// degraded goes on with a release that broke its guardrails and stayed: it is watched again.
func (f Facts) degraded() *Decision { return f.again("watched again") }

// again watches a release from the beginning of its share. What it was to go for is no reason
// any more; the step that says so stays.
func (f Facts) again(note string) *Decision {
	d := f.watch(note)
	d.Swap.Reason, d.Swap.FailedIn, d.Swap.Requested = "", "", false
	return d
}

// watching judges the release with the share that it has, until it has held it long enough.
func (f Facts) watching() *Decision {
	w := f.swap()
	passed, percent, hold := f.Step()
	switch {
	case f.Reached() != percent, percent == 100 && !w.Probed:
		w.StepsPassed = passed
		return &Decision{Swap: w, Next: target.PhaseSwitching}
	case w.WatchedFrom == nil, f.Watched == nil, !f.Watched.Equal(*w.WatchedFrom):
		w.WatchedFrom = &f.Now
		if f.Moved != nil { // from its first request on
			w.WatchedFrom = f.Moved
		}
		return &Decision{Swap: w}
	}
	if d := first(f.breach(percent), f.workers(percent), f.held(percent, hold), f.well()); d != nil {
		return d
	}
	if percent == 100 {
		return first(f.drained(), f.settled())
	}
	w.StepsPassed, w.WatchedFrom = passed+1, nil
	return &Decision{Swap: w, Next: target.PhaseSwitching}
}

// breach decides on a release that carries traffic and is not well.
func (f Facts) breach(percent int) *Decision {
	w := f.Record.Swap
	if gap := f.sick(); gap != nil {
		return f.bad(gap.String())
	}
	for _, m := range []map[target.Color]target.Measurement{f.Recent, f.Whole} {
		old := new(m[w.From])
		if percent == 100 { // the old stack has no traffic any more
			old = w.Baseline
		}
		if why := judge.Breach(m[w.To], old, f.Want.Policy.Guardrails); why != "" {
			return f.bad(fmt.Sprintf("release %s broke a guardrail with %d %% of the traffic: %s", w.Release, percent, why))
		}
	}
	return nil
}

// sick says what is wrong with the instances of a release that carries traffic. A fallback
// that was switched back to may have lived, and restarted, for long.
func (f Facts) sick() *judge.Gap {
	w := f.Record.Swap
	st := f.Seen.Stacks[w.To]
	if gap := judge.Broken(st); gap != nil && !w.Reuse {
		return gap
	}
	return judge.Sick(st, f.startLimit(), f.Seen.At)
}

// well holds a share on while an instance of the release is not healthy: it gets well, or is
// sick before long.
func (f Facts) well() *Decision {
	if judge.Ailing(f.Seen.Stacks[f.Record.Swap.To]) != nil {
		return wait()
	}
	return nil
}

// drained waits for what the old stack was asked before it lost its traffic, as long as that
// may take. The release is judged meanwhile.
func (f Facts) drained() *Decision {
	w, p := f.Record.Swap, f.Want.Policy
	if f.Seen.Stacks[w.From].InFlight > 0 && f.Now.Sub(*w.SwitchedAt) < seconds(p.DrainSeconds) {
		return wait()
	}
	return nil
}

// held waits until a share was held for its time, the last one since the new workers took
// over, with enough requests to judge by where that is asked for.
func (f Facts) held(percent int, hold time.Duration) *Decision {
	w, p := f.Record.Swap, f.Want.Policy
	n, least := f.Whole[w.To].Seen(), p.Guardrails.MinimumRequests
	switch {
	case f.Now.Sub(*w.WatchedFrom) < hold, f.Now.Sub(w.PhaseAt) < hold, percent == 100 && f.Seen.At.Sub(judge.TookOver(f.Seen.Stacks[w.To])) < hold:
		return wait()
	case hold > 0 && w.From != "" && p.OnTooFewRequests == target.VerdictRollBack && n < int64(least):
		return f.bad(fmt.Sprintf("%d requests in %s are too few to judge release %s (at least %d were to be), and on_too_few_requests is %q",
			n, hold, w.Release, least, target.VerdictRollBack))
	case hold > 0 && w.From != "" && p.OnTooFewRequests == target.VerdictRollBack && p.Guardrails.Relative() && f.behind(percent).Requests < int64(least):
		return f.bad(fmt.Sprintf("%d requests of release %s are too few to compare release %s with (at least %d were to be), and on_too_few_requests is %q",
			f.behind(percent).Requests, w.FromRelease, w.Release, least, target.VerdictRollBack))
	}
	return nil
}

// behind is what the old stack answered over the share that is watched, or where it has no
// traffic any more, before it lost it.
func (f Facts) behind(percent int) target.Measurement {
	switch w := f.Record.Swap; {
	case percent < 100:
		return f.Whole[w.From]
	case w.Baseline != nil:
		return *w.Baseline
	}
	return target.Measurement{}
}
