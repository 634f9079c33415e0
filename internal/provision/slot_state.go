package provision

import (
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

const observeTimeout = 15 * time.Second

// SlotState is everything that is true of a slot: what was asked, and what is seen. The zero
// value is a slot that does not exist.
type SlotState struct {
	Record      target.SlotRecord
	Observation target.Observation
}

// Exists says whether the target holds a record of the slot.
func (s SlotState) Exists() bool { return s.Record.Revision > 0 }

// Serving returns the stack that carries the traffic.
func (s SlotState) Serving() (target.StackStatus, bool) {
	return s.seat(s.Observation.Serving)
}

// Candidate returns the stack that a swap is bringing up.
func (s SlotState) Candidate() (target.StackStatus, bool) {
	c := s.Observation.Serving.Other()
	if w := s.Record.Swap; w == nil || w.Phase.Finished() || w.To != c {
		return target.StackStatus{}, false
	}
	return s.seat(c)
}

// Fallback returns the stack that served before and is kept warm.
func (s SlotState) Fallback() (target.StackStatus, bool) {
	if s.Observation.Serving == "" {
		return target.StackStatus{}, false
	}
	c := s.Observation.Serving.Other()
	if w := s.Record.Swap; w != nil && !w.Phase.Finished() && w.To == c && !w.Reuse {
		return target.StackStatus{}, false
	}
	return s.seat(c)
}

// Phase is where the slot's last swap is; "" before the first.
func (s SlotState) Phase() target.Phase {
	if s.Record.Swap == nil {
		return ""
	}
	return s.Record.Swap.Phase
}

// Unfinished says whether there is something left that an update would resume or clean up:
// a swap that did not end, or a fallback that outlived its deadline by more than the grace
// its target needs to remove it.
func (s SlotState) Unfinished(now time.Time) bool {
	if s.Exists() && (!s.Record.Meta.Ready || s.Record.Swap != nil && !s.Record.Swap.Phase.Finished()) {
		return true
	}
	f, ok := s.Fallback()
	return ok && f.RetireAt != nil && now.After(f.RetireAt.Add(retireGrace))
}

// retireGrace covers the drain and stop of a fallback after its deadline.
const retireGrace = 2 * time.Minute

func (s SlotState) seat(c target.Color) (target.StackStatus, bool) {
	st, ok := s.Observation.Stacks[c]
	return st, ok && c != ""
}
