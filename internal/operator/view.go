package operator

import (
	"slices"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// slotView is a slot as the commands show it.
type slotView struct {
	ID    string       `json:"id"`
	Phase target.Phase `json:"phase,omitempty"`
	// ApprovalTimedOut says that the last candidate waited for approval in vain.
	ApprovalTimedOut bool `json:"approval_timed_out,omitempty"`
	// Percent is the share of the traffic that the release of a running swap has.
	Percent   int          `json:"percent,omitempty"`
	Live      *stackView   `json:"live,omitempty"`
	Candidate *stackView   `json:"candidate,omitempty"`
	Fallback  *stackView   `json:"fallback,omitempty"`
	Hold      *target.Hold `json:"hold,omitempty"`
	LastSwap  *target.Swap `json:"last_swap,omitempty"`
}

// stackView is a stack as the commands show it.
type stackView struct {
	Release string       `json:"release"`
	Color   target.Color `json:"color"`
	// Healthy of Wanted instances are so.
	Healthy int `json:"healthy"`
	Wanted  int `json:"wanted"`
	// RetireAt is when it is removed, and LeftSeconds how long that is from now.
	RetireAt    *time.Time              `json:"retire_at,omitempty"`
	LeftSeconds *int64                  `json:"left_seconds,omitempty"`
	Instances   []target.InstanceStatus `json:"instances"`
}

func viewOf(s provision.SlotState) slotView {
	v := slotView{
		ID: s.Record.Asked.ID().String(), Phase: s.Phase(), Percent: s.Observation.Percent,
		Live: stackOf(s, s.Serving), Candidate: stackOf(s, s.Candidate), Fallback: stackOf(s, s.Fallback),
		Hold: s.Record.Hold, ApprovalTimedOut: s.ApprovalTimedOut(),
	}
	if s.Record.Swap != nil {
		if !s.Record.Swap.Phase.Finished() {
			v.Percent = shareOf(s)
		}
		last := *s.Record.Swap
		last.Samples = nil // report has them
		v.LastSwap = &last
	}
	return v
}

func stackOf(s provision.SlotState, seat func() (target.StackStatus, bool)) *stackView {
	st, ok := seat()
	if !ok {
		return nil
	}
	v := &stackView{
		Release: st.Spec.Definition.Release, Color: st.Spec.Color, RetireAt: st.RetireAt,
		Instances: slices.Clone(st.Instances),
	}
	for i := range v.Instances {
		if v.Instances[i].Healthy {
			v.Healthy++
		}
		v.Instances[i].LastLines = nil // logs shows them
	}
	for _, n := range st.Scale {
		v.Wanted += n
	}
	v.Wanted = max(v.Wanted, len(st.Instances))
	if st.RetireAt != nil {
		left := max(0, int64(st.RetireAt.Sub(s.Observation.At).Seconds()))
		v.LeftSeconds = &left
	}
	return v
}
