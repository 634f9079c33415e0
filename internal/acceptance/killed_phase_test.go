//go:build linux

package acceptance

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/localtarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// boundary is where a swap is when something is killed.
type boundary struct {
	phase   target.Phase
	percent int
}

func (b boundary) String() string {
	if b.percent > 0 {
		return fmt.Sprintf("%s %d %%", b.phase, b.percent)
	}
	return string(b.phase)
}

// victims are what is killed, all of it at once: Terraform with the provider, both halves of
// the agent, or everything.
const (
	theProvider = 1 << iota
	theAgent
	everything = theProvider | theAgent
)

func victim(v int) string {
	return map[int]string{theProvider: "Terraform and the provider", theAgent: "the agent", everything: "everything"}[v]
}

// swapped is a slot whose swap goes through every phase.
func (m *machine) swapped(release string, a attrs) string {
	return m.base(nil) + slot(release, attrs{
		"components":     "{ api = " + component("ok", m.moods()) + " }",
		"allow_untested": "", "test_suite": suiteOf(1),
		"migrate": "{ command = " + command("tell", "0", "nothing to migrate") + ", timeout_seconds = 30 }",
		"swap": `{ start_timeout_seconds = 30, minimum_healthy_seconds = 1, drain_seconds = 10, fallback_window_seconds = 600, bake_seconds = 1
    steps = [{ percent = 50, hold_seconds = 1 }], guardrails = { max_error_percent = 5 } }`,
	}.with(a))
}

// TestAccLocalKilledBeforeTheSwitch and TestAccLocalKilledAfterIt kill what takes part in a
// swap at each boundary of its phases: the next apply converges, and the front door answers
// all the time that there is an agent. Each boundary is tried with one victim in turn, with
// all of them when SLIPWAY_ACC_ROUNDS is 3.
func TestAccLocalKilledBeforeTheSwitch(t *testing.T) {
	t.Parallel()
	killTable(t, []boundary{
		{target.PhasePreparing, 0}, {target.PhaseMigrating, 0}, {target.PhaseStarting, 0},
		{target.PhaseVerifying, 0}, {target.PhaseTesting, 0}, {target.PhaseAwaitingApproval, 0},
	})
}

func TestAccLocalKilledAfterTheSwitch(t *testing.T) {
	t.Parallel()
	killTable(t, []boundary{
		{target.PhaseSwitching, 50}, {target.PhaseWatching, 50}, {target.PhaseSwitching, 100},
		{target.PhaseWatching, 100}, {target.PhaseLive, 0}, {target.PhaseRollingBack, 0},
	})
}

func killTable(t *testing.T, at []boundary) {
	m := newMachine(t)
	m.apply(m.swapped("1", nil))
	crowd := m.startCrowd(4, 80)
	release, serving := 1, "1"
	for n, b := range at {
		for round := range rounds(t, 1) {
			who := 1 + (n+round)%3
			release++
			serving = m.killedAt(b, who, strconv.Itoa(release), serving, crowd)
		}
	}
	crowd.stop()
	m.destroy()
}

// killedAt kills victims when a swap has come to a boundary, applies again, and returns what
// serves then.
func (m *machine) killedAt(b boundary, who int, release, serving string, c *crowd) string {
	m.Helper()
	what := fmt.Sprintf("release %s: %s killed at %s", release, victim(who), b)
	first, next := attrs{}, attrs{}
	if b.phase == target.PhaseAwaitingApproval {
		first["swap"] = `{ approval = "manual", start_timeout_seconds = 30, minimum_healthy_seconds = 1, fallback_window_seconds = 600, bake_seconds = 1 }`
		next = first.with(attrs{"approved_release": strconv.Quote(release)})
	}
	if b.phase == target.PhaseRollingBack { // which lasts as long as the slow release answers
		first["swap"] = strings.Replace(stepwise, "steps =", "guardrails = { max_p99_milliseconds = 1000 }\n  steps =", 1)
	}
	began, before := time.Now(), m.record().Swap
	s := m.startApply(m.swapped(release, first))
	if b.phase == target.PhaseRollingBack {
		m.reaches(s, target.PhaseWatching, 50)
		m.mood(release, slowly)
	}
	agent := append(m.holdHalf(), m.serveHalf()...)
	was := m.comesTo(b, before)
	killed := time.Now()
	if who&theAgent != 0 {
		kill(agent)
	}
	if who&theProvider != 0 {
		s.kill()
	}
	if who&theAgent != 0 {
		m.gone(agent)
	}
	dead := time.Now()
	ended := s.wait()
	again := m.tryApply(m.swapped(release, next))
	m.Logf("%s (was at %s): that apply ended with %d, the next one with %d in %s", what, was, ended.code, again.code, again.took.Round(100*time.Millisecond))

	want := 0
	if b.phase == target.PhaseRollingBack {
		want = 1
	} else {
		serving = release
	}
	if again.code != want {
		m.Fatalf("%s: the next apply ended with %d, want %d; the first one said\n%s\nand this one\n%s", what, again.code, want, tail(ended.out, 20), tail(again.out, 40))
	}
	m.serves(serving)
	m.answersAgain(what, c.since(began), who&theAgent != 0, killed, dead)
	m.onlyServes(what, serving)
	if want == 0 {
		m.emptyPlan(what)
	}
	return serving
}

