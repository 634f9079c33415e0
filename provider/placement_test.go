package provider_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// place validates and reads a placement as Terraform does.
func (l *lab) place(config map[string]any) (tftypes.Value, diagnostics) {
	l.t.Helper()
	const name = "slipway_placement"
	s := l.schema.DataSourceSchemas[name]
	c := l.encode(build(s.ValueType(), config))
	checked, err := l.server.ValidateDataResourceConfig(l.t.Context(), &tfprotov6.ValidateDataResourceConfigRequest{TypeName: name, Config: c})
	l.ok(err)
	if d := diagnostics(checked.Diagnostics); d.errors() {
		return tftypes.Value{}, d
	}
	resp, err := l.server.ReadDataSource(l.t.Context(), &tfprotov6.ReadDataSourceRequest{TypeName: name, Config: c})
	l.ok(err)
	if d := diagnostics(resp.Diagnostics); d.errors() {
		return tftypes.Value{}, d
	}
	return l.decode(resp.State, s.ValueType()), resp.Diagnostics
}

// elsewhere makes one more region, with an environment.
func (w *world) elsewhere(region target.Region, name string, port int) {
	w.t.Helper()
	p := w.provisioner("somebody")
	_, _, err := p.CreateRegion(w.t.Context(), region)
	if err == nil {
		id := target.EnvironmentID{Region: region.Name, Name: name}
		_, _, err = p.CreateEnvironment(w.t.Context(), target.Environment{
			Region: region.Name, Name: name, Kind: target.KindProduction, Tenancy: target.TenancyMultiTenant, DomainName: id.DefaultDomainName(),
			Network: target.Network{ListenAddress: "127.0.0.1", HTTPSPort: port, PreviewPort: port + 1}, Database: target.Database{MaxConnections: 100},
		})
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

func TestPlacementShowsWhereAndWhyNot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.lab(nil)
	l.everything() // in eu, which is in eu-central-1
	w.elsewhere(target.Region{Name: "us", Location: "us-east-1", Jurisdiction: "US"}, "main", 21000)
	w.elsewhere(target.Region{Name: "rack", Location: "rack 3", Jurisdiction: "EU"}, "main", 22000)
	l.configure()
	for name, c := range map[string]struct {
		config set
		want   string
	}{
		"nearest to Paris":          {set{"account": "new", "near": set{"location": "Paris"}}, "eu/production; eu/production 478, us/main 6186, rack/main <nil>; 0"},
		"nearest to a point":        {set{"account": "new", "near": set{"latitude": 39.0, "longitude": -77.5}}, "us/main; us/main 5, eu/production 6553, rack/main <nil>; 0"},
		"nearest to one's own":      {set{"account": "new", "near": set{"location": "rack 3"}, "locations": set{"rack 3": set{"latitude": 0.0, "longitude": 0.0}}}, "rack/main; rack/main 0, eu/production 5633, us/main 8931; 0"},
		"allowed by law":            {set{"account": "new", "data_residency": []any{"US", "CH"}, "near": set{"location": "Paris"}}, "us/main; us/main 6186; 2"},
		"where the account is":      {set{"account": "acme", "near": set{"location": "us-east-1"}}, "eu/production; us/main 0, eu/production 6549, rack/main <nil>; 0"},
		"anywhere, by id":           {set{"account": "new", "tenancy": "multi_tenant"}, "eu/production; eu/production <nil>, rack/main <nil>, us/main <nil>; 0"},
		"production is what counts": {set{"account": "new", "kind": "production"}, "eu/production; eu/production <nil>, rack/main <nil>, us/main <nil>; 0"},
	} {
		got, d := l.place(c.config)
		if len(d) > 0 {
			t.Errorf("%s: %s", name, d)
			continue
		}
		var environments []tftypes.Value
		l.ok(parts(got)["environments"].As(&environments))
		var places []string
		for _, e := range environments {
			places = append(places, fmt.Sprintf("%v %v", at(e, "id"), at(e, "distance_km")))
		}
		var excluded map[string]tftypes.Value
		l.ok(parts(got)["excluded"].As(&excluded))
		if said := fmt.Sprintf("%v; %s; %d", at(got, "environment_id"), strings.Join(places, ", "), len(excluded)); said != c.want {
			t.Errorf("%s: got  %s\nwant %s", name, said, c.want)
		}
	}
}

func TestPlacementRefusesWhatIsWrong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.lab(nil)
	if _, d := l.place(set{"account": "acme"}); !d.errors() || !strings.Contains(d.String(), "There is no environment in memory") || !strings.Contains(d.String(), "depends_on") {
		t.Errorf("an empty target: %s", d)
	}
	l.everything()
	at := func(name string) string { return fmt.Sprintf("AttributeName(%q)", name) }
	for name, c := range map[string]struct {
		change   set
		at, want string
	}{
		"an account that can't be one":       {set{"account": "ACME"}, at("account"), "contains 'A'"},
		"a jurisdiction that is none":        {set{"data_residency": []any{"E/U"}}, at("data_residency"), "not a jurisdiction"},
		"a kind that is none":                {set{"kind": "test"}, at("kind"), `"test" is not allowed`},
		"an empty kind":                      {set{"kind": ""}, at("kind"), `the value is ""`},
		"a tenancy that is none":             {set{"tenancy": "own"}, at("tenancy"), `"own" is not allowed`},
		"a place that nobody knows":          {set{"near": set{"location": "Atlantis"}}, at("near") + "." + at("location"), `where "Atlantis" is`},
		"a place in two ways":                {set{"near": set{"location": "Paris", "latitude": 1.0, "longitude": 1.0}}, at("near"), "expected either"},
		"half a place":                       {set{"near": set{"latitude": 1.0}}, at("near"), "expected either"},
		"no place":                           {set{"near": set{}}, at("near"), "expected either"},
		"a place beyond the pole":            {set{"near": set{"latitude": 91.0, "longitude": 0.0}}, at("near"), "are no place"},
		"a location beyond the date line":    {set{"locations": set{"x": set{"latitude": 0.0, "longitude": 181.0}}}, at("locations"), "are no place"},
		"a law that no environment is under": {set{"data_residency": []any{"BR"}}, "", `eu/production: account "acme" may keep data in ["BR"]`},
	} {
		if _, d := l.place(with(set{"account": "acme"}, c.change)); !d.errors() || !strings.Contains(d.String(), c.at) || !strings.Contains(d.String(), c.want) {
			t.Errorf("%s: got %s\nwant an error at %s with %q", name, d, c.at, c.want)
		}
	}
	for name, c := range map[string]set{
		"nothing known":      {"account": unknown{}, "data_residency": unknown{}, "kind": unknown{}, "locations": unknown{}, "near": unknown{}, "tenancy": unknown{}},
		"a point half known": {"account": "acme", "near": set{"latitude": unknown{}, "longitude": 999.0}},
		"names to be known":  {"account": "acme", "near": set{"location": "x"}, "locations": set{"x": set{"latitude": unknown{}, "longitude": 1.0}}},
	} {
		s := l.schema.DataSourceSchemas["slipway_placement"]
		resp, err := l.server.ValidateDataResourceConfig(t.Context(), &tfprotov6.ValidateDataResourceConfigRequest{TypeName: "slipway_placement", Config: l.encode(build(s.ValueType(), c))})
		l.ok(err)
		if len(resp.Diagnostics) > 0 {
			t.Errorf("%s: %s", name, diagnostics(resp.Diagnostics))
		}
	}
}

