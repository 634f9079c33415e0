package provision

import (
	"slices"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

const observeTimeout = 15 * time.Second

// SlotState is everything that is true of a slot: what was asked, and what is seen. The zero
// value is a slot that does not exist.
type SlotState struct {
	Record      target.SlotRecord
	Observation target.Observation

	approvalTimedOut bool
}

// StateOf puts together what is true of a slot. A swap that nobody approved in time has ended,
// though nothing has been written since.
func StateOf(rec target.SlotRecord, seen target.Observation) SlotState {
	s := SlotState{Record: rec, Observation: seen}
	if rec.Swap == nil {
		return s
	}
	if ended, ok := rec.Swap.Unapproved(rec.Asked.Policy, seen); ok {
		s.Record.Swap, s.approvalTimedOut = &ended, true
	}
	return s
}

// Exists says whether the target holds a record of the slot.
func (s SlotState) Exists() bool { return s.Record.Revision > 0 }

// Serving returns the stack that carries the traffic.
func (s SlotState) Serving() (target.StackStatus, bool) {
	return s.seat(s.Observation.Serving)
}

// Candidate returns the stack that a swap is bringing up.
func (s SlotState) Candidate() (target.StackStatus, bool) {
	st, ok := s.seat(s.Observation.Serving.Other())
	w := s.Record.Swap
	return st, ok && w != nil && !w.Phase.Finished() && st.Spec.SwapID == w.ID
}

// Fallback returns the stack that served before and is kept warm.
func (s SlotState) Fallback() (target.StackStatus, bool) {
	c := s.Observation.Serving.Other()
	st, ok := s.seat(c)
	return st, ok && s.Observation.Serving != "" && st.Spec.SwapID == s.Record.Passed[c].SwapID
}

// Phase is where the slot's last swap is; "" before the first.
func (s SlotState) Phase() target.Phase {
	if s.Record.Swap == nil {
		return ""
	}
	return s.Record.Swap.Phase
}

// journal is that of the slot's last swap, which there is.
func (s SlotState) journal() target.Journal {
	return target.Journal{Slot: s.Record.Asked.ID(), Policy: s.Record.Asked.Policy, Swap: *s.Record.Swap}
}

// Drift is what somebody else has changed about the slot's stacks, in words; nil for nothing.
func (s SlotState) Drift() []string {
	c := s.Observation.Serving
	live, other := s.Observation.Stacks[c], s.Observation.Stacks[c.Other()]
	return slices.Concat(live.Drift, live.Mending, other.Drift, other.Mending)
}

// AwaitsApproval says that a tested candidate stands and waits until somebody approves it.
func (s SlotState) AwaitsApproval() bool {
	_, stands := s.Candidate()
	return stands && s.Phase() == target.PhaseAwaitingApproval
}

// ApprovalTimedOut says that nobody approved the last candidate in time: it was removed, and
// never took traffic. Its swap is presented as failed then.
func (s SlotState) ApprovalTimedOut() bool { return s.approvalTimedOut }

// Unfinished says whether there is something left that an update would resume or clean up:
// a swap that did not end, drift, a candidate that was left over, or a fallback or a candidate
// waiting for approval that outlived its deadline by more than the grace its target needs to
// remove it. Waiting itself leaves nothing to do, and neither does having waited in vain.
func (s SlotState) Unfinished(now time.Time) bool {
	if c, _ := s.Candidate(); s.AwaitsApproval() {
		return c.RetireAt != nil && now.After(c.RetireAt.Add(retireGrace))
	}
	if s.Exists() && !s.ApprovalTimedOut() && (!s.Record.Meta.Ready || s.Record.Swap != nil && !s.Record.Swap.Phase.Finished()) {
		return true
	}
	if len(s.Drift()) > 0 {
		return true
	}
	if f, ok := s.Fallback(); ok {
		return f.RetireAt != nil && now.After(f.RetireAt.Add(retireGrace))
	}
	_, leftover := s.seat(s.Observation.Serving.Other())
	return leftover
}

// retireGrace covers the drain and stop of a fallback after its deadline.
const retireGrace = 2 * time.Minute

func (s SlotState) seat(c target.Color) (target.StackStatus, bool) {
	st, ok := s.Observation.Stacks[c]
	return st, ok && c != ""
}
