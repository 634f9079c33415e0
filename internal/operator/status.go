package operator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// platformView is everything that a target holds.
type platformView struct {
	Installation string            `json:"installation"`
	Where        string            `json:"where"`
	Regions      []regionView      `json:"regions"`
	Environments []environmentView `json:"environments"`
	Slots        []slotView        `json:"slots"`
}

type regionView struct {
	Name         string `json:"name"`
	Location     string `json:"location"`
	Jurisdiction string `json:"jurisdiction"`
	Ready        bool   `json:"ready"`
	Problem      string `json:"problem,omitempty"`
}

type environmentView struct {
	ID         string `json:"id"`
	Kind       string `json:"kind"`
	Tenancy    string `json:"tenancy"`
	URL        string `json:"url"`
	PreviewURL string `json:"preview_url"`
	Ready      bool   `json:"ready"`
	Problem    string `json:"problem,omitempty"`
	Databases  int    `json:"account_databases"`
}

// status shows everything that there is.
func status(ctx context.Context, c *call) error {
	v, err := c.survey(ctx)
	if err != nil {
		return err
	}
	if c.json {
		return c.encode(v)
	}
	return v.print(c.Stdout)
}

func (c *call) survey(ctx context.Context) (platformView, error) {
	v := platformView{Where: c.driver.Where(), Regions: []regionView{}, Environments: []environmentView{}, Slots: []slotView{}}
	var err error
	if v.Installation, err = c.driver.Installation(ctx); err != nil {
		return v, err
	}
	regions, err := c.ListRegions(ctx)
	if err != nil {
		return v, fmt.Errorf("list regions: %w", err)
	}
	for _, r := range regions {
		v.Regions = append(v.Regions, regionView{r.Spec.Name, r.Spec.Location, r.Spec.Jurisdiction, r.Meta.Ready, r.Meta.Problem})
	}
	environments, err := c.ListEnvironments(ctx)
	if err != nil {
		return v, fmt.Errorf("list environments: %w", err)
	}
	for _, e := range environments {
		id := e.Spec.ID()
		databases, err := c.driver.ListAccountDatabases(ctx, id)
		if errors.Is(err, target.ErrNotFound) {
			continue // destroyed meanwhile
		}
		if err != nil {
			return v, fmt.Errorf("list account databases of %q: %w", id, err)
		}
		v.Environments = append(v.Environments, environmentView{
			ID: id.String(), Kind: e.Spec.Kind, Tenancy: e.Spec.Tenancy, URL: e.Status.URL, PreviewURL: e.Status.PreviewURL,
			Ready: e.Meta.Ready, Problem: e.Meta.Problem, Databases: len(databases),
		})
		slots, err := c.ListSlots(ctx, id)
		if err != nil && !errors.Is(err, target.ErrNotFound) {
			return v, fmt.Errorf("list deployment slots of %q: %w", id, err)
		}
		for _, s := range slots {
			state, err := c.ReadSlot(ctx, s.Asked.ID())
			if errors.Is(err, target.ErrNotFound) {
				continue // destroyed meanwhile
			}
			if err != nil {
				return v, fmt.Errorf("read deployment slot %q: %w", s.Asked.ID(), err)
			}
			v.Slots = append(v.Slots, viewOf(state))
		}
	}
	return v, nil
}

func (v platformView) print(out io.Writer) error {
	fmt.Fprintf(out, "Installation %s, %s\n", v.Installation, v.Where)
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "\nREGION\tLOCATION\tJURISDICTION\tSTATE")
	for _, r := range v.Regions {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", r.Name, r.Location, r.Jurisdiction, stateOf(r.Ready, r.Problem))
	}
	if len(v.Environments) > 0 {
		fmt.Fprintln(w, "\nENVIRONMENT\tKIND\tTENANCY\tACCOUNTS\tURL\tSTATE")
	}
	for _, e := range v.Environments {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\n", e.ID, e.Kind, e.Tenancy, e.Databases, e.URL, stateOf(e.Ready, e.Problem))
	}
	if len(v.Slots) > 0 {
		fmt.Fprintln(w, "\nSLOT\tPHASE\tLIVE\tCANDIDATE\tFALLBACK\tHOLD")
	}
	for _, s := range v.Slots {
		hold := "-"
		if s.Hold != nil {
			hold = fmt.Sprintf("%s, by %s", s.Hold.Release, s.Hold.By)
		}
		phase := string(s.Phase)
		switch {
		case s.ApprovalTimedOut:
			phase = "approval timed out"
		case s.Percent > 0:
			phase += fmt.Sprintf(" (%d %%)", s.Percent)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", s.ID, phase, s.Live, s.Candidate, s.Fallback, hold)
	}
	return w.Flush()
}

// stateOf is what a region or an environment is in a table.
func stateOf(ready bool, problem string) string {
	switch {
	case problem != "":
		return problem
	case !ready:
		return "being made"
	}
	return "ready"
}

// String is a stack in a table: release, health and time left.
func (v *stackView) String() string {
	if v == nil {
		return "-"
	}
	text := fmt.Sprintf("%s %d/%d", v.Release, v.Healthy, v.Wanted)
	if v.LeftSeconds != nil {
		text += fmt.Sprintf(", %s left", time.Duration(*v.LeftSeconds)*time.Second)
	}
	return text
}
