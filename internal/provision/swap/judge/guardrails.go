package judge

import (
	"fmt"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// Breach says which guardrail a measurement breaks, with the figures, "" if none. Old is what
// the old stack answered, nil where there is nothing to compare with. Too few requests of a
// side are not judged.
func Breach(m target.Measurement, old *target.Measurement, g target.Guardrails) string {
	if !enough(m, g) {
		return ""
	}
	of := fmt.Sprintf("of %d requests in %s", m.Requests, span(m.To.Sub(m.From)))
	errors := m.ErrorPercent()
	switch {
	case g.MaxErrorPercent != nil && errors > *g.MaxErrorPercent:
		return fmt.Sprintf("%.2f %% %s failed, at most %g %% may", errors, of, *g.MaxErrorPercent)
	case g.MaxP99Milliseconds != nil && m.P99Milliseconds > *g.MaxP99Milliseconds:
		return fmt.Sprintf("the p99 latency %s was %.0f ms, at most %g ms is allowed", of, m.P99Milliseconds, *g.MaxP99Milliseconds)
	case old == nil || !enough(*old, g):
	case g.MaxErrorPercentOverOld != nil && errors-old.ErrorPercent() > *g.MaxErrorPercentOverOld:
		return fmt.Sprintf("%.2f %% %s failed and %.2f %% of the old release's, at most %g percentage points more may", errors, of, old.ErrorPercent(), *g.MaxErrorPercentOverOld)
	case g.MaxP99Ratio != nil && old.P99Milliseconds > 0 && m.P99Milliseconds > *g.MaxP99Ratio*old.P99Milliseconds:
		return fmt.Sprintf("the p99 latency %s was %.0f ms and the old release's %.0f ms, at most %g times as much is allowed", of, m.P99Milliseconds, old.P99Milliseconds, *g.MaxP99Ratio)
	}
	return ""
}

// span is a length of time for people.
func span(d time.Duration) string {
	if d < time.Second {
		return "less than a second"
	}
	return d.Round(100 * time.Millisecond).String()
}

func enough(m target.Measurement, g target.Guardrails) bool {
	return m.Requests > 0 && m.Requests >= int64(g.MinimumRequests)
}
