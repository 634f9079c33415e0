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

// TestObjectIsTakenOverByImport is two states: the second imports everything and changes it,
// after which the first may neither change nor destroy it.
func TestObjectIsTakenOverByImport(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made := w.lab(nil).everything()
	changes := map[string]map[string]any{
		"region": {"tags": map[string]any{"a": "b"}}, "environment": {"tags": map[string]any{"a": "b"}},
		"account_database": {"connection_limit": 30}, "deployment_slot": {"retry": 1},
	}
	original := w.owner
	w.owner = "another state"
	second := w.lab(nil)
	for _, k := range kinds() {
		o, d := second.imported(k.kind, k.id, nil)
		if len(d) > 0 {
			t.Fatalf("import %s: %s", k.kind, d)
		}
		if o, d = second.read(o); len(d) > 0 {
			t.Fatalf("read %s: %s", k.kind, d)
		}
		second.changed(o, with(k.config, changes[k.kind]))
	}
	w.owner = original
	first := w.lab(nil)
	before := w.Inventory()
	for _, k := range kinds() {
		stale := made[k.kind]
		if _, d := first.apply(first.plan(stale, with(k.config, changes[k.kind]))); !d.names(k.id, "another state") {
			t.Errorf("change %s without a refresh: %s", k.kind, d)
		}
		if _, d := first.apply(first.plan(stale, nil)); !d.names(k.id, "another state", "terraform state rm slipway_"+k.kind) {
			t.Errorf("destroy %s without a refresh: %s", k.kind, d)
		}
		seen, d := first.read(stale)
		if len(d) > 0 {
			t.Fatalf("read %s: %s", k.kind, d)
		}
		if p := first.plan(seen, k.config); !p.diags.names(k.id, "another state") {
			t.Errorf("plan a change of %s: %s", k.kind, p.diags)
		}
		if p := first.plan(seen, nil); !p.diags.names(k.id, "another state") {
			t.Errorf("plan to destroy %s: %s", k.kind, p.diags)
		}
	}
	if after := w.Inventory(); !slices.Equal(before, after) {
		t.Errorf("a refused apply did something: before %q, after %q", before, after)
	}
}

// names says whether there is an error that contains every word.
func (d diagnostics) names(words ...string) bool {
	text := d.String()
	return d.errors() && !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) })
}
