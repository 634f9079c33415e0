package target

import (
	"context"
	"time"
)

// Traffic says who carries a slot's traffic.
type Traffic struct {
	// Color is the seat that serves: everything but Percent of the requests, which go to the
	// stack in the other seat (0 … 99).
	Color   Color `json:"color"`
	Percent int   `json:"percent,omitempty"`
	// StickyBy keeps a client on one side. A growing Percent moves clients only to the other
	// seat, a shrinking one only back. What a target can't divide by CheckSlot and SetTraffic
	// refuse with ErrInvalid.
	StickyBy StickyBy `json:"sticky_by,omitempty"`
}

// Meters measure what stacks answer.
type Meters interface {
	// Measure sums up what each stack of a slot answered through the production entrance from
	// a moment on, up to now or to the last moment that the target knows of. Nothing is counted
	// that was answered before; a target that counts in buckets leaves out the one that began
	// before, and begins a new one with each SetTraffic that changes something. Buckets of a
	// clock that is not the target's can't: then From says from when on. A stack that answered
	// nothing may be left out.
	Measure(ctx context.Context, id SlotID, from time.Time) (map[Color]Measurement, error)
}

// LateMeters is of drivers whose meters tell only later what was answered.
type LateMeters interface {
	// MeteredWithin is how far back from now Measure has to be asked to tell anything.
	MeteredWithin() time.Duration
	// Judged is how much of a time that a share is held for, or watched, is measured before it is
	// over, at least.
	Judged(held time.Duration) time.Duration
}

// UnansweredAfter is how long a request waits for its answer to begin before it counts as one
// that gets none.
const UnansweredAfter = 5 * time.Second

// Measurement is what a stack answered in a time.
type Measurement struct {
	// From and To are what is covered. Who measures on from To misses nothing.
	From time.Time `json:"from,omitzero"`
	To   time.Time `json:"to,omitzero"`
	// Requests counts all, Errors those that got an answer of 500 or above, or none.
	Requests int64 `json:"requests"`
	Errors   int64 `json:"errors"`
	// P50Milliseconds and P99Milliseconds are quantiles of the time from a request's arrival
	// to the end of its answer, or up to now where it is waiting; 0 without requests. Streams do
	// not count.
	P50Milliseconds float64 `json:"p50_milliseconds"`
	P99Milliseconds float64 `json:"p99_milliseconds"`
	// Waiting counts the requests, none of Requests, that have waited a second and longer for
	// their answer to begin, at To. Unanswered counts those of them that have waited for
	// UnansweredAfter and longer, and those of Requests that were given up after that time
	// without any answer. A target that can't see requests before they are answered leaves both 0.
	Waiting    int64 `json:"waiting,omitempty"`
	Unanswered int64 `json:"unanswered,omitempty"`
	// Unclear counts those of Requests, none of Errors, whose answer is not known: streams, those of clients
	// that left, and those that failed, which are MayHaveFailed at most. Targets that know leave both 0.
	Unclear       int64 `json:"unclear,omitempty"`
	MayHaveFailed int64 `json:"may_have_failed,omitempty"`
}

// ErrorPercent is the part of requests that failed, 0 without requests.
func (m Measurement) ErrorPercent() float64 {
	if m.Requests == 0 {
		return 0
	}
	return 100 * float64(m.Errors) / float64(m.Requests)
}

// Seen counts all requests that a release can be judged by: those that ended, and those that wait.
func (m Measurement) Seen() int64 { return m.Requests + m.Waiting }

// Logs shows what instances print.
type Logs interface {
	// ReadLogs returns the last lines of a component's instances in all stacks of a slot,
	// known passwords replaced.
	ReadLogs(ctx context.Context, id SlotID, component string, lines int) ([]InstanceLog, error)
}

// InstanceLog is what one instance printed last.
type InstanceLog struct {
	Color   Color    `json:"color"`
	Release string   `json:"release"`
	Index   int      `json:"index"`
	Lines   []string `json:"lines"`
}