// comesTo waits until the swap after another one is at a boundary, or past it, and says where
// it is.
func (m *machine) comesTo(b boundary, before *target.Swap) boundary {
	m.Helper()
	order := []boundary{
		{target.PhasePreparing, 0}, {target.PhaseMigrating, 0}, {target.PhaseStarting, 0}, {target.PhaseVerifying, 0},
		{target.PhaseTesting, 0}, {target.PhaseAwaitingApproval, 0}, {target.PhaseSwitching, 50}, {target.PhaseWatching, 50},
		{target.PhaseSwitching, 100}, {target.PhaseWatching, 100}, {target.PhaseRollingBack, 0}, {target.PhaseRolledBack, 0}, {target.PhaseLive, 0},
	}
	d := m.target()
	ctx, cancel := context.WithTimeout(m.Context(), 90*time.Second)
	defer cancel()
	seen, err := wait.Until(ctx, wait.Options{First: 2 * time.Millisecond, Max: 2 * time.Millisecond}, func(ctx context.Context) (boundary, bool, error) {
		now, err := at(ctx, d, before)
		return now, slices.Index(order, now) >= slices.Index(order, b), err
	})
	if err != nil {
		m.Fatalf("wait for %s: %v", b, err)
	}
	return seen
}

// at is where the swap is that came after another one.
func at(ctx context.Context, d *localtarget.Target, before *target.Swap) (boundary, error) {
	rec, err := d.GetSlot(ctx, oms)
	if err != nil || rec.Swap == nil || rec.Swap.ID == before.ID {
		return boundary{}, err
	}
	b := boundary{phase: rec.Swap.Phase}
	if b.phase == target.PhaseSwitching || b.phase == target.PhaseWatching {
		b.percent = rec.Swap.Steps[len(rec.Swap.Steps)-1].Percent
	}
	return b, nil
}

// gone waits until processes that were killed are no more.
func (m *machine) gone(all []process) {
	m.Helper()
	m.eventually(10*time.Second, "what was killed is gone", func() (string, bool) {
		left := slices.ContainsFunc(append(m.holdHalf(), m.serveHalf()...), func(p process) bool {
			return slices.ContainsFunc(all, func(was process) bool { return was.pid == p.pid })
		})
		return fmt.Sprint(left), !left
	})
}

// answersAgain ends the test if a request failed that had to be answered: all of them, but
// where the agent was killed for those until the next one answered for the first time.
func (m *machine) answersAgain(what string, all []sighting, agent bool, killed, dead time.Time) {
	m.Helper()
	back := killed
	if agent {
		i := slices.IndexFunc(all, func(s sighting) bool { return s.err == nil && s.began.After(dead) })
		if i < 0 {
			m.Fatalf("%s: nobody was answered after it", what)
		}
		back = all[i].ended
		m.Logf("%s: answered again %s after it", what, back.Sub(killed).Round(time.Millisecond))
	}
	lost := 0
	for _, s := range all {
		if s.err == nil {
			continue
		}
		lost++
		if s.ended.Before(killed) || s.began.After(back) || !agent {
			m.Fatalf("%s: a request that began %s after it failed: %v", what, s.began.Sub(killed), s.err)
		}
	}
	m.Logf("%s: %d of %d requests were lost", what, lost, len(all))
}

// onlyServes ends the test unless nothing is left but what serves, and its fallback.
func (m *machine) onlyServes(what, release string) {
	m.Helper()
	m.eventually(30*time.Second, what+": nothing but the live stack and its fallback is left", func() (string, bool) {
		seen, all := m.observe(), m.find("serve-release")
		tasks := len(m.find("tell")) + len(m.find("suite"))
		want := 0
		for _, st := range seen.Stacks {
			want += len(st.Instances)
		}
		return fmt.Sprintf("%d processes for %d stacks, %d tasks", len(all), len(seen.Stacks), tasks),
			len(all) == want && tasks == 0 && len(m.instances(release)) == 1
	})
}
