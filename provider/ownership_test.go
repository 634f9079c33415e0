package provider_test

import (
	"slices"
	"strings"
	"testing"
)

func TestLostStateIsAdopted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.lab(nil)
	made := l.everything()
	for _, k := range kinds() {
		again := l.made(k.kind, k.config)
		if !again.state.Equal(made[k.kind].state) {
			t.Errorf("the adopted %s is not what was made", k.kind)
		}
	}
}

func TestAnotherStateIsRefusedWithTheImportCommand(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.lab(nil).everything()
	w.owner = "another state"
	l := w.lab(nil)
	for _, k := range kinds() {
		p := l.plan(l.nothing(k.kind), k.config)
		if want := "terraform import slipway_" + k.kind + ".<name> " + k.id; !strings.Contains(p.diags.String(), want) {
			t.Errorf("plan %s: %s, want %q", k.kind, p.diags, want)
		}
	}
}

func TestChangedObjectIsNotAdopted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.lab(nil)
	for _, k := range kinds() {
		o := l.made(k.kind, k.config)
		changes := map[string]map[string]any{
			"region": {"closed": false, "tags": map[string]any{"a": "b"}}, "environment": {"tags": map[string]any{"a": "b"}},
			"account_database": {"connection_limit": 30}, "deployment_slot": {"retry": 1},
		}
		l.changed(o, with(k.config, changes[k.kind]))
		_, d := l.apply(l.plan(l.nothing(k.kind), with(k.config, changes[k.kind])))
		if want := "terraform import slipway_" + k.kind + ".<name> " + k.id; !strings.Contains(d.String(), want) {
			t.Errorf("create %s: %s, want %q", k.kind, d, want)
		}
	}
}

// TestConfigurationThatMovedKeepsItsObjects is a checkout at another path: the owner's name
// is another one, the state is the same.
func TestConfigurationThatMovedKeepsItsObjects(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made := w.lab(nil).everything()
	w.owner = "another directory"
	l := w.lab(nil)
	for _, k := range kinds() {
		if _, d := l.read(made[k.kind]); len(d) > 0 {
			t.Fatalf("read %s: %s", k.kind, d)
		}
		// A tainted resource is planned like a new one, after it was read.
		if p := l.plan(l.nothing(k.kind), k.config); len(p.diags) > 0 {
			t.Errorf("plan a tainted %s: %s", k.kind, p.diags)
		}
	}
	l.configure()
	if _, d := l.read(made["environment"]); len(d) > 0 {
		t.Fatal(d)
	}
	successor := with(anEnvironment(), set{"name": "successor", "domain_name": production.DefaultDomainName(), "network": set{"https_port": production.DefaultHTTPSPort()}})
	if p := l.plan(l.nothing("environment"), successor); len(p.diags) > 0 {
		t.Errorf("plan an environment that takes the place of one that may go: %s", p.diags)
	}
	all := kinds()
	slices.Reverse(all)
	for _, k := range all {
		o := l.empty(made[k.kind], k.config)
		if _, d := l.apply(l.plan(o, nil)); len(d) > 0 {
			t.Errorf("destroy %s: %s", k.kind, d)
		}
	}
	if left := w.Inventory(); len(left) > 0 {
		t.Errorf("destroy left %q", left)
	}
}
