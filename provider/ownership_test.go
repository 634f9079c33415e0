package provider_test

import (
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
