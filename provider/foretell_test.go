package provider_test

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// warned are the diagnostics of a plan that must hold exactly one warning.
func warned(t *testing.T, d diagnostics, at string, want ...string) {
	t.Helper()
	if len(d) != 1 || d[0].Severity != tfprotov6.DiagnosticSeverityWarning || d[0].Attribute.String() != at {
		t.Errorf("got %q, want one warning at %s", d, at)
		return
	}
	for _, part := range want {
		if !strings.Contains(d.String(), part) {
			t.Errorf("got %s, want %q in it", d, part)
		}
	}
}

func TestPlanOfAReleaseOnHoldShowsTheTruthAndWarns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.lab(nil)
	second := with(aSlot(), map[string]any{"release": "2"})
	o := l.changed(l.everything()["deployment_slot"], second)
	if _, err := w.provisioner(w.owner).RollBack(t.Context(), oms, "ann", "orders were lost\nline 7: panic"); err != nil {
		t.Fatal(err)
	}
	o, _ = l.read(o)
	if at(o.state, "release") != "1" || at(o.state, "phase") != "rolled_back" {
		t.Errorf("state has release %v in phase %v", at(o.state, "release"), at(o.state, "phase"))
	}
	p := l.plan(o, second)
	if at(p.planned, "release") != "2" {
		t.Errorf("planned release is %v", at(p.planned, "release"))
	}
	warned(t, p.diags, `AttributeName("release")`, "by ann at 2026-11-03T", "orders were lost. Applying", "raise retry above 0")
	l.configure()
	tuned := with(second, components("api", set{"environment": set{"LEVEL": "debug"}, "stop_timeout_seconds": 20}))
	again := l.plan(o, tuned)
	warned(t, again.diags, `AttributeName("release")`, "by ann at 2026-11-03T", "raise retry above 0")
	if _, d := l.apply(again); !d.errors() {
		t.Error("the same release with another environment passes")
	}
	l.configure()
	warned(t, l.plan(o, with(second, components("api", set{"environment": unknown{}}))).diags, `AttributeName("release")`, "by ann at 2026-11-03T")
	l.configure()
	p = l.plan(o, second)
	before := w.slot().Record
	same, d := l.apply(p)
	diffs, err := same.state.Diff(o.state)
	if !d.errors() || len(diffs) > 0 || err != nil || !target.Same(before, w.slot().Record) {
		t.Errorf("the apply touched something: %s, state %v", d, diffs)
	}
	for name, change := range map[string]map[string]any{
		"a raised retry":  {"retry": 1},
		"another release": {"release": "3"},
	} {
		l.configure()
		if p := l.plan(o, with(second, change)); len(p.diags) > 0 {
			t.Errorf("with %s: %s", name, p.diags)
		}
	}
}

func TestPlanWarnsThatAFallbackIsGoingToBeRetired(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.lab(nil)
	second := with(aSlot(), map[string]any{"release": "2"})
	o := l.changed(l.everything()["deployment_slot"], second)
	p := l.plan(o, with(aSlot(), map[string]any{"release": "3"}))
	warned(t, p.diags, `AttributeName("release")`, "keeps release 1 as its fallback until 2026-11-03T", "candidate for release 3")
	for name, config := range map[string]map[string]any{
		"going back to it":       aSlot(),
		"a change without swap":  with(second, map[string]any{"retry": 1}),
		"a plan without changes": second,
	} {
		l.configure()
		if p := l.plan(o, config); len(p.diags) > 0 {
			t.Errorf("%s: %s", name, p.diags)
		}
	}
}

func TestPlanWarnsOfASandboxThatIsApart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.lab(nil)
	production := l.everything()["deployment_slot"]
	sandbox := with(anEnvironment(), map[string]any{"name": "sandbox", "kind": "sandbox", "mirrors": "eu/production"})
	e := l.made("environment", sandbox)
	l.made("deployment_slot", with(aSlot(), map[string]any{"environment_id": "eu/sandbox"}))
	l.empty(e, sandbox)
	l.changed(production, with(aSlot(), map[string]any{"release": "2"}))
	p := l.plan(e, sandbox)
	warned(t, p.diags, `AttributeName("mirrors")`, `In slot "oms" it serves release 1, and production serves release 2`)
	if !p.planned.Equal(e.state) {
		t.Error("the warning changed the plan")
	}
}

func TestPlanWarnsOfASuiteWhoseAccountHasNoDatabase(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.lab(nil)
	l.made("region", aRegion())
	config := with(aSlot(), map[string]any{"test_suite": map[string]any{"command": []any{"s"}, "account": "acme"}})
	if p := l.plan(l.nothing("deployment_slot"), config); len(p.diags) > 0 {
		t.Errorf("without an environment: %s", p.diags)
	}
	l.made("environment", anEnvironment())
	warned(t, l.plan(l.nothing("deployment_slot"), config).diags, `AttributeName("test_suite").AttributeName("account")`, `"eu/production/acme"`)
	l.configure()
	l.plan(l.nothing("account_database"), aDatabase())
	if p := l.plan(l.nothing("deployment_slot"), config); len(p.diags) > 0 {
		t.Errorf("with a database in the same plan: %s", p.diags)
	}
}
