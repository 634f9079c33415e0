package judge_test

import (
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/swap/judge"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// jobs are a worker's instances that became healthy so many minutes after noon, beside one of
// a component that takes requests.
func jobs(minutes ...int) target.StackStatus {
	st := target.StackStatus{Spec: target.StackSpec{
		Capacity: map[string]int{"jobs": 2, "api": 1},
		Definition: target.Definition{Release: "2", Components: map[string]target.Component{
			"jobs": {Scaling: target.Scaling{Min: 1, Max: 5}},
			"api":  {Scaling: target.Scaling{Min: 1, Max: 1}, Routes: []target.Route{{PathPrefix: "/"}}, HealthCheck: &target.HealthCheck{}},
		}},
	}}
	healthy := func(component string, index, minute int) {
		at := noon.Add(time.Duration(minute) * time.Minute)
		st.Instances = append(st.Instances, target.InstanceStatus{Component: component, Index: index, Running: true, Healthy: true, HealthySince: &at})
	}
	healthy("api", 1, 59)
	for i, minute := range minutes {
		healthy("jobs", i+1, minute)
	}
	return st
}

func TestTookOverIsWhenTheLastWorkerOfTheFewestWasReady(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		st   target.StackStatus
		want time.Time
	}{
		"the last one counts":                      {jobs(1, 3), noon.Add(3 * time.Minute)},
		"in whatever order":                        {jobs(3, 1), noon.Add(3 * time.Minute)},
		"what was added under load does not count": {jobs(1, 3, 9), noon.Add(3 * time.Minute)},
		"nor does what takes requests":             {jobs(), time.Time{}},
	} {
		if got := judge.TookOver(c.st); !got.Equal(c.want) {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}
