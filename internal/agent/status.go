//go:build !windows

package agent

import (
	"context"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/platform"
	"github.com/slipway-platform/terraform-provider-slipway/internal/agentapi"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// survey is everything that runs, for people and scripts.
func survey(ctx context.Context, p *platform.Platform) (agentapi.Survey, error) {
	out := agentapi.Survey{Slots: []agentapi.SlotSurvey{}}
	id, err := p.Installation(ctx)
	if err != nil {
		return out, nil // nothing is installed yet
	}
	out.Installation = id
	regions, err := p.ListRegions(ctx)
	if err != nil {
		return out, err
	}
	for _, r := range regions {
		out.Regions = append(out.Regions, r.Spec.Name)
	}
	environments, err := p.ListEnvironments(ctx)
	if err != nil {
		return out, err
	}
	for _, e := range environments {
		out.Environments = append(out.Environments, agentapi.EnvironmentSurvey{
			ID: e.Spec.ID(), Ready: e.Meta.Ready, Problem: e.Meta.Problem, Status: e.Status,
		})
		slots, err := p.ListSlots(ctx, e.Spec.ID())
		if err != nil {
			return out, err
		}
		for _, rec := range slots {
			seen, err := p.Observe(ctx, rec.Asked.ID())
			if err != nil {
				return out, err
			}
			out.Slots = append(out.Slots, slotSurvey(rec, seen))
		}
	}
	for _, b := range p.BadRecords() {
		out.BadRecords = append(out.BadRecords, agentapi.BadRecordSurvey(b))
	}
	for id, t := range p.Traffic() {
		out.Databases = append(out.Databases, agentapi.ServerSurvey{Environment: id, Connections: t.Connections, Statements: t.Statements})
	}
	return out, nil
}

func slotSurvey(rec target.SlotRecord, seen target.Observation) agentapi.SlotSurvey {
	if rec.Swap != nil {
		if ended, ok := rec.Swap.Unapproved(rec.Asked.Policy, seen); ok {
			rec.Swap = &ended
		}
	}
	s := agentapi.SlotSurvey{ID: rec.Asked.ID(), Swap: rec.Swap, Hold: rec.Hold}
	for c, st := range seen.Stacks {
		view := agentapi.StackSurvey{Role: role(rec, seen, c), Color: c, Release: st.Spec.Definition.Release, Serves: c == seen.Serving, RetireAt: st.RetireAt}
		for _, i := range st.Instances {
			view.Instances++
			if i.Healthy {
				view.Healthy++
			}
		}
		if view.Serves {
			s.Serving = view.Release
		}
		s.Stacks = append(s.Stacks, view)
	}
	return s
}

// role is what a stack is in its slot.
func role(rec target.SlotRecord, seen target.Observation, c target.Color) string {
	id := seen.Stacks[c].Spec.SwapID
	switch w := rec.Swap; {
	case c == seen.Serving:
		return "live"
	case w != nil && !w.Phase.Finished() && id == w.ID:
		return "candidate"
	case seen.Serving != "" && id == rec.Passed[c].SwapID:
		return "fallback"
	}
	return "leftover"
}

// idleLimit is how long an agent without anything to look after waits for its first region.
const idleLimit = time.Minute
