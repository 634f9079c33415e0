package provider_test

import (
	"strings"
	"testing"
)

// A removal that stopped half-way is told of in each plan with the ways out, keeps the resource from
// being changed, and is finished by a destroy, also after an import.
func TestARemovalThatStoppedIsFinishedByADestroy(t *testing.T) {
	t.Parallel()
	stop := map[string]func(*world){
		"region":      func(w *world) { w.EndRegion("eu") },
		"environment": func(w *world) { w.EndEnvironment(production) },
	}
	for _, h := range halfMades()[:2] {
		t.Run(h.kind, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			l := w.lab(nil)
			if h.kind == "environment" {
				l.made("region", aRegion())
			}
			before := len(w.Inventory())
			h.config = with(h.config, set{"tags": set{"team": "first"}})
			if h.kind == "environment" {
				h.config = with(h.config, set{"deletion_protection": false})
			}
			o := l.made(h.kind, h.config)
			stop[h.kind](w)
			l.configure()
			o, d := l.read(o)
			if !strings.Contains(d.String(), "is being removed") || !strings.Contains(d.String(), "-replace") || d.errors() {
				t.Errorf("a refresh says %s", d)
			}
			_, d = l.apply(l.plan(o, with(h.config, set{"tags": set{"team": "second"}})))
			if !d.errors() || !strings.Contains(d.String(), "-replace") || strings.Contains(d.String(), "Somebody else") {
				t.Errorf("an apply says %s", d)
			}
			l.configure()
			if _, d = l.apply(l.plan(l.nothing(h.kind), h.config)); !d.errors() || !strings.Contains(d.String(), "imported first") || strings.Contains(d.String(), "goes on with it") {
				t.Errorf("a create says %s", d)
			}
			if o, d = l.imported(h.kind, h.id, nil); d.errors() {
				t.Fatal(d)
			}
			h.destroy(l, o)
			if left := w.Inventory(); len(left) != before {
				t.Errorf("left: %q", left)
			}
		})
	}
}
