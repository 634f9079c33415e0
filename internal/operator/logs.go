package operator

import (
	"context"
	"fmt"
	"strings"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// logs shows what a component's instances printed last.
func logs(ctx context.Context, c *call) error {
	id := c.id
	state, err := c.ReadSlot(ctx, id)
	if err != nil {
		return err
	}
	component, known := c.words[1], map[string]bool{}
	for _, st := range state.Observation.Stacks {
		for name := range st.Spec.Definition.Components {
			known[name] = true
		}
	}
	if !known[component] {
		return fmt.Errorf("no stack of slot %q has a component %q: expected one of %s", id, component, strings.Join(target.SortedKeys(known), ", "))
	}
	all, err := c.driver.ReadLogs(ctx, id, component, c.lines)
	if err != nil {
		return fmt.Errorf("read the logs of component %q of slot %q: %w", component, id, err)
	}
	if c.json {
		return c.encode(all)
	}
	for _, l := range all {
		fmt.Fprintf(c.Stdout, "== %s %s, instance %d (%s)\n", component, l.Release, l.Index, l.Color)
		if len(l.Lines) == 0 {
			fmt.Fprintln(c.Stdout, "(it has printed nothing)")
		}
		for _, line := range l.Lines {
			fmt.Fprintln(c.Stdout, line)
		}
	}
	return nil
}
