//go:build linux

package acceptance

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// TestAccLocalRollbackAtNight has an operator roll back from the command line, by the
// fallback and in the middle of a swap; the scheduled plan and apply that follow change
// nothing, and say why.
func TestAccLocalRollbackAtNight(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	config := func(release, swap string) string { return m.base(nil) + slot(release, attrs{"swap": swap}) }
	m.apply(config("1", atOnce))
	began := time.Now()
	crowd := m.startCrowd(4, 40)
	m.apply(config("2", atOnce))
	m.serves("2")

	o := m.operate("rollback", "--reason", "orders are lost", "eu/production/oms")
	if o.code != 0 || !strings.Contains(o.out, `Release 1 of slot "eu/production/oms" serves all traffic again`) {
		t.Errorf("the rollback ended with %d:\n%s", o.code, o.out)
	}
	m.serves("1")
	m.held("rolled back by the command", "2")
	m.serves("1")
	if h := m.record().Hold; h == nil || h.Reason != "orders are lost" {
		t.Errorf("the hold is %+v", h)
	}
	again := m.operate("rollback", "--reason", "again", "eu/production/oms")
	if again.code != 1 || !strings.Contains(again.out, "set release to it and apply") {
		t.Errorf("a second rollback ended with %d:\n%s", again.code, again.out)
	}

	s := m.startApply(config("3", stepwise))
	m.reaches(s, target.PhaseWatching, 50)
	// Whoever swaps holds the slot, until that apply is interrupted.
	busy := m.operate("rollback", "--reason", "orders are lost", "eu/production/oms")
	t.Logf("a rollback while an apply swaps: exit code %d: %s", busy.code, busy.out)
	if busy.code != 1 {
		t.Errorf("a rollback against a running apply ended with %d:\n%s", busy.code, busy.out)
	}
	if o := s.interrupt(); o.code != 1 {
		t.Errorf("an apply that was interrupted ended with %d:\n%s", o.code, o.out)
	}
	back := m.operate("rollback", "--reason", "nobody is there to watch", "eu/production/oms")
	if back.code != 0 {
		t.Errorf("the rollback of half a swap ended with %d:\n%s", back.code, back.out)
	}
	if got := m.observe(); got.Percent != 0 || got.Stacks[got.Serving].Spec.Definition.Release != "1" || len(m.instances("3")) > 0 {
		t.Errorf("after the rollback of half a swap there is %+v", got)
	}
	m.serves("1")
	m.held("rolled back from half a swap", "3")

	m.apply(config("4", atOnce))
	m.serves("4")
	m.emptyPlan("with another release")
	crowd.stop()
	crowd.flawless(began)
	m.destroy()
}

// atOnce is a swap without steps and bake.
const atOnce = `{ start_timeout_seconds = 30, minimum_healthy_seconds = 0, drain_seconds = 10, bake_seconds = 0, fallback_window_seconds = 600 }`

// stepwise is a swap that gives half of the traffic and then waits for longer than a test.
var stepwise = fmt.Sprintf(`{
  start_timeout_seconds = 30, minimum_healthy_seconds = 0, drain_seconds = 10, fallback_window_seconds = 600, bake_seconds = 1
  steps = [{ percent = 50, hold_seconds = %d }]
}`, int((5 * time.Minute).Seconds()))
