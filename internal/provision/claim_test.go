package provision_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/memtarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// noun is what the four kinds of objects have in common. Word is what differs between two
// definitions of one object, "" for the usual one.
type noun struct {
	name, id string
	create   func(w *world, p *provision.Provisioner, word string) (provision.Origin, error)
	update   func(w *world, word string) error
	meta     func(w *world) target.Meta
	remove   func(w *world) error
}

// nouns are the four, in the order in which they are made.
func nouns() []noun {
	r := func(word string) target.Region {
		return region(func(r *target.Region) { r.Tags = tags(word) })
	}
	e := func(word string) target.Environment {
		return environment(func(e *target.Environment) { e.Tags = tags(word) })
	}
	d := func(word string) target.AccountDatabase {
		return database(func(d *target.AccountDatabase) { d.ConnectionLimit += len(word) })
	}
	s := func(word string) target.Slot {
		return slot(func(s *target.Slot) { s.Tags = tags(word) })
	}
	return []noun{
		{
			"region", "eu",
			func(w *world, p *provision.Provisioner, word string) (provision.Origin, error) {
				_, origin, err := p.CreateRegion(w.Context(), r(word))
				return origin, err
			},
			func(w *world, word string) error { _, err := w.UpdateRegion(w.Context(), r(word)); return err },
			func(w *world) target.Meta { rec, err := w.ReadRegion(w.Context(), "eu"); w.ok(err); return rec.Meta },
			func(w *world) error { return w.DeleteRegion(w.Context(), "eu") },
		},
		{
			"environment", "eu/production",
			func(w *world, p *provision.Provisioner, word string) (provision.Origin, error) {
				_, origin, err := p.CreateEnvironment(w.Context(), e(word))
				return origin, err
			},
			func(w *world, word string) error { _, err := w.UpdateEnvironment(w.Context(), e(word)); return err },
			func(w *world) target.Meta {
				rec, err := w.ReadEnvironment(w.Context(), production)
				w.ok(err)
				return rec.Meta
			},
			func(w *world) error { return w.DeleteEnvironment(w.Context(), production) },
		},
		{
			"account database", "eu/production/acme",
			func(w *world, p *provision.Provisioner, word string) (provision.Origin, error) {
				_, origin, err := p.CreateAccountDatabase(w.Context(), d(word))
				return origin, err
			},
			func(w *world, word string) error { _, err := w.UpdateAccountDatabase(w.Context(), d(word)); return err },
			func(w *world) target.Meta {
				rec, err := w.ReadAccountDatabase(w.Context(), acme)
				w.ok(err)
				return rec.Meta
			},
			func(w *world) error { return w.DeleteAccountDatabase(w.Context(), acme) },
		},
		{
			"deployment slot", "eu/production/oms",
			func(w *world, p *provision.Provisioner, word string) (provision.Origin, error) {
				_, origin, err := p.CreateSlot(w.Context(), s(word))
				return origin, err
			},
			func(w *world, word string) error { _, err := w.UpdateSlot(w.Context(), s(word)); return err },
			func(w *world) target.Meta { st, err := w.ReadSlot(w.Context(), oms); w.ok(err); return st.Record.Meta },
			func(w *world) error { return w.DeleteSlot(w.Context(), oms) },
		},
	}
}

func tags(word string) map[string]string {
	if word == "" {
		return nil
	}
	return map[string]string{"word": word}
}

// before is a world with what a noun needs.
func before(t *testing.T, n noun) *world {
	t.Helper()
	w := newWorld(t, memtarget.Options{})
	for _, other := range nouns() {
		if other.name == n.name {
			return w
		}
		_, err := other.create(w, w.Provisioner, "")
		w.ok(err)
	}
	return w
}

