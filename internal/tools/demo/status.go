package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"time"
)

// slotStatus is what the agent tells of a deployment slot.
type slotStatus struct {
	ID      string `json:"id"`
	Serving string `json:"serving_release"`
	Swap    *swap  `json:"swap"`
}

// swap is the current swap of a slot, or its last one.
type swap struct {
	ID         string     `json:"id"`
	Phase      string     `json:"phase"`
	Release    string     `json:"release"`
	StartedAt  time.Time  `json:"started_at"`
	SwitchedAt *time.Time `json:"switched_at"`
	EndedAt    *time.Time `json:"ended_at"`
	Steps      []step     `json:"steps"`
}

// step is a phase that a swap has reached.
type step struct {
	Phase string    `json:"phase"`
	At    time.Time `json:"at"`
	Note  string    `json:"note"`
}

// slots asks the agent for all slots. It is the only place that knows how to ask.
func (p place) slots(ctx context.Context) (map[string]slotStatus, error) {
	raw, err := exec.CommandContext(ctx, p.provider(), "agent", "status", "--json", "--data-dir", p.data()).Output()
	if err != nil {
		return nil, fmt.Errorf("ask the agent: %w", err)
	}
	var status struct {
		Slots []slotStatus `json:"slots"`
	}
	if err := json.Unmarshal(raw, &status); err != nil {
		return nil, fmt.Errorf("read the agent's status: %w", err)
	}
	slots := map[string]slotStatus{}
	for _, s := range status.Slots {
		slots[s.ID] = s
	}
	return slots, nil
}

// slot asks for one slot.
func (p place) slot(ctx context.Context, id string) (slotStatus, error) {
	slots, err := p.slots(ctx)
	if err != nil {
		return slotStatus{}, err
	}
	s, ok := slots[id]
	if !ok || s.Swap == nil {
		return slotStatus{}, fmt.Errorf("the agent knows nothing of slot %q", id)
	}
	return s, nil
}
