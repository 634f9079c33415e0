package operator

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// history lists the swaps of a slot.
func history(ctx context.Context, c *call) error {
	id := c.id
	if _, err := c.ReadSlot(ctx, id); err != nil {
		return err
	}
	journals, err := c.ListJournals(ctx, id)
	if err != nil {
		return fmt.Errorf("list the swaps of slot %q: %w", id, err)
	}
	if c.json {
		return c.encode(journals)
	}
	if len(journals) == 0 {
		_, err := fmt.Fprintf(c.Stdout, "No swap of slot %q has ended yet.\n", id)
		return err
	}
	w := tabwriter.NewWriter(c.Stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "SWAP\tBEGAN\tTOOK\tFROM\tTO\tENDED AS\tBY\tREASON")
	for _, j := range journals {
		s := j.Swap
		from, to := s.Direction()
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.ID, s.StartedAt.UTC().Format(time.RFC3339), took(s),
			orDash(from), to, s.Phase, s.By, target.FirstLine(s.Reason))
	}
	return w.Flush()
}

// took is how long a swap lasted, "-" while it lasts.
func took(s target.Swap) string {
	if s.EndedAt == nil {
		return "-"
	}
	return s.EndedAt.Sub(s.StartedAt).Round(time.Second).String()
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
