package provider_test

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/provider"
)

// open validates and opens an ephemeral resource as Terraform does.
func (l *lab) open(name string, config map[string]any) (tftypes.Value, diagnostics) {
	l.t.Helper()
	name = "slipway_" + name
	s, ok := l.schema.EphemeralResourceSchemas[name]
	if !ok {
		l.t.Fatalf("there is no ephemeral resource %q", name)
	}
	c := l.encode(build(s.ValueType(), config))
	checked, err := l.server.ValidateEphemeralResourceConfig(l.t.Context(), &tfprotov6.ValidateEphemeralResourceConfigRequest{TypeName: name, Config: c})
	l.ok(err)
	if d := diagnostics(checked.Diagnostics); d.errors() {
		return tftypes.Value{}, d
	}
	resp, err := l.server.OpenEphemeralResource(l.t.Context(), &tfprotov6.OpenEphemeralResourceRequest{TypeName: name, Config: c})
	l.ok(err)
	if d := diagnostics(resp.Diagnostics); d.errors() {
		return tftypes.Value{}, d
	}
	return l.decode(resp.Result, s.ValueType()), resp.Diagnostics
}

func TestAccountCredentialsAreReadAndNotKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.lab(nil)
	o := l.everything()["account_database"]
	for version := 1; version <= 2; version++ {
		got, d := l.open("account_credentials", set{"account_database_id": "eu/production/acme"})
		if len(d) > 0 {
			t.Fatal(d)
		}
		for _, name := range []string{"database_name", "host", "port", "role_name"} {
			if at(got, name) == nil || at(got, name) != at(o.state, name) {
				t.Errorf("%s is %v, and %v in the state", name, at(got, name), at(o.state, name))
			}
		}
		password := w.Secret("memory:/secrets/eu/production/acme")
		if at(got, "password") != password || password == "" {
			t.Errorf("the password is %v, want %q", at(got, "password"), password)
		}
		o = l.changed(o, with(aDatabase(), set{"credential_version": 2}))
	}
}

func TestAccountCredentialsThatCanNotBeRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.lab(nil)
	l.made("region", aRegion())
	l.made("environment", anEnvironment())
	ours := set{"account_database_id": "eu/production/acme"}
	for name, c := range map[string]struct {
		config map[string]any
		want   string
	}{
		"no database":              {ours, "Unable to read account credentials"},
		"what is no database's id": {set{"account_database_id": "acme"}, "account_database_id"},
	} {
		if _, d := l.open("account_credentials", c.config); !d.errors() || !strings.Contains(d.String(), c.want) {
			t.Errorf("%s: got %s", name, d)
		}
	}
	l.plan(l.nothing("account_database"), aDatabase())
	if got, d := l.open("account_credentials", ours); len(d) > 0 || at(got, "password") != nil || at(got, "account_database_id") != "eu/production/acme" {
		t.Errorf("a database that this plan makes: %s", d)
	}
	l.made("account_database", aDatabase())
	dumb := w.lab(nil, provider.WithDriver(func(provider.Settings) (target.Driver, error) { return struct{ target.Driver }{w.Target}, nil }))
	if _, d := dumb.open("account_credentials", ours); !d.errors() || !strings.Contains(d.String(), "read the secret memory:/secrets/eu/production/acme") {
		t.Errorf("a target that gives no passwords: %s", d)
	}
	w.VanishAccountDatabase(acme)
	if _, d := l.open("account_credentials", ours); !d.errors() || !strings.Contains(d.String(), "gone from the server") {
		t.Errorf("a database that is gone: %s", d)
	}
}
