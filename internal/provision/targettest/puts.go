package targettest

import (
	"context"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// noun is what regions, environments and account databases have in common: a definition of
// type S under a natural key, with a generation and an owner.
type noun[S any] struct {
	// object is the definition of an object that no other test uses; changed is another
	// definition of the same object.
	object  func(w *world) S
	changed func(S) S
	put     func(context.Context, target.Driver, S, target.PutOptions) (target.Meta, S, error)
	get     func(context.Context, target.Driver, S) (target.Meta, S, error)
	delete  func(context.Context, target.Driver, S) error
	list    func(context.Context, target.Driver, S) ([]S, error)
	// settle waits until an object that was put is finished.
	settle func(w *world, s S)
}

// tests are what the contract of PutOptions, Get, Delete and List says of every noun.
func (n noun[S]) tests() []test {
	return []test{
		{"an object lives from its first put to its deletion", n.lifecycle},
		{"a put of what does not exist is refused at any generation but 0", func(w *world) {
			s := n.object(w)
			_, _, err := n.put(w.Context(), w.driver, s, target.PutOptions{Owner: owner, IfGeneration: 1})
			w.refused(err, target.ErrConflict)
			_, _, err = n.get(w.Context(), w.driver, s)
			w.refused(err, target.ErrNotFound)
		}},
		{"of many owners that create one object at once one gets it", func(w *world) {
			s := n.object(w)
			w.oneWins(w.together(8, func(d target.Driver, i int) error {
				_, _, err := n.put(w.Context(), d, s, target.PutOptions{Owner: string(rune('a' + i))})
				return err
			}), target.ErrConflict)
			n.settle(w, s)
			w.ok(n.delete(w.Context(), w.driver, s))
		}},
		{"one owner's create that is sent many times at once makes one object", func(w *world) {
			s := n.object(w)
			for _, err := range w.together(8, func(d target.Driver, _ int) error {
				_, _, err := n.put(w.Context(), d, s, target.PutOptions{Owner: owner})
				return err
			}) {
				w.ok(err)
			}
			n.settle(w, s)
			n.expect(w, s, owner, 1)
			w.ok(n.delete(w.Context(), w.driver, s))
		}},
		{"a call whose context has ended does nothing", func(w *world) {
			s := n.object(w)
			ctx, cancel := context.WithCancel(w.Context())
			cancel()
			_, _, err := n.put(ctx, w.driver, s, target.PutOptions{Owner: owner})
			w.refused(err, context.Canceled)
			_, _, err = n.get(w.Context(), w.driver, s)
			w.refused(err, target.ErrNotFound)
		}},
	}
}

func (n noun[S]) lifecycle(w *world) {
	ctx, s := w.Context(), n.object(w)
	before := w.clock.Now()

	_, _, err := n.get(ctx, w.driver, s)
	w.refused(err, target.ErrNotFound)
	w.gone(n.delete(ctx, w.driver, s))

	_, got, err := n.put(ctx, w.driver, s, target.PutOptions{Owner: owner})
	w.ok(err)
	n.same(w, got, s)
	n.settle(w, s)
	made := n.expect(w, s, owner, 1)
	if made.CreatedAt.Before(before) || made.CreatedAt.After(w.clock.Now()) {
		w.Errorf("created at %s, want between %s and now", made.CreatedAt, before)
	}

	// The answer was lost and the create is repeated, by this client and by a later one.
	_, _, err = n.put(ctx, w.driver, s, target.PutOptions{Owner: owner})
	w.ok(err)
	_, _, err = n.put(ctx, w.reopened(), s, target.PutOptions{Owner: owner})
	w.ok(err)
	if diff := cmp.Diff(made, n.expect(w, s, owner, 1)); diff != "" {
		w.Errorf("a repeated create changed the object's meta (-made +now):\n%s", diff)
	}

	c := n.changed(s)
	_, _, err = n.put(ctx, w.driver, c, target.PutOptions{Owner: owner})
	w.refused(err, target.ErrConflict) // generation 0: it is believed not to exist
	n.expect(w, s, owner, 1)
	for range 2 { // the second time is the repetition
		_, got, err = n.put(ctx, w.driver, c, target.PutOptions{Owner: owner, IfGeneration: 1})
		w.ok(err)
		n.same(w, got, c)
		n.settle(w, c)
		n.expect(w, c, owner, 2)
	}
	_, _, err = n.put(ctx, w.driver, s, target.PutOptions{Owner: owner, IfGeneration: 1})
	w.refused(err, target.ErrConflict) // an old generation
	_, _, err = n.put(ctx, w.driver, c, target.PutOptions{Owner: owner})
	w.refused(err, target.ErrConflict) // too old to be the repetition of what led here
	_, _, err = n.put(ctx, w.driver, c, target.PutOptions{Owner: owner, IfGeneration: 2})
	w.ok(err) // nothing to change
	n.settle(w, c)
	n.expect(w, c, owner, 2)

	// Another owner gets an equal object only by naming the generation it saw.
	_, _, err = n.put(ctx, w.driver, c, target.PutOptions{Owner: "another"})
	w.refused(err, target.ErrConflict)
	n.expect(w, c, owner, 2)
	_, _, err = n.put(ctx, w.driver, c, target.PutOptions{Owner: "another", IfGeneration: 2})
	w.ok(err)
	n.settle(w, c)
	m, _, err := n.get(ctx, w.driver, c)
	w.ok(err)
	if m.Owner != "another" {
		w.Errorf("owner is %q after another one took the object, want %q", m.Owner, "another")
	}

	if !n.listed(w, c) {
		w.Error("the object is not listed")
	}
	for range 2 {
		w.gone(n.delete(ctx, w.driver, c))
		_, _, err = n.get(ctx, w.driver, c)
		w.refused(err, target.ErrNotFound)
	}
	if n.listed(w, c) {
		w.Error("the deleted object is still listed")
	}

	// What was deleted can be made anew and starts at generation 1.
	_, _, err = n.put(ctx, w.driver, s, target.PutOptions{Owner: owner})
	w.ok(err)
	n.settle(w, s)
	n.expect(w, s, owner, 1)
	w.ok(n.delete(ctx, w.driver, s))
}

// expect reads the object by a new client and compares it.
func (n noun[S]) expect(w *world, want S, owner string, generation int64) target.Meta {
	w.Helper()
	m, got, err := n.get(w.Context(), w.reopened(), want)
	w.ok(err)
	n.same(w, got, want)
	if m.Owner != owner || m.Generation != generation || !m.Ready {
		w.Fatalf("owner %q, generation %d, ready %t; want owner %q, generation %d, ready", m.Owner, m.Generation, m.Ready, owner, generation)
	}
	return m
}

func (n noun[S]) same(w *world, got, want S) {
	w.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		w.Fatalf("the definition is not what was put (-put +got):\n%s", diff)
	}
}

func (n noun[S]) listed(w *world, s S) bool {
	w.Helper()
	all, err := n.list(w.Context(), w.reopened(), s)
	w.ok(err)
	for _, o := range all {
		if cmp.Equal(o, s) {
			return true
		}
	}
	return false
}
