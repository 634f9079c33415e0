package target

// Policy is how a slot swaps. It belongs to the slot, not to a stack.
type Policy struct {
	// StartTimeoutSeconds bounds the time from start to every instance being healthy.
	StartTimeoutSeconds int `json:"start_timeout_seconds"`
	// MinimumHealthySeconds is how long the health must hold.
	MinimumHealthySeconds int `json:"minimum_healthy_seconds"`
	// DrainSeconds bounds how long requests accepted by the old stack may take to finish.
	DrainSeconds int `json:"drain_seconds"`

	// Approval says whether a tested candidate takes traffic by itself ("" is automatic).
	Approval Approval `json:"approval,omitempty"`
	// ApprovalTimeoutSeconds is how long a candidate waits for approval before it is removed.
	ApprovalTimeoutSeconds int `json:"approval_timeout_seconds,omitempty"`
	// WaitingCapacityPercent is the part of its capacity that a candidate keeps while it
	// waits for approval, rounded up (0 is 100). It is brought back to all of it, and passes
	// the health gate again, before it takes traffic.
	WaitingCapacityPercent int `json:"waiting_capacity_percent,omitempty"`

	// Steps are the shares of the traffic that a candidate gets one after the other before it
	// gets all of it; none means all at once.
	Steps []TrafficStep `json:"steps,omitempty"`
	// StickyBy keeps a client on one side during the steps.
	StickyBy StickyBy `json:"sticky_by,omitempty"`
	// BakeSeconds is how long the release is watched once it has all traffic.
	BakeSeconds int `json:"bake_seconds"`
	// Guardrails judge the release during steps and bake.
	Guardrails Guardrails `json:"guardrails"`
	// OnTooFewRequests says what happens where a step or the bake ends without a breach and
	// without enough requests to judge ("" is promote).
	OnTooFewRequests Verdict `json:"on_too_few_requests,omitempty"`

	// FallbackWindowSeconds is how long the old stack stays warm; 0 retires it at once.
	FallbackWindowSeconds int `json:"fallback_window_seconds"`
	// FallbackUntilNextRelease keeps the old stack until the next release needs its seat.
	FallbackUntilNextRelease bool `json:"fallback_until_next_release"`
}

// Approval says who lets a tested candidate take traffic.
type Approval string

// The ways of approval.
const (
	ApprovalAutomatic Approval = "automatic"
	ApprovalManual    Approval = "manual"
)

// StickyBy says what a client is told by while the traffic is split.
type StickyBy string

// What a client is told by: "" sends each request its own way, by account everybody of one
// host name goes the same way, by client everybody with the same cookie.
const (
	StickyByAccount StickyBy = "account"
	StickyByClient  StickyBy = "client"
)

// TrafficStep is one share of the traffic, held for a time.
type TrafficStep struct {
	Percent     int `json:"percent"` // 1 … 99
	HoldSeconds int `json:"hold_seconds"`
}

// Guardrails are the limits of a release under watch. A nil limit is not looked at.
type Guardrails struct {
	// WindowSeconds is how far back a judgement looks, at most to the beginning of the step.
	// The whole step is judged as well.
	WindowSeconds int `json:"window_seconds,omitempty"`
	// MinimumRequests is how many requests must have been answered, or wait for their answer, to be judged.
	MinimumRequests int `json:"minimum_requests,omitempty"`
	// MaxErrorPercent bounds the part of requests that got a 5xx answer or none;
	// MaxErrorPercentOverOld how many percentage points it may be above the old stack's.
	MaxErrorPercent        *float64 `json:"max_error_percent,omitempty"`
	MaxErrorPercentOverOld *float64 `json:"max_error_percent_over_old,omitempty"`
	// MaxP99Milliseconds bounds the 99th percentile of the time to answer; MaxP99Ratio how
	// many times the old stack's it may be.
	MaxP99Milliseconds *float64 `json:"max_p99_milliseconds,omitempty"`
	MaxP99Ratio        *float64 `json:"max_p99_ratio,omitempty"`
}

// Any says whether there is any of the guardrails.
func (g Guardrails) Any() bool {
	return g.MaxErrorPercent != nil || g.MaxP99Milliseconds != nil || g.Relative()
}

// Relative says whether any of the guardrails compares a release with the one before.
func (g Guardrails) Relative() bool { return g.MaxErrorPercentOverOld != nil || g.MaxP99Ratio != nil }

// Verdict is what to do with a release that could not be judged.
type Verdict string

// The verdicts.
const (
	VerdictPromote  Verdict = "promote"
	VerdictRollBack Verdict = "roll_back"
)
