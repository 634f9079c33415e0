package provider_test

import (
	"context"
	"strings"
	"testing"
)

// halfMade is a resource, and how its create is kept from being finished.
type halfMade struct {
	kind, id string
	config   set
	// before are what it needs.
	before []string
	hinder func(w *world, problem string)
}

func halfMades() []halfMade {
	return []halfMade{
		{"region", "eu", aRegion(), nil, func(w *world, problem string) { w.HinderRegion("eu", problem) }},
		{"environment", "eu/production", with(anEnvironment(), set{"deletion_protection": true}), []string{"region"}, func(w *world, problem string) {
			w.HinderEnvironment(production, problem, problem != "")
		}},
		{"account_database", "eu/production/acme", with(aDatabase(), set{"deletion_protection": true}), []string{"region", "environment"}, func(w *world, problem string) {
			w.HinderAccountDatabase(acme, problem)
		}},
	}
}

// begun is a walk in a world where the create of a resource fails, with what was there before it.
func (h halfMade) begun(t *testing.T) (w *world, l *lab, before int) {
	t.Helper()
	w = newWorld(t)
	l = w.lab(nil)
	for _, kind := range h.before {
		l.made(kind, map[string]set{"region": aRegion(), "environment": anEnvironment()}[kind])
	}
	before = len(w.Inventory())
	h.hinder(w, "the disk is full")
	return w, l, before
}

// create plans and applies the resource, which fails, and wants it said what to do.
func (h halfMade) create(ctx context.Context, l *lab, want ...string) object {
	l.t.Helper()
	l.configure()
	o, d := l.applyWith(ctx, l.plan(l.nothing(h.kind), h.config))
	for _, want := range append(want, "Unable to create", "the disk is full") {
		if !d.errors() || !strings.Contains(d.String(), want) {
			l.t.Errorf("got %s, want %q", d, want)
		}
	}
	l.configure()
	return o
}

// destroy plans and applies that the resource goes, as it is in state.
func (h halfMade) destroy(l *lab, o object) {
	l.t.Helper()
	l.configure()
	o, d := l.read(o)
	if at(o.state, "id") != h.id || d.errors() {
		l.t.Fatalf("the state holds %v: %s", at(o.state, "id"), d)
	}
	if _, d = l.apply(l.plan(o, nil)); d.errors() {
		l.t.Errorf("destroy: %s", d)
	}
}

// What a create has made and could not finish is in the state: a destroy removes it, whatever
// protects it once it is finished.
func TestWhatAFailedCreateMadeIsDestroyed(t *testing.T) {
	t.Parallel()
	for _, h := range halfMades() {
		t.Run(h.kind, func(t *testing.T) {
			t.Parallel()
			w, l, before := h.begun(t)
			o := h.create(t.Context(), l, "terraform untaint slipway_"+h.kind+".<name>")
			if len(w.Inventory()) == before {
				t.Error("nothing was made")
			}
			h.destroy(l, o)
			if left := w.Inventory(); len(left) != before {
				t.Errorf("left: %q", left)
			}
		})
	}
}

// After an untaint the next apply goes on with it.
func TestWhatAFailedCreateMadeIsFinishedWhenUntainted(t *testing.T) {
	t.Parallel()
	for _, h := range halfMades() {
		t.Run(h.kind, func(t *testing.T) {
			t.Parallel()
			w, l, _ := h.begun(t)
			o := h.create(t.Context(), l)
			h.hinder(w, "")
			o, _ = l.read(o)
			l.empty(l.changed(o, h.config), h.config)
		})
	}
}

// What an earlier call began is not in the state when it fails again: it is told how to import it,
// and a destroy removes it then.
func TestWhatAFailedCreateFoundIsLeft(t *testing.T) {
	t.Parallel()
	for _, h := range halfMades() {
		t.Run(h.kind, func(t *testing.T) {
			t.Parallel()
			w, l, before := h.begun(t)
			h.create(t.Context(), l) // and its state was lost
			o := h.create(t.Context(), l, "terraform import slipway_"+h.kind+".<name> "+h.id+"\n")
			if !o.state.IsNull() {
				t.Errorf("the state is %s", o.state)
			}
			o, d := l.imported(h.kind, h.id, nil)
			if d.errors() {
				t.Fatal(d)
			}
			h.destroy(l, o)
			if left := w.Inventory(); len(left) != before {
				t.Errorf("left: %q", left)
			}
		})
	}
}
