package swap_test

import (
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/memtarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// checkApproved wants somebody to have approved a release that is to get its first traffic,
// where the policy asks for it.
func (a *auditor) checkApproved(st target.StackStatus) {
	a.Helper()
	rec := a.record()
	release := st.Spec.Definition.Release
	if rec.Asked.Policy.Approval == target.ApprovalManual && rec.Asked.ApprovedRelease != release && !a.approved[release] {
		a.Errorf("release %s is to get traffic, and nobody approved it", release)
	}
}

// checkShare wants a release to get more traffic only in the shares of the policy, one after
// the other, each after the one before was held and its guardrails were kept.
func (d *audited) checkShare(before target.Observation, t target.Traffic) {
	a := d.auditor
	a.Helper()
	w, policy := a.record().Swap, a.record().Asked.Policy
	if w == nil || w.Phase != target.PhaseSwitching {
		return // on its way back
	}
	from, to := share(target.Traffic{Color: before.Serving, Percent: before.Percent}, w.To), share(t, w.To)
	if to < from {
		a.Errorf("release %s had %d percent and is to have %d", w.Release, from, to)
	}
	if to <= from || w.Reuse || w.From == "" {
		return
	}
	known := to == 100
	for _, s := range policy.Steps {
		known = known || s.Percent == to
		if s.Percent > from && s.Percent < to {
			a.Errorf("release %s is to have %d percent after %d, the step of %d is left out", w.Release, to, from, s.Percent)
		}
		if s.Percent == from {
			d.checkWatched(w, s.HoldSeconds)
		}
	}
	if !known {
		a.Errorf("release %s is to have %d percent, the policy says %v", w.Release, to, policy.Steps)
	}
}

// checkWatched wants the present share to have been held, with workers that work and without
// a gross breach of the guardrails.
func (d *audited) checkWatched(w *target.Swap, holdSeconds int) {
	a := d.auditor
	a.Helper()
	moves := a.Target.Log(memtarget.Served, memtarget.Shared)
	now, from := a.clock.Now(), moves[len(moves)-1].At
	hold := time.Duration(holdSeconds) * time.Second
	if held := now.Sub(from); held < hold && !w.Reuse {
		a.Errorf("release %s was watched for %s only, want %s", w.Release, held, hold)
	}
	if d.begun.After(from) {
		from = d.begun
	}
	if w.Reuse || hold == 0 {
		return
	}
	g := a.record().Asked.Policy.Guardrails
	if begin := now.Add(-time.Duration(g.WindowSeconds) * time.Second); begin.After(from) {
		from = begin
	}
	measured, err := a.Measure(a.withoutCancel(), oms, from)
	a.ok(err)
	// Twice: what the machine saw began a look earlier or later.
	if m := measured[w.To]; g.MaxErrorPercent != nil && m.Requests > 2*int64(g.MinimumRequests) && m.ErrorPercent() > 2**g.MaxErrorPercent {
		a.Errorf("release %s passed its watch with %.1f percent of errors of %d requests, at most %g may be", w.Release, m.ErrorPercent(), m.Requests, *g.MaxErrorPercent)
	}
}

// checkJudged wants a release that broke a guardrail, as far as could be measured at a look of
// this run, to be on its way back a second later, if what served before could answer at the
// time. It looks with its own eyes: at what the target counts, not at what a machine concludes.
func (d *audited) checkJudged(seen target.Observation) {
	a := d.auditor
	a.Helper()
	rec := a.record()
	w, g := rec.Swap, rec.Asked.Policy.Guardrails
	if w == nil || w.Phase != target.PhaseWatching || w.WatchedFrom == nil || w.WatchedFrom.Before(d.begun) {
		return
	}
	if b := d.breach; b.swapID == w.ID && a.clock.Now().Sub(b.at) > time.Second {
		a.Errorf("release %s broke its guardrails at %s, and is still watched at %s", w.Release, b.at, a.clock.Now())
	}
	from := a.clock.Now().Add(-time.Duration(g.WindowSeconds) * time.Second)
	if w.WatchedFrom.After(from) {
		from = *w.WatchedFrom
	}
	measured, err := a.Measure(a.withoutCancel(), oms, from)
	a.ok(err)
	m := measured[w.To]
	over := func(v float64, limit *float64) bool { return limit != nil && v > *limit }
	bad := over(m.ErrorPercent(), g.MaxErrorPercent) || over(m.P99Milliseconds, g.MaxP99Milliseconds)
	if bad && m.Requests >= int64(g.MinimumRequests) && healthy(seen.Stacks[w.From]) && d.breach.swapID != w.ID {
		d.breach.swapID, d.breach.at = w.ID, a.clock.Now()
	}
}

// share is the part of the traffic that a seat has.
func share(t target.Traffic, c target.Color) int {
	switch t.Color {
	case "":
		return 0
	case c:
		return 100 - t.Percent
	}
	return t.Percent
}
