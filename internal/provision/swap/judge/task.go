package judge

import (
	"fmt"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// TaskWords names a kind of task.
func TaskWords(kind string) string {
	if kind == target.TaskMigrate {
		return "the migration"
	}
	return "the test suite"
}

// Task says why a task did not pass, nil if it did. It passes by exit code 0 alone.
func Task(st target.TaskStatus, limit time.Duration) *Gap {
	g := &Gap{What: TaskWords(st.Kind), Seen: st.Problem, Lines: st.LastLines}
	switch {
	case st.Running:
		g.What += fmt.Sprintf(" was inconclusive: it did not end within %s", limit)
	case st.NotStarted:
		g.What += " could not be started"
	case st.ExitCode == nil:
		g.What += " was inconclusive"
	case *st.ExitCode != 0:
		g.What += fmt.Sprintf(" failed with exit code %d", *st.ExitCode)
	default:
		return nil
	}
	return g
}
