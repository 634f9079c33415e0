//go:build linux || darwin

package process

import (
	"testing"
	"time"
)

func TestUsageCountsAWholeSession(t *testing.T) {
	t.Parallel()
	idle := begin(t, script(t, Instance, "echo up; exec sleep 1000")).Identity()
	// The one that works is a child in another group, as a shell with job control makes it.
	busy := begin(t, script(t, Instance, "set -m; (while :; do :; done) & wait")).Identity()
	gone := Identity{PID: busy.PID, StartTime: busy.StartTime - 1, BootID: busy.BootID}
	usage := func() map[Identity]time.Duration {
		used, err := Usage(t.Context(), []Identity{idle, busy, gone})
		if err != nil {
			t.Fatal(err)
		}
		return used
	}
	before := usage()
	eventually(t, "the busy session has used half a second more", func() bool {
		return usage()[busy]-before[busy] >= 500*time.Millisecond
	})
	after := usage()
	if used := after[idle] - before[idle]; used > 100*time.Millisecond {
		t.Errorf("the idle session used %s", used)
	}
	if _, there := after[gone]; there {
		t.Errorf("a process that is gone has used %s", after[gone])
	}
}
