package provider_test

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/hashicorp/terraform-plugin-testing/echoprovider"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
)

// look validates and reads a data source as Terraform does.
func (l *lab) look(kind, id any) (tftypes.Value, diagnostics) {
	l.t.Helper()
	name := "slipway_" + kind.(string)
	s, ok := l.schema.DataSourceSchemas[name]
	if !ok {
		l.t.Fatalf("there is no data source %q", name)
	}
	c := l.encode(build(s.ValueType(), map[string]any{"id": id}))
	checked, err := l.server.ValidateDataResourceConfig(l.t.Context(), &tfprotov6.ValidateDataResourceConfigRequest{TypeName: name, Config: c})
	l.ok(err)
	if _, unsure := id.(unknown); unsure || len(checked.Diagnostics) > 0 {
		return tftypes.Value{}, checked.Diagnostics
	}
	resp, err := l.server.ReadDataSource(l.t.Context(), &tfprotov6.ReadDataSourceRequest{TypeName: name, Config: c})
	l.ok(err)
	if resp.State == nil {
		return tftypes.Value{}, resp.Diagnostics
	}
	return l.decode(resp.State, s.ValueType()), resp.Diagnostics
}

func TestDataSourcesShowWhatResourcesShow(t *testing.T) {
	t.Parallel()
	l := newWorld(t).lab(nil)
	made := l.everything()
	whole := wholeSlot()
	delete(whole, "retry")
	whole = with(whole, set{"allow_untested": false, "approved_release": nil, "migrate": nil, "test_suite": set{"command": []any{"suite"}}, "deletion_protection": false, "swap": set{"steps": []any{step(10, 5)}}})
	whole["components"] = scaled(set{"max": 3, "schedules": []any{weekday(set{"days": []any{"mon"}})}})["components"]
	made["deployment_slot"] = l.changed(made["deployment_slot"], whole)
	for kind, o := range made {
		o, _ = l.read(o)
		got, d := l.look(kind, o.id())
		if len(d) > 0 {
			t.Errorf("%s: %s", kind, d)
			continue
		}
		want := parts(o.state)
		delete(want, "timeouts")
		if shown := parts(got); len(shown) != len(want) {
			t.Errorf("%s shows %d attributes, want %d", kind, len(shown), len(want))
		}
		for name, v := range want {
			if !parts(got)[name].Equal(v) {
				t.Errorf("%s shows %s as %s, want %s", kind, name, parts(got)[name], v)
			}
		}
	}
}

func TestDataSourcesRefuseWhatIsWrong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.lab(nil)
	l.everything()
	for _, k := range kinds() {
		for id, want := range map[string]string{"A//b": "id: ", absent(k.kind): "refer to its resource"} {
			if _, d := l.look(k.kind, id); !d.errors() || !strings.Contains(d.String(), want) || !strings.Contains(d.String(), `at AttributeName("id")`) {
				t.Errorf("%s %q: got %s", k.kind, id, d)
			}
		}
		if _, d := l.look(k.kind, unknown{}); len(d) > 0 {
			t.Errorf("%s whose id is not known yet: %s", k.kind, d)
		}
	}
	blind := newWorld(t).lab(map[string]any{"local": map[string]any{"data_dir": unknown{}}})
	if _, d := blind.look("region", "eu"); !strings.Contains(d.String(), "not fully known yet") {
		t.Errorf("got %s", d)
	}
	w.VanishAccountDatabase(acme)
	if _, d := l.look("account_database", "eu/production/acme"); !strings.Contains(d.String(), "gone from the server") {
		t.Errorf("got %s", d)
	}
}

// absent is the id of an object that is not there.
func absent(kind string) string {
	return map[string]string{"region": "us", "environment": "us/production"}[kind] + map[string]string{"account_database": "us/production/acme", "deployment_slot": "us/production/oms"}[kind]
}

func TestAccDataSourcesAndCredentials(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	config := platformWithSlot(nil) + `
resource "slipway_account_database" "test" {
  environment_id      = slipway_environment.test.id
  account             = "acme"
  deletion_protection = false
}

data "slipway_deployment_slot" "test" {
  id         = "eu/production/oms"
  depends_on = [slipway_deployment_slot.test]
}

ephemeral "slipway_account_credentials" "test" {
  account_database_id = slipway_account_database.test.id
}

provider "echo" {
  data = sha256(coalesce(ephemeral.slipway_account_credentials.test.password, "none"))
}

resource "echo" "test" {}
`
	factories := w.serve(w.owner)
	factories["echo"] = echoprovider.NewProviderServer()
	resource.Test(t, resource.TestCase{ProtoV6ProviderFactories: factories, Steps: []resource.TestStep{{
		Config: config,
		Check: resource.ComposeAggregateTestCheckFunc(
			resource.TestCheckResourceAttr("data.slipway_deployment_slot.test", "live.release", "1"),
			resource.TestCheckResourceAttrPair("data.slipway_deployment_slot.test", "url", slotAddress, "url"),
			resource.TestCheckResourceAttrWith("echo.test", "data", func(got string) error {
				if want := fmt.Sprintf("%x", sha256.Sum256([]byte(w.Secret("memory:/secrets/eu/production/acme")))); got != want {
					return fmt.Errorf("the password's digest is %s, want %s", got, want)
				}
				return nil
			}),
			w.noPasswordIn("eu/production/acme"),
		),
	}, emptyPlan(config)}})
}
