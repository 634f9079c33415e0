package awstarget

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func TestADashboardShowsEachStackByWhatItIs(t *testing.T) {
	t.Parallel()
	sitting := func(release string, served bool, groups ...string) *seat {
		s := &seat{Served: served, TargetGroups: map[string]string{}}
		s.Spec.Definition.Release = release
		for _, g := range groups {
			s.TargetGroups[g] = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/" + release + g + "/1"
		}
		return s
	}
	for name, c := range map[string]struct {
		state slotState
		want  []string
	}{
		"nothing":               {slotState{}, nil},
		"the first candidate":   {slotState{Seats: map[target.Color]*seat{target.Blue: sitting("1", false, "api")}}, []string{"candidate 1: api"}},
		"a candidate":           {slotState{Traffic: target.Traffic{Color: target.Green}, Seats: map[target.Color]*seat{target.Blue: sitting("2", false, "api"), target.Green: sitting("1", true, "api", "web")}}, []string{"live 1: api", "live 1: web", "candidate 2: api"}},
		"a fallback":            {slotState{Traffic: target.Traffic{Color: target.Blue}, Seats: map[target.Color]*seat{target.Blue: sitting("2", true, "api"), target.Green: sitting("1", true, "api")}}, []string{"live 2: api", "fallback 1: api"}},
		"workers have no group": {slotState{Traffic: target.Traffic{Color: target.Blue}, Seats: map[target.Color]*seat{target.Blue: sitting("2", true)}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := dashboard{region: "eu-central-1", balancer: "app/eu-production/1"}
			d.slot("oms", c.state)
			charts := 0
			for _, w := range d.widgets {
				if w["type"] != "metric" {
					continue
				}
				charts++
				if got := labels(t, w); !slices.Equal(got, c.want) {
					t.Errorf("chart %d shows %q, want %q", charts, got, c.want)
				}
			}
			if want := map[bool]int{true: 4}[len(c.want) > 0]; charts != want {
				t.Errorf("%d charts, want %d", charts, want)
			}
		})
	}
}

// labels are those of a chart's lines.
func labels(t *testing.T, widget map[string]any) []string {
	t.Helper()
	b, err := json.Marshal(widget["properties"])
	if err != nil {
		t.Fatal(err)
	}
	var p struct{ Metrics [][]any }
	if err := json.Unmarshal(b, &p); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, m := range p.Metrics {
		if dimensions := m[2 : len(m)-1]; len(dimensions) != 4 {
			t.Errorf("dimensions %v", dimensions)
		}
		all = append(all, m[len(m)-1].(map[string]any)["label"].(string))
	}
	return all
}
