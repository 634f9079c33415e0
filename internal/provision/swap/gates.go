package swap

import (
	"fmt"
	"strings"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// maxRestarts is how often an instance of a candidate may end before its release is given up.
const maxRestarts = 3

var taskWords = map[string]string{
	target.TaskMigrate: "the migration",
	target.TaskTest:    "the test suite",
}

// missing says what keeps a stack from passing the health gate, "" if it passes. Every
// instance of every routed component must be healthy; strictly, it must also have passed
// its threshold of checks in a row and held that for the minimum time.
func (f Facts) missing(st target.StackStatus, strict bool) string {
	hold := time.Duration(f.Want.Policy.MinimumHealthySeconds) * time.Second
	for _, name := range target.SortedKeys(st.Spec.Definition.Components) {
		c := st.Spec.Definition.Components[name]
		if c.Worker() {
			continue
		}
		instances := st.Of(name)
		if want := st.Spec.Capacity[name]; want == 0 || len(instances) < want {
			return fmt.Sprintf("component %q of release %s did not reach %d instance(s), it has %d", name, st.Spec.Definition.Release, max(want, 1), len(instances))
		}
		for _, i := range instances {
			held := i.HealthySince != nil && f.Seen.At.Sub(*i.HealthySince) >= hold
			if i.Running && i.Healthy && (!strict || held && i.Passes >= c.HealthCheck.HealthyThreshold) {
				continue
			}
			return fmt.Sprintf("component %q of release %s did not become healthy%s", name, st.Spec.Definition.Release, describe(i))
		}
	}
	if len(st.Spec.Definition.Components) == 0 {
		return "there is no stack"
	}
	return ""
}

// unhealthy says what keeps a stack that was live before from taking the traffic again.
func unhealthy(st target.StackStatus) string {
	return Facts{}.missing(st, false)
}

// broken says why waiting can't help a candidate: an instance that can't start or keeps ending.
func (f Facts) broken(st target.StackStatus) string {
	for _, i := range st.Instances {
		switch {
		case i.Permanent:
			return fmt.Sprintf("component %q of release %s can't be started%s", i.Component, st.Spec.Definition.Release, describe(i))
		case i.Restarts >= maxRestarts:
			return fmt.Sprintf("component %q of release %s ended %d times%s", i.Component, st.Spec.Definition.Release, i.Restarts, describe(i))
		}
	}
	return ""
}

// running says whether every routed instance of a stack runs.
func running(st target.StackStatus) bool {
	for name, c := range st.Spec.Definition.Components {
		if c.Worker() {
			continue
		}
		n := 0
		for _, i := range st.Of(name) {
			if i.Running {
				n++
			}
		}
		if n < st.Spec.Capacity[name] {
			return false
		}
	}
	return true
}

// verdict says why a task that ended did not pass, "" if it did.
func verdict(st target.TaskStatus, limit time.Duration) string {
	switch {
	case st.Running:
		return fmt.Sprintf("was inconclusive: it did not end within %s", limit)
	case st.NotStarted:
		return "could not be started: " + st.Problem
	case st.ExitCode == nil:
		return "was inconclusive: " + st.Problem
	case *st.ExitCode != 0:
		return fmt.Sprintf("failed with exit code %d", *st.ExitCode)
	}
	return ""
}

// describe tells what was seen last of an instance.
func describe(i target.InstanceStatus) string {
	var seen []string
	if i.LastProbe != "" {
		seen = append(seen, i.LastProbe)
	}
	if i.Problem != "" {
		seen = append(seen, i.Problem)
	}
	if !i.Running && i.Problem == "" {
		seen = append(seen, "not running")
	}
	return fmt.Sprintf(" (instance %d: %s)%s", i.Index, strings.Join(seen, "; "), lines(i.LastLines))
}

// lines shows the last lines of a log, nothing if there are none.
func lines(last []string) string {
	if len(last) == 0 {
		return ""
	}
	return "\nIts last lines:\n  " + strings.Join(last, "\n  ")
}

func hasWorkers(s target.StackSpec) bool {
	for _, c := range s.Definition.Components {
		if c.Worker() {
			return true
		}
	}
	return false
}

// startedAt is when the candidate was asked to start.
func startedAt(w *target.Swap) time.Time {
	for _, s := range w.Steps {
		if s.Phase == target.PhaseStarting {
			return s.At
		}
	}
	return w.PhaseAt
}
