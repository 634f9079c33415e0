package memtarget

import (
	"fmt"
	"slices"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// instance is one instance of a component as it is stored.
type instance struct {
	status    target.InstanceStatus
	startedAt time.Time
	steppedAt time.Time
	steps     int // steps since the start
	checks    int // checks since it began to run
	failures  int // checks failed in a row
}

func (i *instance) start(at time.Time) {
	i.startedAt, i.steppedAt, i.steps, i.checks, i.failures = at, at, 0, 0, 0
	i.status.Passes, i.status.HealthySince = 0, nil
	i.status.Running, i.status.Healthy, i.status.UnhealthySince = false, false, &at
}

// wanted is how many instances of a component a stack is to have now.
func (s *store) wanted(st *stack, name string) int {
	c := st.spec.Definition.Components[name]
	if st.spec.HoldWorkers && c.Worker() {
		return 0
	}
	floor := max(st.spec.Capacity[name], c.Scaling.Floor(s.now()))
	return max(floor, min(s.load(name, st.spec.Definition.Release), c.Scaling.Max))
}

// scale makes the instances of a stack as many as are wanted: those that stay are not
// touched, those with the highest numbers go first.
func (s *store) scale(st *stack) {
	var out []*instance
	for _, name := range target.SortedKeys(st.spec.Definition.Components) {
		for index := 1; index <= s.wanted(st, name); index++ {
			at := slices.IndexFunc(st.instances, func(i *instance) bool {
				return i.status.Component == name && i.status.Index == index
			})
			if at >= 0 {
				out = append(out, st.instances[at])
				continue
			}
			i := &instance{status: target.InstanceStatus{Component: name, Index: index}}
			i.start(s.now())
			out = append(out, i)
		}
	}
	st.instances = out
}

// observe moves an instance on by one step, or by one for each interval of its check that
// has passed since the last step: its life goes on while nobody looks.
func (s *store) observe(st *stack, i *instance) {
	name := i.status.Component
	c, b := st.spec.Definition.Components[name], s.behaviour(name, st.spec.Definition)
	from, now, steps := i.steppedAt, s.now(), 1
	if h := c.HealthCheck; h != nil && h.IntervalSeconds > 0 {
		const enough = 1000 // nothing new happens after so many
		steps = min(max(1, int(now.Sub(from)/(time.Duration(h.IntervalSeconds)*time.Second))), enough)
	}
	for n := 1; n <= steps; n++ {
		i.step(c, b, now.Add(-now.Sub(from)/time.Duration(steps)*time.Duration(steps-n)))
	}
}

// step is one step of an instance's life.
func (i *instance) step(c target.Component, b Behaviour, at time.Time) {
	i.steps, i.steppedAt = i.steps+1, at
	i.status.LastLines = b.Lines
	switch {
	case b.Missing:
		i.start(at)
		i.status.Permanent, i.status.Problem = true, fmt.Sprintf("program %q does not exist", program(c.Command))
		return
	case b.Crashes:
		i.start(at)
		i.status.Restarts++
		i.status.Problem, i.status.LastEnd = "exited with code 1", "exited with code 1"
		return
	case i.steps <= b.RunningAfter:
		return
	}
	i.status.Running, i.status.Permanent, i.status.Problem = true, false, ""
	if c.HealthCheck == nil {
		i.pass(i.startedAt, 1)
		return
	}
	i.checks++
	if i.steps > b.RunningAfter+b.HealthyAfter && at.Sub(i.startedAt) >= b.HealthyIn && (b.Answers == nil || b.Answers(i.checks)) {
		i.pass(at, c.HealthCheck.HealthyThreshold)
		i.status.LastProbe = fmt.Sprintf("GET %s -> 200", c.HealthCheck.Path)
		return
	}
	i.failures++
	i.status.Passes, i.status.HealthySince = 0, nil
	if i.status.Healthy && i.failures >= c.HealthCheck.UnhealthyThreshold {
		i.status.Healthy, i.status.UnhealthySince = false, &at
	}
	i.status.LastProbe = fmt.Sprintf("GET %s -> 503", c.HealthCheck.Path)
}

func (i *instance) pass(at time.Time, threshold int) {
	i.failures = 0
	i.status.Passes++
	if i.status.HealthySince == nil {
		i.status.HealthySince = &at
	}
	if i.status.Healthy || i.status.Passes >= threshold {
		i.status.Healthy, i.status.UnhealthySince = true, nil
	}
}

// healthy says that a component of a stack has a healthy instance.
func (st *stack) healthy(component string) bool {
	return slices.ContainsFunc(st.instances, func(i *instance) bool {
		return i.status.Component == component && i.status.Healthy
	})
}

// unhealthy names a routed component without a healthy instance, "" if there is none.
func (st *stack) unhealthy() string {
	for _, name := range target.SortedKeys(st.spec.Definition.Components) {
		if !st.spec.Definition.Components[name].Worker() && !st.healthy(name) {
			return name
		}
	}
	return ""
}
