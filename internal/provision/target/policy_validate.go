package target

import (
	"fmt"
	"strconv"
)

func (f *Faults) policy(p Policy) {
	f.positive("swap.start_timeout_seconds", p.StartTimeoutSeconds, "seconds", maxSeconds)
	for _, v := range []struct {
		path string
		n    int
	}{
		{"swap.minimum_healthy_seconds", p.MinimumHealthySeconds},
		{"swap.drain_seconds", p.DrainSeconds},
		{"swap.bake_seconds", p.BakeSeconds},
		{"swap.fallback_window_seconds", p.FallbackWindowSeconds},
	} {
		f.seconds(v.path, v.n)
	}
	if p.MinimumHealthySeconds >= p.StartTimeoutSeconds && p.StartTimeoutSeconds > 0 {
		f.addf("swap.minimum_healthy_seconds", "%d is not below start_timeout_seconds (%d): no candidate could ever pass", p.MinimumHealthySeconds, p.StartTimeoutSeconds)
	}
	f.approval(p)
	f.steps(p)
	f.guardrails(p.Guardrails)
	if p.OnTooFewRequests != "" {
		f.oneOf("swap.on_too_few_requests", string(p.OnTooFewRequests), string(VerdictPromote), string(VerdictRollBack))
	}
}

func (f *Faults) seconds(path string, n int) {
	if n < 0 || n > maxSeconds {
		f.addf(path, "%d is out of range: expected 0 to %d seconds", n, maxSeconds)
	}
}

func (f *Faults) approval(p Policy) {
	if p.Approval != "" {
		f.oneOf("swap.approval", string(p.Approval), string(ApprovalAutomatic), string(ApprovalManual))
	}
	switch path := "swap.approval_timeout_seconds"; {
	case p.Approval != ApprovalManual:
		f.seconds(path, p.ApprovalTimeoutSeconds)
	case p.ApprovalTimeoutSeconds == 0:
		f.addf(path, "0 would remove the candidate before anybody could approve it: expected 1 to %d seconds", maxSeconds)
	default:
		f.positive(path, p.ApprovalTimeoutSeconds, "seconds", maxSeconds)
	}
	if p.WaitingCapacityPercent < 0 || p.WaitingCapacityPercent > 100 {
		f.addf("swap.waiting_capacity_percent", "%d is out of range: expected 1 to 100 percent", p.WaitingCapacityPercent)
	}
}

func (f *Faults) steps(p Policy) {
	before := 0
	for i, s := range p.Steps {
		path := fmt.Sprintf("swap.steps.%d", i)
		switch {
		case s.Percent == 0:
			f.addf(path+".percent", "it is missing, or 0: each step needs a share of 1 to 99 percent; all of the traffic follows after the last step by itself")
		case s.Percent < 1 || s.Percent > 99:
			f.addf(path+".percent", "%d is out of range: expected 1 to 99 percent; all of the traffic follows after the last step by itself", s.Percent)
		case s.Percent <= before:
			f.addf(path+".percent", "%d is not above the step before it (%d): shares only grow", s.Percent, before)
		}
		before = s.Percent
		f.seconds(path+".hold_seconds", s.HoldSeconds)
	}
	switch {
	case p.StickyBy == "":
	case len(p.Steps) == 0:
		f.addf("swap.sticky_by", "there are no steps in which a client could go to one side or the other: add steps, or remove sticky_by")
	default:
		f.oneOf("swap.sticky_by", string(p.StickyBy), string(StickyByAccount), string(StickyByClient))
	}
}

func (f *Faults) guardrails(g Guardrails) {
	path := "swap.guardrails."
	if g.WindowSeconds != 0 { // which stands for the default
		f.positive(path+"window_seconds", g.WindowSeconds, "seconds", maxSeconds)
	}
	if g.MinimumRequests < 0 {
		f.addf(path+"minimum_requests", "%d is out of range: expected 1 or more requests", g.MinimumRequests)
	}
	for _, v := range []struct {
		name        string
		value       *float64
		least, most float64
		unit        string
	}{
		{"max_error_percent", g.MaxErrorPercent, 0, 100, "percent"},
		{"max_error_percent_over_old", g.MaxErrorPercentOverOld, 0, 100, "percentage points"},
		{"max_p99_milliseconds", g.MaxP99Milliseconds, 1, 3600_000, "milliseconds"},
		{"max_p99_ratio", g.MaxP99Ratio, 1, 1000, "times the old stack's"},
	} {
		if v.value != nil && (*v.value < v.least || *v.value > v.most) {
			f.addf(path+v.name, "%s is out of range: expected %s to %s %s", plain(*v.value), plain(v.least), plain(v.most), v.unit)
		}
	}
}

// plain is a number as people write it, without an exponent.
func plain(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
