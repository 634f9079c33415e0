package scale

import (
	"math"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

const (
	// SettleTime is how long fewer instances must have been enough before one is ended.
	SettleTime = 60 * time.Second
	// StepTime is the least time between the ends of two.
	StepTime = 15 * time.Second
	// margin keeps a load that is about right from moving anything: more instances come when
	// it is this much above what they are to carry, one goes when the others would still be
	// this much below.
	margin = 0.1
)

// Load is what the instances of a component have to do, all of them together.
type Load struct {
	CPUPercent float64 // in percent of one CPU
	Requests   float64 // that are being answered at a time
}

// State is what is remembered of a component from one decision to the next.
type State struct {
	// Instances is how many there are to be.
	Instances int
	// SurplusSince is since when fewer have been enough, SteppedAt when one was ended last;
	// zero for never.
	SurplusSince time.Time
	SteppedAt    time.Time
}

// Next decides. Floor is the fewest instances whatever the load, which beats even s.Max. A
// component whose stack carries no traffic, or whose load nobody asked to follow, is brought
// to the floor at once; otherwise it grows at once and shrinks one by one.
func (st State) Next(s target.Scaling, floor int, carries bool, l Load, now time.Time) State {
	most := max(s.Max, floor)
	follows := s.TargetCPUPercent > 0 || s.TargetConcurrentRequests > 0
	if !carries || !follows {
		return State{Instances: floor}
	}
	enough, more := need(s, l, 1+margin), need(s, l, 1)
	switch present := min(max(st.Instances, floor), most); {
	case need(s, l, 1/(1+margin)) > present && present < most:
		return State{Instances: min(more, most)}
	case enough >= present || present == floor:
		return State{Instances: present}
	case st.SurplusSince.IsZero() || present != st.Instances:
		return State{Instances: present, SurplusSince: now}
	case now.Sub(st.SurplusSince) < SettleTime || now.Sub(st.SteppedAt) < StepTime:
		return st
	default:
		return State{Instances: present - 1, SurplusSince: st.SurplusSince, SteppedAt: now}
	}
}

// need is how many instances a load asks for that is so many times as high.
func need(s target.Scaling, l Load, times float64) int {
	n := 0
	if s.TargetCPUPercent > 0 {
		n = ceil(l.CPUPercent * times / float64(s.TargetCPUPercent))
	}
	if s.TargetConcurrentRequests > 0 {
		n = max(n, ceil(l.Requests*times/float64(s.TargetConcurrentRequests)))
	}
	return n
}

// ceil rounds up, but for what only the arithmetic added.
func ceil(f float64) int { return int(math.Ceil(f - 1e-9)) }
