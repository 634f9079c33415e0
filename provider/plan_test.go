package provider_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func TestDestroyOfWhatIsProtectedIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.lab(nil)
	made := l.everything()
	all := kinds()
	slices.Reverse(all)
	for _, k := range all {
		o := made[k.kind]
		if k.kind != "region" {
			protected := with(k.config, set{"deletion_protection": true})
			o = l.changed(o, protected)
			if p := l.plan(o, nil); !strings.Contains(p.diags.String(), "deletion_protection = false") {
				t.Errorf("plan to destroy the %s: %s", k.kind, p.diags)
			}
			// A replacement does not ask the plan.
			p := plan{object: o, config: l.nothing(k.kind).state, planned: l.nothing(k.kind).state}
			if _, d := l.apply(p); !strings.Contains(d.String(), "deletion_protection = false") {
				t.Errorf("destroy the %s: %s", k.kind, d)
			}
			o = l.changed(o, k.config)
		}
		if _, d := l.apply(l.plan(o, nil)); len(d) > 0 {
			t.Errorf("destroy the %s: %s", k.kind, d)
		}
	}
	if left := w.Inventory(); len(left) > 0 {
		t.Errorf("destroy left %q", left)
	}
}

// TestReplacementIsNoSecondResource plans as Terraform does for -replace: first with the
// prior state, then without it, but with what the first plan kept privately.
func TestReplacementIsNoSecondResource(t *testing.T) {
	t.Parallel()
	l := newWorld(t).lab(nil)
	made := l.everything()
	for _, k := range kinds() {
		first := l.plan(made[k.kind], k.config)
		second := l.nothing(k.kind)
		second.private = first.private
		for _, p := range []plan{first, l.plan(second, k.config)} {
			if len(p.diags) > 0 {
				t.Errorf("replace the %s: %s", k.kind, p.diags)
			}
		}
		if p := l.plan(l.nothing(k.kind), k.config); !strings.Contains(strings.ToLower(p.diags.String()), "two resources") {
			t.Errorf("a second %s of the same id: %s", k.kind, p.diags)
		}
	}
}

func TestDriftOfADatabaseIsAChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.lab(nil)
	o := l.everything()["account_database"]
	w.Drift(acme, 99)
	o, d := l.read(o)
	p := l.plan(o, with(aDatabase(), set{"connection_limit": 99}))
	if at(p.planned, "drift") != (unknown{}) || len(d)+len(p.diags) > 0 {
		t.Errorf("the plan does not show the drift: %s %s", d, p.diags)
	}
	l.empty(l.changed(o, aDatabase()), aDatabase())
}

// TestARepairOfASlotLooksLikeNoSwap plans what was changed behind our back, and leaves known what it leaves.
func TestARepairOfASlotLooksLikeNoSwap(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.lab(nil)
	second := with(aSlot(), set{"release": "2"})
	drifted := func(o object, c target.Color, config set, anew ...string) plan {
		t.Helper()
		w.DriftStack(oms, c, "a rule is missing")
		l.configure()
		o, d := l.read(o)
		if !strings.Contains(d.String(), "A rule is missing") || !strings.Contains(fmt.Sprint(at(o.state, "drift")), "a rule is missing") {
			t.Errorf("the drift is %v: %s", at(o.state, "drift"), d)
		}
		p := l.plan(o, config)
		for _, name := range []string{"candidate", "drift", "fallback", "last_swap", "live", "phase"} {
			if got := at(p.planned, name); slices.Contains(anew, name) != (got == unknown{}) {
				t.Errorf("planned %s is %v, of %q unknown", name, got, anew)
			}
		}
		return p
	}
	repaired := func(p plan) object {
		t.Helper()
		o, d := l.apply(p)
		if len(d) > 0 {
			t.Errorf("repair: %s", d)
		}
		l.configure()
		return o
	}
	o := l.everything()["deployment_slot"]
	o = repaired(drifted(o, target.Blue, aSlot(), "drift"))
	l.empty(o, aSlot())
	drifted(o, target.Blue, second, "candidate", "drift", "fallback", "last_swap", "live", "phase")

	o = l.changed(o, second)
	p := drifted(o, target.Green, second, "drift", "fallback")
	w.clock.Advance(time.Hour)
	if o = repaired(p); at(o.state, "fallback") != nil {
		t.Errorf("the fallback is %v an hour later", at(o.state, "fallback"))
	}
	l.empty(o, second)

	p = drifted(o, target.Green, second, "drift")
	for _, release := range []string{"3", "2"} {
		asked := w.slot().Record.Asked
		asked.Definition.Release = release
		if _, err := w.provisioner(w.owner).UpdateSlot(t.Context(), asked); err != nil {
			t.Fatal(err)
		}
	}
	o, d := l.apply(p)
	if !d.errors() || !strings.Contains(d.String(), "fallback, last_swap differ") || !strings.Contains(d.String(), w.slot().Record.Swap.ID) || at(o.state, "fallback.release") != "3" {
		t.Errorf("swaps between plan and apply: fallback %v, %s", at(o.state, "fallback.release"), d)
	}
	l.configure()
	l.empty(o, second)
}

