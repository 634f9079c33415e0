package judge

import (
	"fmt"
	"strings"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// Gap is what keeps a stack or a task from being well, for people: what did not happen, what
// was seen last, and the last lines of the log.
type Gap struct {
	What, Seen string
	Lines      []string
}

func (g *Gap) String() string { return g.tell("") }

// Within tells the gap of a gate whose time is up.
func (g *Gap) Within(limit time.Duration) string { return g.tell(fmt.Sprintf(" within %s", limit)) }

func (g *Gap) tell(limit string) string {
	text := g.What + limit
	if g.Seen != "" {
		text += " (" + g.Seen + ")"
	}
	if len(g.Lines) > 0 {
		text += "\nIts last lines:\n  " + strings.Join(g.Lines, "\n  ")
	}
	return text
}

// Instance is a gap of one instance of a stack, with what was seen of it last.
func Instance(st target.StackStatus, i target.InstanceStatus, format string, args ...any) *Gap {
	seen := strings.Join(remarks(i), "; ")
	if seen == "" {
		seen = map[bool]string{true: "running, not checked yet", false: "not running"}[i.Running]
	}
	return &Gap{
		What:  about(st, i.Component, format, args...),
		Seen:  fmt.Sprintf("instance %d: %s", i.Index, seen),
		Lines: i.LastLines,
	}
}

func about(st target.StackStatus, component, format string, args ...any) string {
	return fmt.Sprintf("component %q of release %s ", component, st.Spec.Definition.Release) + fmt.Sprintf(format, args...)
}

// remarks are what a target says of an instance.
func remarks(i target.InstanceStatus) []string {
	var out []string
	for _, s := range []string{i.LastProbe, i.Problem} {
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}

// Health says in words how each instance of a stack is.
func Health(st target.StackStatus) []string {
	var out []string
	for _, i := range st.Instances {
		state := "not running"
		switch {
		case i.Healthy:
			state = "healthy"
		case i.Running:
			state = "running, not healthy"
		}
		words := append([]string{state}, remarks(i)...)
		if i.Restarts > 0 {
			words = append(words, fmt.Sprintf("started again %d times", i.Restarts))
		}
		out = append(out, fmt.Sprintf("%s %d: %s", i.Component, i.Index, strings.Join(words, ", ")))
	}
	return out
}
