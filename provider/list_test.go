package provider_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// found is an object that a list resource found.
type found struct {
	id       string
	resource tftypes.Value
}

// list validates and lists as "terraform query" does.
func (l *lab) list(kind string, config map[string]any, whole bool, limit int64) ([]found, diagnostics) {
	l.t.Helper()
	s, ok := l.schema.ListResourceSchemas["slipway_"+kind]
	if !ok {
		l.t.Fatalf("there is no list resource %q", kind)
	}
	server, ok := l.server.(tfprotov6.ListResourceServer)
	if !ok {
		l.t.Fatal("the provider lists nothing")
	}
	c := l.encode(build(s.ValueType(), config))
	checked, err := server.ValidateListResourceConfig(l.t.Context(), &tfprotov6.ValidateListResourceConfigRequest{TypeName: "slipway_" + kind, Config: c})
	l.ok(err)
	if d := diagnostics(checked.Diagnostics); d.errors() {
		return nil, d
	}
	stream, err := server.ListResource(l.t.Context(), &tfprotov6.ListResourceRequest{TypeName: "slipway_" + kind, Config: c, IncludeResource: whole, Limit: limit})
	l.ok(err)
	var out []found
	var said diagnostics
	for r := range stream.Results {
		said = append(said, r.Diagnostics...)
		if r.Identity == nil {
			continue
		}
		f := found{id: at(l.decode(r.Identity.IdentityData, identityType), "id").(string)}
		if r.Resource != nil {
			f.resource = l.decode(r.Resource, l.kind(kind).ValueType())
		}
		out = append(out, f)
	}
	return out, said
}

func TestListsFindEverythingThatCanBeImported(t *testing.T) {
	t.Parallel()
	l := newWorld(t).lab(nil)
	for _, k := range kinds() {
		if got, d := l.list(k.kind, set{}, true, 0); len(got)+len(d) > 0 {
			t.Errorf("where there is nothing %v %ss are found: %s", got, k.kind, d)
		}
	}
	made := l.everything()
	l.made("environment", with(anEnvironment(), set{"name": "another"}))
	for _, k := range kinds() {
		got, d := l.list(k.kind, set{}, true, 0)
		o, _ := l.read(made[k.kind])
		if len(d) > 0 || len(got) == 0 {
			t.Fatalf("%s: got %v: %s", k.kind, got, d)
		}
		last := got[len(got)-1]
		if last.id != o.id() || !last.resource.Equal(o.state) {
			t.Errorf("found %s %s as %s, want %s", k.kind, last.id, last.resource, o.state)
		}
	}
}

func TestListsLookWhereTheyAreTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.lab(nil)
	l.everything()
	l.made("environment", with(anEnvironment(), set{"name": "another"}))
	l.made("account_database", with(aDatabase(), set{"environment_id": "eu/another"}))
	ids := func(kind string, config map[string]any, limit int64) string {
		t.Helper()
		got, d := l.list(kind, config, false, limit)
		if len(d) > 0 {
			t.Errorf("%s: %s", kind, d)
		}
		var ids []string
		for _, f := range got {
			ids = append(ids, f.id)
		}
		return fmt.Sprint(ids)
	}
	for _, c := range []struct {
		kind   string
		config map[string]any
		limit  int64
		want   string
	}{
		{"region", set{}, 0, "[eu]"},
		{"environment", set{}, 0, "[eu/another eu/production]"},
		{"environment", set{}, 1, "[eu/another]"},
		{"environment", set{"region_id": "eu"}, 0, "[eu/another eu/production]"},
		{"environment", set{"region_id": "us"}, 0, "[]"},
		{"account_database", set{}, 0, "[eu/another/acme eu/production/acme]"},
		{"account_database", set{"environment_id": "eu/another"}, 0, "[eu/another/acme]"},
		{"deployment_slot", set{"environment_id": "eu/another"}, 0, "[]"},
		{"deployment_slot", set{"environment_id": "eu/production"}, 0, "[eu/production/oms]"},
	} {
		if got := ids(c.kind, c.config, c.limit); got != c.want {
			t.Errorf("%s in %v: got %s, want %s", c.kind, c.config, got, c.want)
		}
	}
	for kind, attribute := range map[string]string{"environment": "region_id", "account_database": "environment_id", "deployment_slot": "environment_id"} {
		if _, d := l.list(kind, set{attribute: "A//b"}, false, 0); !d.errors() || !strings.Contains(d.String(), attribute+": ") {
			t.Errorf("%s in no place: %s", kind, d)
		}
		if _, d := l.list(kind, set{attribute: unknown{}}, false, 0); d.errors() {
			t.Errorf("%s in a place that is not known yet: %s", kind, d)
		}
	}
	w.VanishAccountDatabase(acme)
	got, d := l.list("account_database", set{"environment_id": "eu/production"}, true, 0)
	if len(got) != 1 || d.errors() || !strings.Contains(d.String(), "gone from the server") {
		t.Errorf("a database that is gone: %v %s", got, d)
	}
	blind := newWorld(t).lab(map[string]any{"local": map[string]any{"data_dir": unknown{}}})
	if _, d := blind.list("region", set{}, false, 0); !strings.Contains(d.String(), "not fully known yet") {
		t.Errorf("got %s", d)
	}
}
