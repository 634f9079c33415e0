package provider_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// kinds are the resources in the order in which they need each other, with their ids.
func kinds() []struct {
	kind, id string
	config   map[string]any
} {
	return []struct {
		kind, id string
		config   map[string]any
	}{
		{"region", "eu", aRegion()},
		{"environment", "eu/production", anEnvironment()},
		{"account_database", "eu/production/acme", aDatabase()},
		{"deployment_slot", "eu/production/oms", aSlot()},
	}
}

// everything makes one of each kind.
func (l *lab) everything() map[string]object {
	l.t.Helper()
	out := map[string]object{}
	for _, k := range kinds() {
		out[k.kind] = l.made(k.kind, k.config)
	}
	return out
}

func (l *lab) identity(o object) any {
	l.t.Helper()
	if o.identity == nil || o.identity.IdentityData == nil {
		return nil
	}
	return at(l.decode(o.identity.IdentityData, identityType), "id")
}

func TestEveryResourceHasAnIdentity(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.lab(nil)
	schemas, err := l.server.GetResourceIdentitySchemas(t.Context(), &tfprotov6.GetResourceIdentitySchemasRequest{})
	l.ok(err)
	made := l.everything()
	for _, k := range kinds() {
		t.Run(k.kind, func(t *testing.T) {
			if s := schemas.IdentitySchemas["slipway_"+k.kind]; s == nil || !s.ValueType().Equal(identityType) {
				t.Fatalf("identity schema %v", s)
			}
			if got := l.identity(made[k.kind]); got != k.id {
				t.Errorf("created with identity %v, want %q", got, k.id)
			}
			// Terraform before 1.12 keeps no identity.
			old := made[k.kind]
			old.identity = nil
			again, d := l.read(old)
			if got := l.identity(again); got != k.id || len(d) > 0 {
				t.Errorf("read with identity %v (%s), want %q", got, d, k.id)
			}
			byID, d := l.imported(k.kind, k.id, nil)
			if got := l.identity(byID); got != k.id || len(d) > 0 {
				t.Errorf("imported by id with identity %v (%s), want %q", got, d, k.id)
			}
			byIdentity, d := l.imported(k.kind, "", map[string]any{"id": k.id})
			if got := l.identity(byIdentity); got != k.id || len(d) > 0 {
				t.Errorf("imported by identity with identity %v (%s), want %q", got, d, k.id)
			}
			for how, o := range map[string]object{"read": again, "imported by id": byID, "imported by identity": byIdentity} {
				if !o.state.Equal(made[k.kind].state) {
					t.Errorf("%s: the state is not what the create made", how)
				}
				l.configure()
				if p := l.plan(o, k.config); !p.planned.Equal(o.state) || len(p.diags) > 0 {
					t.Errorf("%s: the plan is not empty: %s", how, p.diags)
				}
			}
			_, d = l.imported(k.kind, k.id+"/more/"+k.id, nil)
			if !d.errors() || !strings.Contains(d.String(), "is not a") {
				t.Errorf("a bad import id gives %s", d)
			}
		})
	}
}

// TestReadOfWhatIsGone must not say "Missing Resource Identity After Read", which is what
// Terraform says where the identity is set after the removal or not at all.
func TestReadOfWhatIsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.lab(nil)
	made := l.everything()
	keep := l.made("region", map[string]any{"name": "us", "location": "us", "jurisdiction": "US"})
	all := kinds()
	slices.Reverse(all)
	for _, k := range all {
		if _, d := l.apply(l.plan(made[k.kind], nil)); len(d) > 0 {
			t.Fatalf("destroy %s: %s", k.kind, d)
		}
		old := made[k.kind]
		old.identity = nil
		gone, d := l.read(old)
		if len(d) > 0 || !gone.state.IsNull() {
			t.Errorf("read of a %s that is gone: %s, state gone: %v", k.kind, d, gone.state.IsNull())
		}
		if _, d := l.apply(plan{object: old, config: tftypes.NewValue(old.state.Type(), nil), planned: tftypes.NewValue(old.state.Type(), nil)}); len(d) > 0 {
			t.Errorf("delete of a %s that is gone: %s", k.kind, d)
		}
		if _, d := l.imported(k.kind, k.id, nil); d.errors() {
			t.Errorf("import of a %s that is gone: %s, want Terraform to say it", k.kind, d)
		}
	}
	if _, d := l.apply(l.plan(keep, nil)); len(d) > 0 {
		t.Fatal(d)
	}
}

func TestVanishedDatabaseIsDroppedFromTheStateWithAWarning(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.lab(nil)
	made := l.everything()
	w.VanishAccountDatabase(acme)
	gone, d := l.read(made["account_database"])
	if d.errors() || len(d) != 1 || !gone.state.IsNull() || !strings.Contains(d.String(), "behind Terraform's back") {
		t.Errorf("read: %s, state gone: %v", d, gone.state.IsNull())
	}
	_, d = l.apply(l.plan(l.nothing("account_database"), aDatabase()))
	if !d.errors() || !strings.Contains(d.String(), "not made anew") {
		t.Errorf("create: %s", d)
	}
}

func TestObjectsBelongToTheirInstallation(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		tamper func(w *world)
		want   string
	}{
		"there is none any more": {func(w *world) { w.VanishInstallation() }, "belongs to installation memory, and there is no installation in memory target"},
		"there is another one": {func(w *world) {
			w.VanishInstallation()
			r := target.Region{Name: "us", Location: "us", Jurisdiction: "US"}
			if _, _, err := w.provisioner("x").CreateRegion(w.t.Context(), r); err != nil {
				w.t.Fatal(err)
			}
		}, `belongs to installation memory, and memory target "memory" holds another one, memory-2`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			l := w.lab(nil)
			made := l.everything()
			c.tamper(w)
			for _, k := range kinds() {
				o := made[k.kind]
				same, d := l.read(o)
				if !strings.Contains(d.String(), c.want) || !same.state.Equal(o.state) {
					t.Errorf("read %s: %s", k.kind, d)
				}
				if p := l.plan(o, k.config); !strings.Contains(p.diags.String(), c.want) {
					t.Errorf("plan %s: %s", k.kind, p.diags)
				}
				if p := l.plan(o, nil); !strings.Contains(p.diags.String(), c.want) {
					t.Errorf("plan to destroy %s: %s", k.kind, p.diags)
				}
				null := tftypes.NewValue(o.state.Type(), nil)
				if _, d := l.apply(plan{object: o, config: null, planned: null}); !strings.Contains(d.String(), c.want) {
					t.Errorf("delete %s: %s", k.kind, d)
				}
			}
		})
	}
	t.Run("an import looks into an installation", func(t *testing.T) {
		t.Parallel()
		_, d := newWorld(t).lab(nil).imported("region", "eu", nil)
		if !strings.Contains(d.String(), "no installation of Slipway") {
			t.Errorf("got %s", d)
		}
	})
}
