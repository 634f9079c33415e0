package provision_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/geo"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/memtarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// aPlatform has environments in several places, made in no order.
func aPlatform(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, memtarget.Options{})
	ports := 20000
	for _, r := range [][3]string{
		{"us", "us-east-1", "US"}, {"paris", "eu-west-3", "EU"}, {"eu", "Frankfurt", "EU"}, {"ch", "Zurich", "CH"}, {"rack", "rack 3", "EU"},
	} {
		_, _, err := w.CreateRegion(t.Context(), target.Region{Name: r[0], Location: r[1], Jurisdiction: r[2]})
		w.ok(err)
		for _, name := range []string{"two", "one", "sandbox", "globex"} {
			ports += 2
			id := target.EnvironmentID{Region: r[0], Name: name}
			_, _, err := w.CreateEnvironment(t.Context(), environment(func(e *target.Environment) {
				e.Region, e.Name, e.DomainName = r[0], name, id.DefaultDomainName()
				e.Network.HTTPSPort, e.Network.PreviewPort = ports, ports+1
				switch name {
				case "sandbox":
					e.Kind = target.KindSandbox
				case "globex":
					e.Tenancy, e.Account = target.TenancySingleTenant, "globex"
				}
			}))
			w.ok(err)
		}
	}
	return w
}

func ids(p provision.Placement) string {
	var out []string
	for _, place := range p.Places {
		out = append(out, place.Environment.Spec.ID().String())
	}
	return strings.Join(out, " ")
}

func TestPlacesAreThoseThatTheLawAllowsTheNearestFirst(t *testing.T) {
	t.Parallel()
	w := aPlatform(t)
	inKassel := &geo.Point{Latitude: 51.31, Longitude: 9.49}
	inNewYork := &geo.Point{Latitude: 40.71, Longitude: -74.01}
	for name, c := range map[string]struct {
		need provision.Need
		want string
	}{
		"anywhere, by id": {provision.Need{Account: "acme"},
			"ch/one ch/sandbox ch/two eu/one eu/sandbox eu/two paris/one paris/sandbox paris/two rack/one rack/sandbox rack/two us/one us/sandbox us/two"},
		"near Kassel, where nobody knows of rack 3": {provision.Need{Account: "acme", Kind: target.KindProduction, Near: inKassel},
			"eu/one eu/two ch/one ch/two paris/one paris/two us/one us/two rack/one rack/two"},
		"near Kassel, in the EU": {provision.Need{Account: "acme", Kind: target.KindProduction, Near: inKassel, DataResidency: []string{"EU"}},
			"eu/one eu/two paris/one paris/two rack/one rack/two"},
		"near Kassel, with rack 3 there": {provision.Need{Account: "acme", Kind: target.KindProduction, Near: inKassel, DataResidency: []string{"EU"},
			Locations: map[string]geo.Point{"rack 3": {Latitude: 51.3, Longitude: 9.5}}},
			"rack/one rack/two eu/one eu/two paris/one paris/two"},
		"near New York, in the EU": {provision.Need{Account: "acme", Kind: target.KindSandbox, Near: inNewYork, DataResidency: []string{"EU"}},
			"paris/sandbox eu/sandbox rack/sandbox"},
		"one's own": {provision.Need{Account: "globex", Tenancy: target.TenancySingleTenant, Near: inNewYork, DataResidency: []string{"US", "CH"}},
			"us/globex ch/globex"},
		"nowhere": {provision.Need{Account: "acme", DataResidency: []string{"BR"}}, ""},
	} {
		got, err := w.Place(t.Context(), c.need)
		if err != nil || ids(got) != c.want {
			t.Errorf("%s: got %s, %v\nwant %s", name, ids(got), err, c.want)
		}
		if len(got.Places)+len(got.Refusals) != 20 {
			t.Errorf("%s: %d places and %d refusals are not all environments", name, len(got.Places), len(got.Refusals))
		}
		if (got.Choice == nil) != (c.want == "") || got.Choice != nil && got.Choice != &got.Places[0] {
			t.Errorf("%s: chose %+v", name, got.Choice)
		}
	}
}

func TestARefusalSaysWhatKeepsTheAccountOut(t *testing.T) {
	t.Parallel()
	w := aPlatform(t)
	late := target.EnvironmentID{Region: "eu", Name: "late"}
	w.target.HinderEnvironment(late, "the disk is full", true)
	if _, _, err := w.CreateEnvironment(t.Context(), environment(func(e *target.Environment) {
		e.Name, e.DomainName, e.Network.HTTPSPort, e.Network.PreviewPort = late.Name, late.DefaultDomainName(), 21000, 21001
	})); err == nil {
		t.Fatal("the environment was made")
	}
	got, err := w.Place(t.Context(), provision.Need{Account: "acme", Kind: target.KindProduction, Tenancy: target.TenancyMultiTenant, DataResidency: []string{"EU"}})
	w.ok(err)
	said := fmt.Sprintf("%q", got.Refusals)
	for _, want := range []string{
		`us/one" "account \"acme\" may keep data in [\"EU\"], and region \"us\" is under jurisdiction \"US\"`,
		`eu/globex" "environment \"eu/globex\" is single-tenant and belongs to account \"globex\"`,
		`eu/sandbox" "its kind is \"sandbox\", and \"production\" is wanted"`,
		`eu/late" "it is not finished`,
	} {
		if !strings.Contains(said, want) {
			t.Errorf("got %s\nwant it to have %s", said, want)
		}
	}
	if _, err := w.Place(t.Context(), provision.Need{Account: "ACME", Kind: "test", Near: &geo.Point{Latitude: 91}}); err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("got %v, want three faults", err)
	}
}

func TestAnAccountThatHasAPlaceStaysThere(t *testing.T) {
	t.Parallel()
	w := aPlatform(t)
	need := provision.Need{Account: "acme", Kind: target.KindProduction, Near: &geo.Point{Latitude: 51.31, Longitude: 9.49}}
	_, _, err := w.CreateAccountDatabase(t.Context(), database(func(d *target.AccountDatabase) {
		d.Environment = target.EnvironmentID{Region: "us", Name: "one"}
	}))
	w.ok(err)
	chosen := func(want string) {
		t.Helper()
		got, err := w.Place(t.Context(), need)
		w.ok(err)
		if first := got.Places[0].Environment.Spec.ID().String(); first != "eu/one" || got.Choice.Environment.Spec.ID().String() != want {
			t.Errorf("chose %s, and %s is the nearest; want %s, and eu/one", got.Choice.Environment.Spec.ID(), first, want)
		}
	}
	chosen("us/one")
	need.Account, need.Tenancy = "globex", target.TenancyMultiTenant
	chosen("eu/one")
	need.Account, need.DataResidency = "acme", []string{"EU"}
	chosen("eu/one") // the law has changed
}

func TestATargetWithoutAnInstallationHasNoPlaces(t *testing.T) {
	t.Parallel()
	got, err := newWorld(t, memtarget.Options{}).Place(t.Context(), provision.Need{Account: "acme"})
	if err != nil || len(got.Places)+len(got.Refusals) > 0 || got.Choice != nil {
		t.Errorf("got %+v, %v", got, err)
	}
}
