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
	observed  int // observations since the start
	checks    int // checks since it began to run
	failures  int // checks failed in a row
}

func (i *instance) start(at time.Time) {
	i.startedAt, i.observed, i.checks, i.failures = at, 0, 0, 0
	i.status.Passes, i.status.HealthySince = 0, nil
	i.status.Running, i.status.Healthy = false, false
}

// scale makes the instances of a stack as many as its capacity says: those that stay are not
// touched, those with the highest numbers go first.
func (s *store) scale(st *stack) {
	var out []*instance
	for _, name := range target.SortedKeys(st.spec.Definition.Components) {
		n := st.spec.Capacity[name]
		if st.spec.HoldWorkers && st.spec.Definition.Components[name].Worker() {
			n = 0
		}
		for index := 1; index <= n; index++ {
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

// observe moves an instance on by one step.
func (s *store) observe(st *stack, i *instance) {
	name := i.status.Component
	c, b := st.spec.Definition.Components[name], s.behaviour(name, st.spec.Definition)
	i.observed++
	i.status.LastLines = b.Lines
	switch {
	case b.Missing:
		i.start(s.now())
		i.status.Permanent, i.status.Problem = true, fmt.Sprintf("program %q does not exist", program(c.Command))
		return
	case b.Crashes:
		i.start(s.now())
		i.status.Restarts++
		i.status.Problem = "exited with code 1"
		return
	case i.observed <= b.RunningAfter:
		return
	}
	i.status.Running, i.status.Permanent, i.status.Problem = true, false, ""
	if c.HealthCheck == nil {
		i.pass(i.startedAt, 1)
		return
	}
	i.checks++
	if i.observed > b.RunningAfter+b.HealthyAfter && s.now().Sub(i.startedAt) >= b.HealthyIn && (b.Answers == nil || b.Answers(i.checks)) {
		i.pass(s.now(), c.HealthCheck.HealthyThreshold)
		i.status.LastProbe = fmt.Sprintf("GET %s -> 200", c.HealthCheck.Path)
		return
	}
	i.failures++
	i.status.Passes, i.status.HealthySince = 0, nil
	i.status.Healthy = i.status.Healthy && i.failures < c.HealthCheck.UnhealthyThreshold
	i.status.LastProbe = fmt.Sprintf("GET %s -> 503", c.HealthCheck.Path)
}

func (i *instance) pass(at time.Time, threshold int) {
	i.failures = 0
	i.status.Passes++
	if i.status.HealthySince == nil {
		i.status.HealthySince = &at
	}
	i.status.Healthy = i.status.Healthy || i.status.Passes >= threshold
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
