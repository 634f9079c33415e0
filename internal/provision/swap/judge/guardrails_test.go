package judge_test

import (
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/swap/judge"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

var noon = time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)

// answered is what a stack answered in ten seconds.
func answered(requests, errors int64, p99 float64) target.Measurement {
	return target.Measurement{From: noon, To: noon.Add(10 * time.Second), Requests: requests, Errors: errors, P99Milliseconds: p99}
}

// hung is what a stack answered in ten seconds in which it let so many requests wait, and so
// many of them for long.
func hung(requests, errors, waiting, unanswered int64, p99 float64) target.Measurement {
	m := answered(requests, errors, p99)
	m.Waiting, m.Unanswered = waiting, unanswered
	return m
}

// open is what a stack answered in ten seconds, with so many requests whose answer is not known.
func open(requests, errors, unclear, mayHaveFailed int64) target.Measurement {
	m := answered(requests, errors, 90)
	m.Unclear, m.MayHaveFailed = unclear, mayHaveFailed
	return m
}

// at is a measurement with another median.
func at(p50 float64, m target.Measurement) target.Measurement {
	m.P50Milliseconds = p50
	return m
}

func TestABreachIsToldWithItsFigures(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		m      target.Measurement
		old    *target.Measurement
		limits target.Guardrails
		want   string
	}{
		{"nothing is limited", answered(100, 100, 9000), nil, target.Guardrails{}, ""},
		{"as many errors as may be", answered(100, 5, 90), nil, target.Guardrails{MaxErrorPercent: new(5.0)}, ""},
		{"too many errors", answered(100, 6, 90), nil, target.Guardrails{MaxErrorPercent: new(5.0)}, "6.00 % of 100 requests in 10s failed, at most 5 % may"},
		{"too many errors at once", target.Measurement{From: noon, To: noon, Requests: 100, Errors: 6}, nil, target.Guardrails{MaxErrorPercent: new(5.0)}, "6.00 % of 100 requests in less than a second failed, at most 5 % may"},
		{"too many errors of too few requests", answered(19, 19, 90), nil, target.Guardrails{MinimumRequests: 20, MaxErrorPercent: new(5.0)}, ""},
		{"no requests at all", answered(0, 0, 0), nil, target.Guardrails{MaxErrorPercent: new(0.0)}, ""},
		{"too slow", answered(100, 0, 501), nil, target.Guardrails{MaxP99Milliseconds: new(500.0)}, "the p99 latency of 100 requests in 10s was 501 ms, at most 500 ms is allowed"},
		{"more errors than the old stack", answered(100, 6, 90), new(answered(100, 4, 90)), target.Guardrails{MaxErrorPercentOverOld: new(1.0)}, "6.00 % of 100 requests in 10s failed and 4.00 % of the old release's, at most 1 percentage points more may"},
		{"more errors, and nothing to compare with", answered(100, 6, 90), nil, target.Guardrails{MaxErrorPercentOverOld: new(1.0)}, ""},
		{"more errors, and too few requests to compare with", answered(100, 6, 90), new(answered(9, 0, 90)), target.Guardrails{MinimumRequests: 20, MaxErrorPercentOverOld: new(1.0)}, ""},
		{"slower than the old stack", answered(100, 0, 90), new(answered(100, 0, 50)), target.Guardrails{MaxP99Ratio: new(1.5)}, "the p99 latency of 100 requests in 10s was 90 ms and the old release's 50 ms, at most 1.5 times as much is allowed"},
		{"slower than an old stack whose latency is not known", answered(100, 0, 90), new(answered(100, 0, 0)), target.Guardrails{MaxP99Ratio: new(1.5)}, ""},
		{"answers that are not known, and may have failed", open(100, 2, 50, 10), new(open(200, 0, 80, 0)), target.Guardrails{MaxErrorPercent: new(5.0)}, "12.00 % of 100 requests in 10s failed, 10 of them without any answer, at most 5 % may"},
		{"answers that are not known, and more than the old stack's", open(100, 0, 50, 60), new(open(200, 2, 80, 60)), target.Guardrails{MaxErrorPercentOverOld: new(5.0)}, "10.00 % of 100 requests in 10s failed, 10 of them without any answer and 1.00 % of the old release's, at most 5 percentage points more may"},
		{"answers that are not known, as many as the old stack's", open(100, 0, 40, 60), new(open(900, 0, 360, 60)), target.Guardrails{MaxErrorPercent: new(0.0)}, ""},
		{"answers that are not known, and none that failed", open(100, 0, 50, 0), new(open(200, 0, 0, 0)), target.Guardrails{MaxErrorPercent: new(0.0)}, ""},
		{"answers that are not known, and nothing to compare with", open(100, 0, 50, 60), nil, target.Guardrails{MaxErrorPercent: new(5.0)}, ""},
		{"nothing is answered for long", hung(0, 0, 40, 12, 6000), new(answered(100, 0, 90)), target.Guardrails{MinimumRequests: 20, MaxErrorPercent: new(5.0)}, "30.00 % of 40 requests in 10s failed, 12 of them by waiting in vain for 5s, at most 5 % may"},
		{"some fail, and some get no answer", hung(30, 1, 10, 3, 6000), new(answered(100, 0, 90)), target.Guardrails{MaxErrorPercent: new(5.0)}, "10.00 % of 40 requests in 10s failed, 3 of them by waiting in vain for 5s, at most 5 % may"},
		{"no answer for long, and more so than the old stack", hung(0, 0, 40, 12, 6000), new(answered(100, 4, 90)), target.Guardrails{MaxErrorPercentOverOld: new(1.0)}, "30.00 % of 40 requests in 10s failed, 12 of them by waiting in vain for 5s and 4.00 % of the old release's, at most 1 percentage points more may"},
		{"no answer for long, and the old stack takes as long", hung(0, 0, 40, 12, 6000), new(hung(100, 0, 50, 20, 5000)), target.Guardrails{MaxErrorPercent: new(5.0)}, ""},
		{"no answer for long, and one of few that the old stack has takes as long", at(5000, hung(0, 0, 40, 12, 6000)), new(at(10, hung(60, 0, 1, 1, 20000))), target.Guardrails{MaxErrorPercent: new(5.0)}, "30.00 % of 40 requests in 10s failed, 12 of them by waiting in vain for 5s, at most 5 % may"},
		{"no answer for long, and half of what the old stack has takes as long", at(6000, hung(0, 0, 40, 12, 6000)), new(at(5000, hung(60, 0, 1, 1, 20000))), target.Guardrails{MaxErrorPercent: new(5.0)}, ""},
		{"no answer for long, and too few requests to compare with", hung(0, 0, 40, 12, 6000), new(answered(19, 0, 90)), target.Guardrails{MinimumRequests: 20, MaxErrorPercent: new(5.0)}, ""},
		{"no answer for long, and nothing to compare with", hung(0, 0, 40, 12, 6000), nil, target.Guardrails{MaxErrorPercent: new(5.0)}, ""},
		{"no answer for long to fewer than one in a hundred", hung(1000, 0, 9, 9, 90), new(answered(1000, 0, 90)), target.Guardrails{MaxErrorPercent: new(0.5)}, ""},
		{"many wait, but none for long", hung(10, 1, 90, 0, 4000), new(answered(100, 0, 90)), target.Guardrails{MaxErrorPercent: new(5.0)}, "10.00 % of 10 requests in 10s failed, at most 5 % may"},
		{"too many have waited for too long already", hung(0, 0, 20, 0, 1500), nil, target.Guardrails{MinimumRequests: 20, MaxP99Milliseconds: new(500.0)}, "the p99 latency of 20 requests in 10s, 20 of them still waiting, was 1500 ms, at most 500 ms is allowed"},
		{"too few that wait", hung(9, 0, 10, 10, 9000), nil, target.Guardrails{MinimumRequests: 20, MaxP99Milliseconds: new(500.0)}, ""},
		{"waiting for longer than in the old stack", hung(10, 0, 20, 0, 1500), new(answered(100, 0, 50)), target.Guardrails{MaxP99Ratio: new(1.5)}, "the p99 latency of 30 requests in 10s, 20 of them still waiting, was 1500 ms and the old release's 50 ms, at most 1.5 times as much is allowed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := judge.Breach(c.m, c.old, c.limits); got != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}
