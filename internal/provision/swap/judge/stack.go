package judge

import (
	"fmt"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

const (
	// maxRestarts is how often an instance of a candidate may end before its release is given up.
	maxRestarts = 3
	// sickLimit is how long an instance of a watched release may be without health.
	sickLimit = 10 * time.Second
)

// Gate is how strictly a stack is looked at.
type Gate int

// The gates.
const (
	Routed   Gate = iota // each instance that takes requests is healthy
	All                  // workers as well
	Steadily             // each that takes requests passed its threshold and held it for the minimum time
	Working              // workers only, and they have held it for the minimum time
)

func (g Gate) covers(c target.Component) bool {
	if c.Worker() {
		return g == All || g == Working
	}
	return g != Working
}

// Missing says what keeps a stack from passing a gate, nil if it passes. It must have as many
// instances as it is to have, and never none. Hold is the minimum time, at the moment of the
// observation.
func Missing(st target.StackStatus, g Gate, hold time.Duration, at time.Time) *Gap {
	if len(st.Spec.Definition.Components) == 0 {
		return &Gap{What: "there is no stack"}
	}
	for _, name := range target.SortedKeys(st.Spec.Definition.Components) {
		c := st.Spec.Definition.Components[name]
		if !g.covers(c) {
			continue
		}
		instances, want := st.Of(name), max(Size(st)[name], 1)
		if len(instances) < want {
			return &Gap{What: about(st, name, "did not reach %d instance(s)", want), Seen: fmt.Sprintf("it has %d", len(instances))}
		}
		for _, i := range instances {
			switch {
			case !i.Running || !i.Healthy, g == Steadily && i.Passes < c.HealthCheck.HealthyThreshold:
				return Instance(st, i, "did not become healthy")
			case g >= Steadily && (i.HealthySince == nil || at.Sub(*i.HealthySince) < hold):
				return Instance(st, i, "did not stay healthy for %s", hold)
			}
		}
	}
	return nil
}

// Size is how many instances each component of a stack is to have now.
func Size(st target.StackStatus) map[string]int {
	if st.Scale != nil {
		return st.Scale
	}
	return st.Spec.Capacity
}

// Dead says what keeps a stack from answering at all, nil if it can: each component that
// takes requests has a healthy instance.
func Dead(st target.StackStatus) *Gap {
	if len(st.Spec.Definition.Components) == 0 {
		return &Gap{What: "there is no stack"}
	}
	for _, name := range target.SortedKeys(st.Spec.Definition.Components) {
		if st.Spec.Definition.Components[name].Worker() {
			continue
		}
		last := &Gap{What: about(st, name, "has no healthy instance")}
		for _, i := range st.Of(name) {
			if i.Healthy {
				last = nil
				break
			}
			last = Instance(st, i, "has no healthy instance")
		}
		if last != nil {
			return last
		}
	}
	return nil
}

// Broken says why waiting can't help a candidate: an instance that can't start or keeps ending.
func Broken(st target.StackStatus) *Gap {
	for _, i := range st.Instances {
		switch {
		case i.Permanent:
			return Instance(st, i, "can't be started")
		case i.Restarts >= maxRestarts:
			gap := Instance(st, i, "ended %d times", i.Restarts)
			if i.LastEnd != "" { // and not how the one is that was started since
				gap.Seen = fmt.Sprintf("instance %d: %s", i.Index, i.LastEnd)
			}
			return gap
		}
	}
	return nil
}

// Sick says what is wrong with the instances of a stack that carries traffic. What was added
// under load may take as long to start as any.
func Sick(st target.StackStatus, start time.Duration, at time.Time) *Gap {
	if gap := Dead(st); gap != nil {
		return gap
	}
	for _, i := range st.Instances {
		limit := sickLimit
		if i.Index > st.Spec.Capacity[i.Component] {
			limit = max(limit, start)
		}
		worker := st.Spec.Definition.Components[i.Component].Worker()
		if !worker && i.UnhealthySince != nil && at.Sub(*i.UnhealthySince) >= limit {
			return Instance(st, i, "was not healthy for %s", limit)
		}
	}
	return nil
}

// Ailing says which instance of a stack that carries traffic is not healthy at the moment, of
// those that it is to have at the least. Sick says when that has lasted too long.
func Ailing(st target.StackStatus) *Gap {
	for _, i := range st.Instances {
		if c := st.Spec.Definition.Components[i.Component]; !c.Worker() && !i.Healthy && i.Index <= floor(st, i.Component) {
			return Instance(st, i, "is not healthy")
		}
	}
	return nil
}

// TookOver is when the last worker of a stack, of those that it is to have at the least,
// became healthy; zero without any.
func TookOver(st target.StackStatus) time.Time {
	var last time.Time
	for _, i := range st.Instances {
		c := st.Spec.Definition.Components[i.Component]
		if c.Worker() && i.Index <= floor(st, i.Component) && i.HealthySince != nil && i.HealthySince.After(last) {
			last = *i.HealthySince
		}
	}
	return last
}

// floor is how many instances of a component are there whatever the load is.
func floor(st target.StackStatus, component string) int {
	return max(st.Spec.Capacity[component], st.Spec.Definition.Components[component].Scaling.Min)
}

// Ended says which worker ended since it was started, nil if none did.
func Ended(st target.StackStatus) *Gap {
	for _, i := range st.Instances {
		if st.Spec.Definition.Components[i.Component].Worker() && (i.Restarts > 0 || i.Permanent) {
			return Instance(st, i, "ended after it took over")
		}
	}
	return nil
}
