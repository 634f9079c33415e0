package provider_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/memtarget"
)

const approvalMinutes = 10 * time.Minute

func TestReleaseIsApprovedByItsConfiguration(t *testing.T) {
	t.Parallel()
	for name, approve := range map[string]map[string]any{
		"by its name":                          {"approved_release": "2"},
		"since no approval is asked for now":   {"swap": set{}},
		"by its name, with other guardrails":   {"approved_release": "2", "swap": set{"approval": "manual", "guardrails": set{"max_error_percent": 1}}},
		"by its name, and another test suite":  {"approved_release": "2", "test_suite": set{"command": []any{"another-suite"}}},
		"by its name, and another step before": {"approved_release": "2", "swap": set{"approval": "manual", "steps": []any{step(10, 5)}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			l := w.lab(nil)
			second := manual(set{"release": "2"})
			o := w.waits(l, l.changed(l.everything()["deployment_slot"], manual(nil)), second)
			if got := fmt.Sprint(w.ServedLog(oms)); got != "[1]" {
				t.Errorf("served %s while release 2 waits", got)
			}
			approved := with(second, approve)
			o = l.empty(l.changed(o, approved), approved)
			if at(o.state, "phase") != "live" || at(o.state, "live.release") != "2" || at(o.state, "candidate") != nil {
				t.Errorf("phase is %v", at(o.state, "phase"))
			}
		})
	}
}

func TestReleaseApprovedBeforehandDoesNotWait(t *testing.T) {
	t.Parallel()
	l := newWorld(t).lab(nil)
	config := manual(set{"release": "2", "approved_release": "2"})
	o := l.changed(l.changed(l.everything()["deployment_slot"], manual(nil)), config)
	if l.empty(o, config); at(o.state, "live.release") != "2" {
		t.Errorf("live is %v", at(o.state, "live.release"))
	}
}

func TestFirstReleaseWaitsForApproval(t *testing.T) {
	t.Parallel()
	l := newWorld(t).lab(nil)
	l.made("region", aRegion())
	l.made("environment", anEnvironment())
	config := manual(set{"deletion_protection": true})
	l.configure()
	o, d := l.apply(l.plan(l.nothing("deployment_slot"), config))
	if d.errors() || !strings.Contains(d.String(), "Nothing serves in this slot") || at(o.state, "phase") != "awaiting_approval" {
		t.Fatalf("phase %v: %s", at(o.state, "phase"), d)
	}
	o = l.empty(o, config)
	approved := with(config, set{"approved_release": "1"})
	o = l.empty(l.changed(o, approved), approved)
	if at(o.state, "live.release") != "1" {
		t.Errorf("live is %v", at(o.state, "live.release"))
	}
}

func TestWaitThatEndsInVainIsToldAndBegunAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.lab(nil)
	second := manual(set{"release": "2"})
	o := w.waits(l, l.changed(l.everything()["deployment_slot"], manual(nil)), second)
	w.clock.Advance(approvalMinutes + time.Minute)
	l.configure()
	o, _ = l.read(o)
	if at(o.state, "release") != "1" || at(o.state, "candidate") != nil {
		t.Fatalf("release %v, candidate %v", at(o.state, "release"), at(o.state, "candidate"))
	}
	p := l.plan(o, second)
	warned(t, p.diags, `AttributeName("release")`, "nobody approved it", "never took traffic")
	l.empty(o, manual(nil))
	o = w.waits(l, o, second)
	third := manual(set{"release": "3"})
	o = w.waits(l, o, third)
	o = l.empty(l.changed(o, manual(nil)), manual(nil))
	if got := fmt.Sprint(w.ServedLog(oms)); got != "[1]" || at(o.state, "live.release") != "1" {
		t.Errorf("served %s, live is %v", got, at(o.state, "live.release"))
	}
}

// failing is a release of whose requests a part fails.
func (w *world) failing(release string, percent float64) {
	w.ScriptAnswers(release, func(time.Time, int) memtarget.Answers {
		return memtarget.Answers{PerSecond: 100, ErrorPercent: percent, P50Milliseconds: 10, P99Milliseconds: 50}
	})
}

func TestReleaseThatBreaksItsGuardrailsIsRolledBackAndStaysSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.lab(nil)
	steps := set{"swap": set{"steps": []any{step(10, 10), step(50, 10)}, "bake_seconds": 30}}
	o := l.changed(l.everything()["deployment_slot"], with(aSlot(), steps))
	w.failing("1", 0)
	w.failing("2", 40)
	second := with(with(aSlot(), steps), set{"release": "2"})
	l.configure()
	o, d := l.apply(l.plan(o, second))
	if !d.errors() || !strings.Contains(d.String(), "40.00 % of") || !strings.Contains(d.String(), "Release 1 serves all traffic again") {
		t.Fatalf("got %s", d)
	}
	if at(o.state, "phase") != "rolled_back" || at(o.state, "release") != "1" || at(o.state, "live.release") != "1" {
		t.Errorf("phase %v, release %v", at(o.state, "phase"), at(o.state, "release"))
	}
	// The scheduled apply in the morning.
	l.configure()
	o, _ = l.read(o)
	p := l.plan(o, second)
	warned(t, p.diags, `AttributeName("release")`, "by the watch of the swap at 2026-11-03T", "40.00 % of", "raise retry above 0")
	if again, d := l.apply(p); !d.errors() || !again.state.Equal(o.state) {
		t.Errorf("the morning's apply: %s", d)
	}
	w.failing("2", 0)
	retried := with(second, set{"retry": 1})
	o = l.empty(l.changed(o, retried), retried)
	if at(o.state, "live.release") != "2" {
		t.Errorf("live is %v", at(o.state, "live.release"))
	}
}

func TestFirstReleaseThatBreaksItsGuardrailsIsKeptAndWatchedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.lab(nil)
	l.made("region", aRegion())
	l.made("environment", anEnvironment())
	w.failing("1", 40)
	config := with(aSlot(), set{"swap": set{"bake_seconds": 30}})
	l.configure()
	o, d := l.apply(l.plan(l.nothing("deployment_slot"), config))
	if d.errors() || !strings.Contains(d.String(), "A deployment slot is not finished") || at(o.state, "phase") != "degraded" {
		t.Fatalf("phase %v: %s", at(o.state, "phase"), d)
	}
	l.configure()
	o, _ = l.read(o)
	p := l.plan(o, config)
	if at(p.planned, "phase") != (unknown{}) {
		t.Error("the plan shows no work left")
	}
	warned(t, p.diags, `AttributeName("phase")`, "40.00 % of", "watches it again")
	if o, d = l.apply(p); !d.errors() || at(o.state, "phase") != "degraded" {
		t.Errorf("watched again: phase %v: %s", at(o.state, "phase"), d)
	}
	w.failing("1", 0)
	l.configure()
	o, d = l.apply(l.plan(o, config))
	if o = l.empty(o, config); at(o.state, "phase") != "live" || len(d) > 0 {
		t.Errorf("phase is %v", at(o.state, "phase"))
	}
}