// TestAnUpdateLeavesKnownWhatItDoesNotChange keeps what depends on it from being replaced.
func TestAnUpdateLeavesKnownWhatItDoesNotChange(t *testing.T) {
	t.Parallel()
	l := newWorld(t).lab(nil)
	made := l.everything()
	for kind, c := range map[string]struct {
		config set
		stays  []string
	}{
		"environment":      {with(anEnvironment(), set{"tags": set{"team": "platform"}}), []string{"accounts_directory", "certificate_authority", "database_host", "database_port"}},
		"account_database": {with(aDatabase(), set{"connection_limit": 3, "credential_version": 2}), []string{"host", "port", "secret_id"}},
	} {
		p := l.plan(made[kind], c.config)
		for _, name := range c.stays {
			if got, want := at(p.planned, name), at(made[kind].state, name); got != want {
				t.Errorf("planned %s of the %s is %v, want %v", name, kind, got, want)
			}
		}
		if at(p.planned, "drift") != (unknown{}) {
			t.Errorf("the plan of the %s foretells its drift", kind)
		}
		l.changed(made[kind], c.config)
	}
}

// TestWhatIsNotFinishedIsAChange wants an update planned by nothing but the drift.
func TestWhatIsNotFinishedIsAChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.lab(nil)
	made := l.everything()
	w.HinderRegion("eu", "the key is gone; the bucket is gone")
	w.HinderEnvironment(acme.Environment, "the door is shut", false)
	for kind, config := range map[string]set{"region": aRegion(), "environment": anEnvironment()} {
		o, _ := l.read(made[kind])
		p := l.plan(o, config)
		diffs, err := p.planned.Diff(o.state)
		for _, d := range diffs {
			if !strings.HasPrefix(d.Path.String(), `AttributeName("drift")`) {
				t.Errorf("the plan changes more of the %s: %s", kind, d)
			}
		}
		if err != nil || at(p.planned, "drift") != (unknown{}) {
			t.Errorf("the plan does not show the drift of the %s: %v", kind, err)
		}
	}
	w.HinderRegion("eu", "")
	w.HinderEnvironment(acme.Environment, "", false)
}

func TestPlannedURLsFollowTheConfiguration(t *testing.T) {
	t.Parallel()
	l := newWorld(t).lab(nil)
	l.plan(l.nothing("region"), aRegion())
	l.plan(l.nothing("environment"), with(anEnvironment(), set{"kind": "sandbox", "domain_name": "eu.example.com", "network": set{"https_port": 20443, "preview_port": 28443}}))
	p := l.plan(l.nothing("deployment_slot"), with(aSlot(), set{"deletion_protection": nil}))
	for path, want := range map[string]any{
		"id": "eu/production/oms", "url": "https://eu.example.com.localhost:20443",
		"preview_url": "https://eu.example.com.localhost:28443", "deletion_protection": false,
		"live": unknown{}, "phase": unknown{},
	} {
		if got := at(p.planned, path); got != want {
			t.Errorf("planned %s is %v, want %v", path, got, want)
		}
	}
}

func TestDestroyOfADatabaseSaysWhatIsKept(t *testing.T) {
	t.Parallel()
	l := newWorld(t).lab(nil)
	made := l.everything()["account_database"]
	for keep, want := range map[bool]string{true: "this target takes no snapshots", false: "final_snapshot is false"} {
		made = l.changed(made, with(aDatabase(), set{"final_snapshot": keep}))
		if p := l.plan(made, nil); p.diags.errors() || !strings.Contains(p.diags.String(), want) {
			t.Errorf("with final_snapshot = %t: got %s, want %q", keep, p.diags, want)
		}
	}
}
