//go:build linux

package acceptance

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// TestAccLocalRollbackAtNight has an operator roll back from the command line: to the
// fallback, beside an apply that swaps, and after one that was interrupted. The scheduled plan and apply that follow change
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
	m.write(m.base(nil) + slot("2", attrs{"swap": atOnce, "components": `{ api = ` + component("ok", attrs{"environment": `{ LOG = "debug" }`}) + ` }`}))
	m.held("another definition of what was rolled back", "2")
	m.serves("1")
	if h := m.record().Hold; h == nil || h.Reason != "orders are lost" {
		t.Errorf("the hold is %+v", h)
	}
	again := m.operate("rollback", "--reason", "again", "eu/production/oms")
	if again.code != 1 || !strings.Contains(again.out, "set release to it and apply") {
		t.Errorf("a second rollback ended with %d:\n%s", again.code, again.out)
	}

	m.backDuring("the steps", config("3", stepwise), "3", 50)
	m.backDuring("the bake", config("4", baking), "4", 100)

	s := m.startApply(config("5", stepwise))
	m.reaches(s, target.PhaseWatching, 50)
	if o := s.interrupt(); o.code != 1 {
		t.Errorf("an apply that was interrupted ended with %d:\n%s", o.code, o.out)
	}
	back := m.operate("rollback", "--reason", "nobody is there to watch", "eu/production/oms")
	if back.code != 0 {
		t.Errorf("the rollback of half a swap ended with %d:\n%s", back.code, back.out)
	}
	m.servesOnly("1", "5")
	m.held("rolled back from half a swap", "5")

	m.apply(config("6", atOnce))
	m.serves("6")
	m.emptyPlan("with another release")
	crowd.stop()
	crowd.flawless(began)
	m.destroy()
}

// backDuring has an operator roll back a release that a running apply has given a share: that
// apply does it, and ends with who asked for it and why.
func (m *machine) backDuring(when, config, release string, percent int) {
	m.Helper()
	s := m.startApply(config)
	m.reaches(s, target.PhaseWatching, percent)
	back := m.operate("rollback", "--reason", "a customer called", "eu/production/oms")
	if back.code != 0 || !strings.Contains(back.out, `Release 1 of slot "eu/production/oms" serves all traffic again`) {
		m.Errorf("the rollback during %s ended with %d:\n%s", when, back.code, back.out)
	}
	o := s.wait()
	if flat := unwrapped(o.out); o.code != 1 || !strings.Contains(flat, "rolled release "+release+" back (a customer called)") {
		m.Errorf("the apply that was asked to roll back during %s ended with %d:\n%s", when, o.code, o.out)
	}
	m.Logf("during %s: %s", when, diagnostic(unwrapped(o.out)))
	m.servesOnly("1", release)
	m.held("rolled back during "+when, release)
}

// servesOnly wants all traffic at one release, and nothing left of another.
func (m *machine) servesOnly(release, gone string) {
	m.Helper()
	if got := m.observe(); got.Percent != 0 || got.Stacks[got.Serving].Spec.Definition.Release != release || len(m.instances(gone)) > 0 {
		m.Errorf("there is %+v, and %d instances of release %s", got, len(m.instances(gone)), gone)
	}
	m.serves(release)
}

// atOnce is a swap without steps and bake.
const atOnce = `{ start_timeout_seconds = 30, minimum_healthy_seconds = 0, drain_seconds = 10, bake_seconds = 0, fallback_window_seconds = 600 }`

// baking is a swap at once that is then watched for longer than a test.
const baking = `{ start_timeout_seconds = 30, minimum_healthy_seconds = 0, drain_seconds = 10, bake_seconds = 300, fallback_window_seconds = 600 }`

// stepwise is a swap that gives half of the traffic and then waits for longer than a test.
var stepwise = fmt.Sprintf(`{
  start_timeout_seconds = 30, minimum_healthy_seconds = 0, drain_seconds = 10, fallback_window_seconds = 600, bake_seconds = 1
  steps = [{ percent = 50, hold_seconds = %d }]
}`, int((5 * time.Minute).Seconds()))
