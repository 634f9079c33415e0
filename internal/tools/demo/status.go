package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agentapi"
)

// slots asks the agent for all slots.
func (p place) slots(ctx context.Context) ([]agentapi.SlotSurvey, error) {
	raw, err := exec.CommandContext(ctx, p.provider(), "agent", "status", "--json", "--data-dir", p.data()).Output()
	if err != nil {
		return nil, fmt.Errorf("ask the agent: %w", err)
	}
	var survey agentapi.Survey
	if err := json.Unmarshal(raw, &survey); err != nil {
		return nil, fmt.Errorf("read the agent's status: %w", err)
	}
	return survey.Slots, nil
}

// slot asks for one slot that has been switched.
func (p place) slot(ctx context.Context, id string) (agentapi.SlotSurvey, error) {
	slots, err := p.slots(ctx)
	if err != nil {
		return agentapi.SlotSurvey{}, err
	}
	for _, s := range slots {
		if s.ID.String() == id && s.Swap != nil {
			return s, nil
		}
	}
	return agentapi.SlotSurvey{}, fmt.Errorf("the agent knows nothing of slot %q", id)
}
