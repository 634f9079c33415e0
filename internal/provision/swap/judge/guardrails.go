package judge

import (
	"fmt"
	"math"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// unansweredAfter is [target.UnansweredAfter] as measurements have it.
const unansweredAfter = float64(target.UnansweredAfter / time.Millisecond)

// Breach says which guardrail a measurement breaks, with the figures, "" if none. Old is what
// the old stack answered, nil where there is nothing to compare with. Too few requests of a
// side are not judged.
//
// Requests that wait count by their latency so far. Those that go unanswered count as failed
// where the old stack, by enough requests, answered 99 of 100 in less than that time, or half of
// them, and this one does not: an application may well answer when it has something to tell,
// or take long for few. Those whose answer is not known count as failed as far as they may have, and are a
// larger part of all than the old stack's: an application may have streams, and clients that leave.
func Breach(m target.Measurement, old *target.Measurement, g target.Guardrails) string {
	if !enough(m, g) {
		return ""
	}
	compared := old != nil && enough(*old, g)
	hangs := compared && m.Unanswered > 0 &&
		(m.P99Milliseconds >= unansweredAfter && old.P99Milliseconds < unansweredAfter ||
			m.P50Milliseconds >= unansweredAfter && old.P50Milliseconds < unansweredAfter)
	in := span(m.To.Sub(m.From))
	errors, failed := m.ErrorPercent(), fmt.Sprintf("of %d requests in %s failed", m.Requests, in)
	if n := unclear(m, old, compared); n > 0 {
		errors += 100 * float64(n) / float64(m.Requests)
		failed += fmt.Sprintf(", %d of them without any answer", n)
	}
	if hangs {
		errors = 100 * float64(m.Errors+m.Unanswered) / float64(m.Seen())
		failed = fmt.Sprintf("of %d requests in %s failed, %d of them by waiting in vain for %s", m.Seen(), in, m.Unanswered, target.UnansweredAfter)
	}
	slow := fmt.Sprintf("the p99 latency of %d requests in %s was %.0f ms", m.Seen(), in, m.P99Milliseconds)
	if m.Waiting > 0 {
		slow = fmt.Sprintf("the p99 latency of %d requests in %s, %d of them still waiting, was %.0f ms", m.Seen(), in, m.Waiting, m.P99Milliseconds)
	}
	switch {
	case g.MaxErrorPercent != nil && errors > *g.MaxErrorPercent:
		return fmt.Sprintf("%.2f %% %s, at most %g %% may", errors, failed, *g.MaxErrorPercent)
	case g.MaxP99Milliseconds != nil && m.P99Milliseconds > *g.MaxP99Milliseconds:
		return fmt.Sprintf("%s, at most %g ms is allowed", slow, *g.MaxP99Milliseconds)
	case !compared:
	case g.MaxErrorPercentOverOld != nil && errors-old.ErrorPercent() > *g.MaxErrorPercentOverOld:
		return fmt.Sprintf("%.2f %% %s and %.2f %% of the old release's, at most %g percentage points more may", errors, failed, old.ErrorPercent(), *g.MaxErrorPercentOverOld)
	case g.MaxP99Ratio != nil && old.P99Milliseconds > 0 && m.P99Milliseconds > *g.MaxP99Ratio*old.P99Milliseconds:
		return fmt.Sprintf("%s and the old release's %.0f ms, at most %g times as much is allowed", slow, old.P99Milliseconds, *g.MaxP99Ratio)
	}
	return ""
}

// unclear is how many of the requests whose answer is not known count as failed.
func unclear(m target.Measurement, old *target.Measurement, compared bool) int64 {
	if !compared || m.Unclear == 0 {
		return 0
	}
	usual := float64(m.Requests) * float64(old.Unclear) / float64(max(1, old.Requests))
	return min(m.MayHaveFailed, max(0, m.Unclear-int64(math.Ceil(usual))))
}

// span is a length of time for people.
func span(d time.Duration) string {
	if d < time.Second {
		return "less than a second"
	}
	return d.Round(100 * time.Millisecond).String()
}

func enough(m target.Measurement, g target.Guardrails) bool {
	return m.Seen() > 0 && m.Seen() >= int64(g.MinimumRequests)
}
