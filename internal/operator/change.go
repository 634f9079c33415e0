package operator

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision"
)

// promote approves the candidate that waits and brings it live.
func promote(ctx context.Context, c *call) error {
	id := c.id
	if c.release == "" {
		state, err := c.ReadSlot(ctx, id)
		if err != nil {
			return err
		}
		w := state.Record.Swap
		if w == nil || w.Phase.Finished() {
			return fmt.Errorf("slot %q has no candidate that waits for approval; see: terraform-provider-slipway status", id)
		}
		c.release = w.Release
	}
	state, err := c.telling().Promote(ctx, id, c.by, c.release)
	if err != nil {
		return err
	}
	return c.tellState(state, fmt.Sprintf("Release %s of slot %q is live.", c.release, id))
}

// rollback sends the traffic back to the fallback and leaves a hold.
func rollback(ctx context.Context, c *call) error {
	id := c.id
	state, err := c.telling().RollBack(ctx, id, c.by, c.reason)
	if err != nil {
		return err
	}
	text := fmt.Sprintf("The traffic of slot %q went back.", id)
	if st, ok := state.Serving(); ok {
		text = fmt.Sprintf("Release %s of slot %q serves all traffic again.", st.Spec.Definition.Release, id)
	}
	if h := state.Record.Hold; h != nil {
		text += fmt.Sprintf(" Release %s is on hold: an apply that asks for it fails without touching the slot, until it asks for another release or raises retry above %d.", h.Release, h.Retry)
	}
	return c.tellState(state, text)
}

// telling is the provisioner of a change that tells of each phase.
func (c *call) telling() *provision.Provisioner {
	out := c.Stdout
	if c.json {
		out = c.Stderr
	}
	follow := provision.Follow(c.driver, func(message string) { fmt.Fprintln(out, message) })
	return provision.New(follow, c.by, provision.Options{Clock: c.Clock})
}

// tellState ends a command that changed a slot.
func (c *call) tellState(state provision.SlotState, text string) error {
	if c.json {
		return c.encode(viewOf(state))
	}
	_, err := fmt.Fprintln(c.Stdout, text)
	return err
}

func (c *call) encode(v any) error {
	e := json.NewEncoder(c.Stdout)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
