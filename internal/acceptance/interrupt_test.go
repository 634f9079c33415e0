//go:build linux

package acceptance

import (
	"strings"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// TestAccLocalInterruptedSwap presses Ctrl-C while a release has half of the traffic, and
// while it is watched with all of it: the traffic stays as it is, and the next apply goes on.
// Before the first share the candidate goes.
func TestAccLocalInterruptedSwap(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	config := func(release, swap string) string { return m.base(nil) + slot(release, attrs{"swap": swap}) }
	baking := strings.Replace(atOnce, "bake_seconds = 0", "bake_seconds = 300", 1)
	unproven := `{ start_timeout_seconds = 90, minimum_healthy_seconds = 60 }`
	m.apply(config("1", atOnce))
	began := time.Now()
	crowd := m.startCrowd(4, 40)
	for _, c := range []struct {
		name, release, swap, serving string
		at                           boundary
		share                        int // of the release, in percent
		next                         string
	}{
		{"before the first share", "2", unproven, "1", boundary{target.PhaseVerifying, 0}, 0, atOnce},
		{"with half of the traffic", "3", stepwise, "2", boundary{target.PhaseWatching, 50}, 50, strings.Replace(stepwise, "300", "1", 1)},
		{"with all of the traffic", "4", baking, "3", boundary{target.PhaseWatching, 100}, 100, atOnce},
	} {
		before := m.record().Swap
		s := m.startApply(config(c.release, c.swap))
		m.comesTo(c.at, before)
		o := s.interrupt()
		flat := unwrapped(o.out)
		t.Logf("Ctrl-C %s: exit code %d: %s", c.name, o.code, diagnostic(flat))
		rec, seen := m.record(), m.observe()
		share := seen.Percent
		if seen.Stacks[seen.Serving].Spec.Definition.Release == c.release {
			share = 100 - share
		}
		if o.code != 1 || share != c.share {
			t.Errorf("Ctrl-C %s: apply ended with %d and release %s has %d percent, want 1 and %d:\n%s", c.name, o.code, c.release, share, c.share, o.out)
		}
		if unfinished := !rec.Swap.Phase.Finished(); unfinished != (c.share > 0) || unfinished && rec.Swap.Phase != target.PhaseWatching {
			t.Errorf("Ctrl-C %s: the phase is %s", c.name, rec.Swap.Phase)
		}
		if p := m.plan(); p.code != 2 {
			t.Errorf("Ctrl-C %s: plan ended with %d, want 2:\n%s", c.name, p.code, p.out)
		}
		m.apply(config(c.release, c.next))
		if now := m.record().Swap; (now.ID == rec.Swap.ID) != (c.share > 0) || now.Phase != target.PhaseLive {
			t.Errorf("Ctrl-C %s: the next apply went on with %s in phase %s, was %s", c.name, now.ID, now.Phase, rec.Swap.ID)
		}
		m.serves(c.release)
		m.emptyPlan("after an interrupt " + c.name + " and another apply")
	}
	crowd.stop()
	crowd.flawless(began)
	m.destroy()
}
