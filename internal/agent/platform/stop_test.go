//go:build !windows

package platform

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// TestAWorkerMayTakeItsTimeToEnd holds a worker that goes on with its job after SIGTERM, and
// wants one again meanwhile: the next one is started when the first is gone, and not before.
func TestAWorkerMayTakeItsTimeToEnd(t *testing.T) {
	t.Parallel()
	p := newTestPlatform(t)
	s, _ := newTestSlot(t, p)
	spec := target.StackSpec{Slot: s.id, Color: target.Blue, SwapID: "swap", Definition: target.Definition{
		Release: "1", Components: map[string]target.Component{"jobs": {
			Command: []string{"/bin/sh", "-c", "trap 'echo asked; while [ ! -e done ]; do sleep 0.01; done; exit' TERM; echo up; while :; do sleep 0.01; done"},
			Scaling: target.Scaling{Min: 1, Max: 1}, StopTimeoutSeconds: 300,
		}},
	}}
	s.file.Seats[spec.Color] = &seat{Spec: spec}
	st := s.newStack(spec)
	s.stacks[spec.Color] = st
	put := func(held bool) {
		t.Helper()
		spec.HoldWorkers = held
		if err := st.change(t.Context(), spec); err != nil {
			t.Fatal(err)
		}
	}
	seen := func(what string, holds func(target.InstanceStatus) bool) target.InstanceStatus {
		t.Helper()
		limited, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		last, err := wait.Until(limited, wait.Options{First: 5 * time.Millisecond, Max: 50 * time.Millisecond}, func(context.Context) (seenInstance, bool, error) {
			all := st.status().Instances
			if len(all) != 1 {
				return seenInstance{}, false, nil
			}
			return seenInstance(all[0]), holds(all[0]), nil
		})
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		return target.InstanceStatus(last)
	}
	says := func(line string) func(target.InstanceStatus) bool {
		return func(i target.InstanceStatus) bool {
			logs, err := p.ReadLogs(t.Context(), s.id, "jobs", 1)
			return err == nil && len(logs) == 1 && len(logs[0].Lines) == 1 && logs[0].Lines[0] == line && i.Running
		}
	}
	pid := func() int { return st.all()[0].pid() }

	put(false)
	if limit := p.StopTimeout(); limit < 300*time.Second {
		t.Errorf("to stop everything may take %s, which the worker may need longer than", limit)
	}
	seen("the worker is up", says("up"))
	first := pid()
	put(true)
	seen("the worker was asked to end and runs on", says("asked"))
	put(false)
	if now := pid(); now != first {
		t.Errorf("process %d runs while %d has not ended", now, first)
	}
	if err := os.WriteFile(filepath.Join(s.files.stack("oms", "swap"), "home", "done"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	seen("the next one is up", says("up"))
	if now := pid(); now == first {
		t.Errorf("process %d was not replaced", now)
	}
	if err := st.stop(t.Context()); err != nil {
		t.Error(err)
	}
}
