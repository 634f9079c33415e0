package scale

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

func TestNext(t *testing.T) {
	t.Parallel()
	both := target.Scaling{Min: 1, Max: 10, TargetCPUPercent: 50, TargetConcurrentRequests: 20}
	cpu := target.Scaling{Min: 1, Max: 10, TargetCPUPercent: 50}
	long, short := noon.Add(-SettleTime), noon.Add(-SettleTime+time.Second)
	for name, c := range map[string]struct {
		before  State
		scaling target.Scaling
		floor   int
		idle    bool
		load    Load
		want    State
	}{
		"a new component begins at its floor":                       {State{}, both, 2, false, Load{}, State{Instances: 2}},
		"requests bring as many instances as they need at once":     {State{Instances: 1}, both, 1, false, Load{Requests: 95}, State{Instances: 5}},
		"CPU brings as many instances as it needs at once":          {State{Instances: 1}, both, 1, false, Load{CPUPercent: 199}, State{Instances: 4}},
		"the greater of both needs counts":                          {State{Instances: 1}, both, 1, false, Load{CPUPercent: 99, Requests: 70}, State{Instances: 4}},
		"a load within the margin moves nothing":                    {State{Instances: 2}, both, 1, false, Load{Requests: 43}, State{Instances: 2}},
		"no load brings more than the maximum":                      {State{Instances: 9}, both, 1, false, Load{Requests: 5000}, State{Instances: 10}},
		"a floor above the maximum counts":                          {State{Instances: 10}, both, 12, false, Load{Requests: 5000}, State{Instances: 12}},
		"what has its load at the floor stays there":                {State{Instances: 2}, both, 2, false, Load{}, State{Instances: 2}},
		"a raised floor brings instances at once":                   {State{Instances: 2, SurplusSince: long}, both, 4, false, Load{}, State{Instances: 4}},
		"a lowered maximum ends instances at once":                  {State{Instances: 20}, both, 1, false, Load{Requests: 5000}, State{Instances: 10}},
		"fewer being enough is noted":                               {State{Instances: 4}, both, 1, false, Load{Requests: 20}, State{Instances: 4, SurplusSince: noon}},
		"nothing is ended before fewer were enough long enough":     {State{Instances: 4, SurplusSince: short}, both, 1, false, Load{}, State{Instances: 4, SurplusSince: short}},
		"one is ended after fewer were enough long enough":          {State{Instances: 4, SurplusSince: long}, both, 1, false, Load{}, State{Instances: 3, SurplusSince: long, SteppedAt: noon}},
		"the next one waits for its step":                           {State{Instances: 3, SurplusSince: long, SteppedAt: noon.Add(-StepTime + 1)}, both, 1, false, Load{}, State{Instances: 3, SurplusSince: long, SteppedAt: noon.Add(-StepTime + 1)}},
		"the next one is ended a step later":                        {State{Instances: 3, SurplusSince: long, SteppedAt: noon.Add(-StepTime)}, both, 1, false, Load{}, State{Instances: 2, SurplusSince: long, SteppedAt: noon}},
		"a load that the others would hardly carry ends nobody":     {State{Instances: 3, SurplusSince: long}, both, 1, false, Load{Requests: 39}, State{Instances: 3}},
		"a load that comes back begins the time anew":               {State{Instances: 3, SurplusSince: long}, both, 1, false, Load{Requests: 60}, State{Instances: 3}},
		"a component that follows no requests does not look at any": {State{Instances: 2}, cpu, 2, false, Load{Requests: 500}, State{Instances: 2}},
		"what carries no traffic goes to its floor at once":         {State{Instances: 6}, both, 3, true, Load{CPUPercent: 500}, State{Instances: 3}},
		"what follows no load goes to its floor at once":            {State{Instances: 6}, target.Scaling{Min: 1, Max: 6}, 2, false, Load{CPUPercent: 500, Requests: 500}, State{Instances: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := c.before.Next(c.scaling, c.floor, !c.idle, c.load, noon)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("another decision (-want +got):\n%s", diff)
			}
		})
	}
}

// TestNextStaysInBounds goes through arbitrary loads: never below the floor, never above the
// greater of floor and maximum, never down by more than one at a time or sooner than allowed.
func TestNextStaysInBounds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := target.Scaling{Min: rapid.IntRange(1, 5).Draw(t, "min"), TargetCPUPercent: 50, TargetConcurrentRequests: 10}
		s.Max = s.Min + rapid.IntRange(0, 20).Draw(t, "more")
		st, now, ended := State{}, noon, time.Time{}
		for range rapid.IntRange(1, 200).Draw(t, "decisions") {
			now = now.Add(time.Duration(rapid.IntRange(1, 20).Draw(t, "seconds")) * time.Second)
			l := Load{CPUPercent: rapid.Float64Range(0, 1500).Draw(t, "CPU"), Requests: rapid.Float64Range(0, 400).Draw(t, "requests")}
			next := st.Next(s, s.Min, true, l, now)
			if next.Instances < s.Min || next.Instances > s.Max {
				t.Fatalf("%d instances, of %d to %d", next.Instances, s.Min, s.Max)
			}
			if next.Instances < st.Instances {
				if st.Instances-next.Instances > 1 || now.Sub(ended) < StepTime {
					t.Fatalf("from %d to %d %s after the one before", st.Instances, next.Instances, now.Sub(ended))
				}
				ended = now
			}
			st = next
		}
	})
}