// TestAccPlacement places an account in an environment that the same configuration makes, moves
// nothing when a nearer one comes, and is refused where the law leaves nothing.
func TestAccPlacement(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	config := func(residency string) string {
		return platformWithEnvironment(nil) + `
data "slipway_placement" "acme" {
  account        = "acme"
  data_residency = [` + residency + `]
  near           = { location = "us-east-1" }
  depends_on     = [slipway_environment.test]
}
` + databaseBlock(attrs{"environment_id": "data.slipway_placement.acme.environment_id"})
	}
	const address = "data.slipway_placement.acme"
	w.stays = []string{"environment us/main", "installation memory", "region us"}
	w.run(
		resource.TestStep{Config: config(""), Check: resource.ComposeAggregateTestCheckFunc(
			resource.TestCheckResourceAttr(address, "environment_id", "eu/production"),
			resource.TestCheckResourceAttr(address, "environments.0.distance_km", "6549"),
			resource.TestCheckResourceAttr(databaseAddress, "id", "eu/production/acme"),
		)},
		emptyPlan(config("")),
		resource.TestStep{
			PreConfig: func() {
				w.elsewhere(target.Region{Name: "us", Location: "us-east-1", Jurisdiction: "US"}, "main", 21000)
			},
			Config: config(""), Check: resource.ComposeAggregateTestCheckFunc(
				resource.TestCheckResourceAttr(address, "environment_id", "eu/production"),
				resource.TestCheckResourceAttr(address, "environments.0.id", "us/main"),
				resource.TestCheckResourceAttr(address, "environments.0.distance_km", "0"),
			),
		},
		resource.TestStep{Config: config(`"BR"`), ExpectError: regexp.MustCompile(`No environment in[\s\S]*us/main`)},
		emptyPlan(config("")),
	)
}
