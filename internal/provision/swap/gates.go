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

// gap is what keeps a stack or a task from passing a gate, for people: what did not happen,
// what was seen last, and the last lines of the log.
type gap struct {
	what, seen string
	lines      []string
}

func (g *gap) String() string { return g.tell("") }

// within tells the gap of a gate whose time is up.
func (g *gap) within(limit time.Duration) string { return g.tell(fmt.Sprintf(" within %s", limit)) }

func (g *gap) tell(limit string) string {
	text := g.what + limit
	if g.seen != "" {
		text += " (" + g.seen + ")"
	}
	if len(g.lines) > 0 {
		text += "\nIts last lines:\n  " + strings.Join(g.lines, "\n  ")
	}
	return text
}

// gate is how strictly a stack is looked at.
type gate int

const (
	routed   gate = iota // each instance that takes requests is healthy
	all                  // workers as well
	steadily             // each that takes requests passed its threshold and held it for the minimum time
	working              // workers only, and they have held it for the minimum time
)

// missing says what keeps a stack from passing a gate, nil if it passes. It must have as many
// instances as it is to have, and never none.
func (f Facts) missing(st target.StackStatus, g gate) *gap {
	if len(st.Spec.Definition.Components) == 0 {
		return &gap{what: "there is no stack"}
	}
	hold := seconds(f.Want.Policy.MinimumHealthySeconds)
	for _, name := range target.SortedKeys(st.Spec.Definition.Components) {
		c := st.Spec.Definition.Components[name]
		if c.Worker() && g != all && g != working || !c.Worker() && g == working {
			continue
		}
		instances, want := st.Of(name), max(size(st)[name], 1)
		if len(instances) < want {
			return &gap{what: about(st, name, "did not reach %d instance(s)", want), seen: fmt.Sprintf("it has %d", len(instances))}
		}
		for _, i := range instances {
			switch {
			case !i.Running || !i.Healthy, g == steadily && i.Passes < c.HealthCheck.HealthyThreshold:
				return instanceGap(st, i, "did not become healthy")
			case g >= steadily && (i.HealthySince == nil || f.Seen.At.Sub(*i.HealthySince) < hold):
				return instanceGap(st, i, "did not stay healthy for %s", hold)
			}
		}
	}
	return nil
}

// dead says what keeps a stack from answering at all, nil if it can: each component that
// takes requests has a healthy instance.
func dead(st target.StackStatus) *gap {
	if len(st.Spec.Definition.Components) == 0 {
		return &gap{what: "there is no stack"}
	}
	for _, name := range target.SortedKeys(st.Spec.Definition.Components) {
		if st.Spec.Definition.Components[name].Worker() {
			continue
		}
		last := &gap{what: about(st, name, "has no healthy instance")}
		for _, i := range st.Of(name) {
			if i.Healthy {
				last = nil
				break
			}
			last = instanceGap(st, i, "has no healthy instance")
		}
		if last != nil {
			return last
		}
	}
	return nil
}

// broken says why waiting can't help a candidate: an instance that can't start or keeps ending.
func broken(st target.StackStatus) *gap {
	for _, i := range st.Instances {
		switch {
		case i.Permanent:
			return instanceGap(st, i, "can't be started")
		case i.Restarts >= maxRestarts:
			return instanceGap(st, i, "ended %d times", i.Restarts)
		}
	}
	return nil
}

// verdict says why a task did not pass, nil if it did.
func verdict(st target.TaskStatus, limit time.Duration) *gap {
	g := &gap{what: taskWords[st.Kind], seen: st.Problem, lines: st.LastLines}
	switch {
	case st.Running:
		g.what += fmt.Sprintf(" was inconclusive: it did not end within %s", limit)
	case st.NotStarted:
		g.what += " could not be started"
	case st.ExitCode == nil:
		g.what += " was inconclusive"
	case *st.ExitCode != 0:
		g.what += fmt.Sprintf(" failed with exit code %d", *st.ExitCode)
	default:
		return nil
	}
	return g
}

func about(st target.StackStatus, component, format string, args ...any) string {
	return fmt.Sprintf("component %q of release %s ", component, st.Spec.Definition.Release) + fmt.Sprintf(format, args...)
}

// instanceGap is a gap of one instance, with what was seen of it last.
func instanceGap(st target.StackStatus, i target.InstanceStatus, format string, args ...any) *gap {
	seen := []string{}
	for _, s := range []string{i.LastProbe, i.Problem} {
		if s != "" {
			seen = append(seen, s)
		}
	}
	if len(seen) == 0 {
		seen = append(seen, map[bool]string{true: "running, not checked yet", false: "not running"}[i.Running])
	}
	return &gap{
		what:  about(st, i.Component, format, args...),
		seen:  fmt.Sprintf("instance %d: %s", i.Index, strings.Join(seen, "; ")),
		lines: i.LastLines,
	}
}