func TestACreateMakesAdoptsOrRefuses(t *testing.T) {
	t.Parallel()
	for _, n := range nouns() {
		for _, c := range []struct {
			name   string
			before func(*world)
			as     string
			word   string
			want   provision.Origin
			why    string
		}{
			{"nothing is there", func(*world) {}, "this state", "", provision.Made, ""},
			{"this owner made the same and its answer was lost", func(w *world) {}, "this state", "", "", ""},
			{"this owner made it with another definition", func(*world) {}, "this state", "other", "", "it has another definition than the one asked for"},
			{"another owner made the same", func(*world) {}, "another state", "", "", `it belongs to "this state" and this is "another state"`},
			{"this owner made the same and changed it back and forth", func(w *world) { w.ok(n.update(w, "x")); w.ok(n.update(w, "")) }, "this state", "", "", "it was changed since it was made"},
			{"another owner took it over", func(w *world) {
				w.Provisioner = w.of("another state").Holding("this state")
				w.ok(n.update(w, "x"))
				w.ok(n.update(w, ""))
			}, "this state", "", "", `it belongs to "another state" and this is "this state"`},
		} {
			t.Run(n.name+": "+c.name, func(t *testing.T) {
				t.Parallel()
				w := before(t, n)
				if c.name != "nothing is there" {
					_, err := n.create(w, w.Provisioner, "")
					w.ok(err)
				}
				c.before(w)
				inventory, log := w.target.Inventory(), len(w.target.Log())
				origin, err := n.create(w, w.of(c.as), c.word)
				if c.why == "" {
					w.ok(err)
					if c.want == provision.Made && origin != c.want {
						t.Errorf("got origin %q, want %q", origin, c.want)
					}
					if m := n.meta(w); m.Generation != 1 || m.Owner != "this state" || !m.Ready {
						t.Errorf("got %+v, want generation 1 of this state", m)
					}
					return
				}
				var exists *provision.ExistsError
				if !errors.As(err, &exists) || exists.Noun != n.name || exists.ID != n.id || exists.Why != c.why {
					t.Fatalf("got error %#v, want that %s %q exists: %s", err, n.name, n.id, c.why)
				}
				w.says(err, fmt.Sprintf("%s %q exists already: %s", n.name, n.id, c.why))
				if diff := cmp.Diff(inventory, w.target.Inventory()); diff != "" || len(w.target.Log()) != log {
					t.Errorf("a refused create did something (-before +after):\n%s", diff)
				}
			})
		}
	}
}

// What another state has taken over is neither changed nor removed by the one that had it,
// and the state that took it over may go by another name later.
func TestWhatAnotherStateTookOverIsLeftAlone(t *testing.T) {
	t.Parallel()
	for _, n := range nouns() {
		t.Run(n.name, func(t *testing.T) {
			t.Parallel()
			w := before(t, n)
			_, err := n.create(w, w.Provisioner, "")
			w.ok(err)
			first := w.Provisioner
			w.Provisioner = w.of("another state")
			taken(w, n, n.update(w, "x"), "this state", "another state")
			taken(w, n, n.remove(w), "this state", "another state")
			w.Provisioner = w.of("another state").Holding("this state")
			w.ok(n.update(w, "x"))
			w.Provisioner = first
			inventory := w.target.Inventory()
			taken(w, n, n.update(w, "y"), "another state", "this state")
			taken(w, n, n.remove(w), "another state", "this state")
			if diff := cmp.Diff(inventory, w.target.Inventory()); diff != "" {
				t.Errorf("a refused call did something (-before +after):\n%s", diff)
			}
			w.Provisioner = w.of("moved").Holding("another state")
			w.ok(n.remove(w))
		})
	}
}

func taken(w *world, n noun, err error, owner, holder string) {
	w.Helper()
	var e *provision.TakenError
	if !errors.As(err, &e) || e.Noun != n.name || e.ID != n.id || e.Owner != owner || e.Holder != holder {
		w.Errorf("got error %v, want that %s %q belongs to %s", err, n.name, n.id, owner)
	}
}

// A machine that was lost with its state before it was written finds all that it made.
func TestEverythingALostMachineMadeIsAdopted(t *testing.T) {
	t.Parallel()
	w := before(t, nouns()[2])
	const accounts = 200
	create := func(p *provision.Provisioner) (failed int) {
		for n := range accounts {
			_, _, err := p.CreateAccountDatabase(t.Context(), database(func(d *target.AccountDatabase) { d.Account = fmt.Sprintf("account-%d", n) }))
			if err != nil {
				failed++
			}
		}
		return failed
	}
	if failed := create(w.Provisioner); failed > 0 {
		t.Fatalf("%d creates failed", failed)
	}
	made := w.target.Inventory()
	if failed := create(w.of("this state")); failed > 0 {
		t.Errorf("%d of %d were not adopted", failed, accounts)
	}
	if failed := create(w.of("another directory")); failed != accounts {
		t.Errorf("%d of %d were taken from another directory", accounts-failed, accounts)
	}
	if diff := cmp.Diff(made, w.target.Inventory()); diff != "" {
		t.Errorf("the target (-before +after):\n%s", diff)
	}
}

// Whatever call of a create is refused or loses its answer, and wherever its process is
// killed: the same create succeeds later and there is one object.
func TestACreateCanBeRepeatedWhateverCallFailed(t *testing.T) {
	t.Parallel()
	for _, n := range nouns() {
		for _, mode := range []memtarget.Mode{memtarget.Refuse, memtarget.LoseAnswer, memtarget.KillBefore, memtarget.KillAfter} {
			t.Run(fmt.Sprintf("%s, a call %s", n.name, mode), func(t *testing.T) {
				t.Parallel()
				for call := 1; ; call++ {
					w := before(t, n)
					client := w.target.Client()
					client.FailCall(call, mode)
					_, first := n.create(w, provision.New(client, "this state", provision.Options{Clock: w.clock}), "")
					if client.Struck() == 0 {
						break
					}
					if _, err := n.create(w, w.Provisioner, ""); err != nil {
						t.Fatalf("call %d was struck, which ended in %v; again: %v", call, first, err)
					}
					if m := n.meta(w); m.Generation != 1 || !m.Ready {
						t.Fatalf("call %d was struck, which ended in %v; then it is %+v", call, first, m)
					}
				}
			})
		}
	}
}

func TestWhatIsNotThereIsRemovedAlready(t *testing.T) {
	t.Parallel()
	for _, n := range nouns() {
		t.Run(n.name, func(t *testing.T) {
			t.Parallel()
			w := before(t, n)
			if n.name == "region" { // without one there is no installation to know
				_, _, err := w.CreateRegion(t.Context(), region(func(r *target.Region) { r.Name = "us" }))
				w.ok(err)
			}
			w.ok(n.remove(w))
			_, err := n.create(w, w.Provisioner, "")
			w.ok(err)
			w.ok(n.remove(w))
			w.ok(n.remove(w))
		})
	}
}

func TestWhatHoldsOthersIsNotRemoved(t *testing.T) {
	t.Parallel()
	w := built(t)
	w.refused(w.DeleteRegion(t.Context(), "eu"), target.ErrNotEmpty, `region "eu" still has environments (eu/production): destroy them first`)
	w.refused(w.DeleteEnvironment(t.Context(), production), target.ErrNotEmpty, `environment "eu/production" still holds account database eu/production/acme, deployment slot eu/production/oms: destroy them first`)
	all := nouns()
	for i := range all {
		w.ok(all[len(all)-1-i].remove(w))
	}
	if left := w.target.Inventory(); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}

func TestWhatIsProtectedIsNotRemoved(t *testing.T) {
	t.Parallel()
	w := built(t)
	_, err := w.UpdateAccountDatabase(t.Context(), database(func(d *target.AccountDatabase) { d.DeletionProtection = true }))
	w.ok(err)
	_, err = w.UpdateSlot(t.Context(), slot(func(s *target.Slot) { s.DeletionProtection = true }))
	w.ok(err)
	w.refused(w.DeleteAccountDatabase(t.Context(), acme), target.ErrProtected, `delete account database "eu/production/acme"`)
	w.refused(w.DeleteSlot(t.Context(), oms), target.ErrProtected, `deletion protection of slot "eu/production/oms" is on`)
}

func TestATargetThatIsGoneIsNotAnEmptyOne(t *testing.T) {
	t.Parallel()
	w := built(t)
	w.target.VanishInstallation()
	for _, read := range []func(context.Context) error{
		func(ctx context.Context) error { _, err := w.ReadRegion(ctx, "eu"); return err },
		func(ctx context.Context) error { _, err := w.ReadEnvironment(ctx, production); return err },
		func(ctx context.Context) error { _, err := w.ReadAccountDatabase(ctx, acme); return err },
		func(ctx context.Context) error { _, err := w.ReadSlot(ctx, oms); return err },
	} {
		if err := read(t.Context()); !errors.Is(err, target.ErrNoInstallation) || errors.Is(err, target.ErrNotFound) {
			t.Errorf("got error %v, want %v", err, target.ErrNoInstallation)
		}
	}
}
