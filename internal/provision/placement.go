package provision

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/geo"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// Need is what an account needs of the environment that its data is to live in.
type Need struct {
	Account string
	// DataResidency lists the jurisdictions that the account's data may live in; empty: any.
	DataResidency []string
	// Kind is target.KindProduction or target.KindSandbox, Tenancy one of the tenancies; empty: any.
	Kind, Tenancy string
	// Near is where the account's users are, nil where that does not matter.
	Near *geo.Point
	// Locations are where locations are that [geo.Locate] does not know, or knows otherwise.
	Locations map[string]geo.Point
}

// Validate returns every fault of the need.
func (n Need) Validate() target.Faults {
	var f target.Faults
	for _, fault := range n.database(target.EnvironmentID{}).Validate() {
		if fault.Path == "account" || fault.Path == "data_residency" {
			f = append(f, fault)
		}
	}
	oneOf := func(path, value, a, b string) {
		if value != "" && value != a && value != b {
			f = append(f, target.Fault{Path: path, Message: fmt.Sprintf("%q is not allowed: expected %q or %q", value, a, b)})
		}
	}
	oneOf("kind", n.Kind, target.KindProduction, target.KindSandbox)
	oneOf("tenancy", n.Tenancy, target.TenancyMultiTenant, target.TenancySingleTenant)
	onEarth := func(path string, p geo.Point) {
		if !p.Valid() {
			f = append(f, target.Fault{Path: path, Message: fmt.Sprintf("latitude %v and longitude %v are no place: expected degrees from -90 to 90 and from -180 to 180", p.Latitude, p.Longitude)})
		}
	}
	for _, name := range target.SortedKeys(n.Locations) {
		onEarth("locations."+name, n.Locations[name])
	}
	if n.Near != nil {
		onEarth("near", *n.Near)
	}
	return f
}

// database is what the rules of account databases are asked about.
func (n Need) database(in target.EnvironmentID) target.AccountDatabase {
	return target.AccountDatabase{
		Environment: in, Account: n.Account, DataResidency: n.DataResidency,
		Isolation: target.IsolationDatabase, ConnectionLimit: 1, CredentialVersion: 1,
	}
}

// Locate returns where a location is, by the need's own locations first.
func (n Need) Locate(location string) (geo.Point, bool) {
	if at, ok := n.Locations[location]; ok {
		return at, true
	}
	return geo.Locate(location)
}

// Place is an environment that an account may be placed in.
type Place struct {
	Environment target.EnvironmentRecord
	Region      target.RegionRecord
	// DistanceKM is how far it is from the account's users, in km; negative where nobody knows.
	DistanceKM float64
}

// Refusal is an environment that an account may not be placed in.
type Refusal struct {
	Environment target.EnvironmentID
	Why         string
}

// Placement is the answer to a [Need].
type Placement struct {
	// Places are in the order of their distance, those of an unknown one last, and beyond that by
	// the environments' ids.
	Places []Place
	// Refusals are in the order of the environments' ids.
	Refusals []Refusal
	// Choice is the environment that already has the account's database, the nearest of such, else
	// the nearest of all; nil where there are no places.
	Choice *Place
}

// Place returns the environments that an account may be placed in, out of those that the target
// has: those that the law allows, the nearest first. Law, and whom an environment belongs to, are
// judged by the rules of account databases. A target without an installation has none.
func (p *Provisioner) Place(ctx context.Context, n Need) (Placement, error) {
	var out Placement
	if err := n.Validate().Err(); err != nil {
		return out, err
	}
	environments, err := p.driver.ListEnvironments(ctx)
	if err != nil && !missing(err) {
		return out, fmt.Errorf("list environments: %w", err)
	}
	slices.SortFunc(environments, func(a, b target.EnvironmentRecord) int { return byID(a.Spec.ID(), b.Spec.ID()) })
	regions := map[string]target.RegionRecord{}
	for _, e := range environments {
		r, ok := regions[e.Spec.Region]
		if !ok {
			if r, err = p.driver.GetRegion(ctx, e.Spec.Region); err != nil {
				return out, fmt.Errorf("read region %q: %w", e.Spec.Region, err)
			}
			regions[e.Spec.Region] = r
		}
		if why := n.refuses(e, r.Spec); why != "" {
			out.Refusals = append(out.Refusals, Refusal{e.Spec.ID(), why})
			continue
		}
		out.Places = append(out.Places, Place{e, r, n.distance(r.Spec.Location)})
	}
	slices.SortStableFunc(out.Places, func(a, b Place) int { return cmp.Compare(a.order(), b.order()) })
	out.Choice, err = p.choose(ctx, n.Account, out.Places)
	return out, err
}

// choose returns where the account is already, else the first place.
func (p *Provisioner) choose(ctx context.Context, account string, places []Place) (*Place, error) {
	for i := range places {
		id := target.AccountDatabaseID{Environment: places[i].Environment.Spec.ID(), Account: account}
		_, err := p.driver.GetAccountDatabase(ctx, id)
		switch {
		case err == nil:
			return &places[i], nil
		case !errors.Is(err, target.ErrNotFound):
			return nil, fmt.Errorf("look for account database %q: %w", id, err)
		}
	}
	var nearest *Place
	if len(places) > 0 {
		nearest = &places[0]
	}
	return nearest, nil
}

// refuses says why an environment is no place for the account, "" where it is one.
func (n Need) refuses(e target.EnvironmentRecord, r target.Region) string {
	faults := n.database(e.Spec.ID()).ValidateIn(e.Spec, r)
	switch {
	case len(faults) > 0:
		why := make([]string, len(faults))
		for i, f := range faults {
			why[i] = f.Message
		}
		return strings.Join(why, "; ")
	case n.Kind != "" && e.Spec.Kind != n.Kind:
		return fmt.Sprintf("its kind is %q, and %q is wanted", e.Spec.Kind, n.Kind)
	case n.Tenancy != "" && e.Spec.Tenancy != n.Tenancy:
		return fmt.Sprintf("its tenancy is %q, and %q is wanted", e.Spec.Tenancy, n.Tenancy)
	case !e.Meta.Ready:
		return "it is not finished: apply the configuration that makes it"
	}
	return ""
}

// distance is how far a location is from the account's users, negative where nobody knows.
func (n Need) distance(location string) float64 {
	at, ok := n.Locate(location)
	if !ok || n.Near == nil {
		return -1
	}
	return geo.DistanceKM(*n.Near, at)
}

func (p Place) order() float64 {
	if p.DistanceKM < 0 {
		return math.Inf(1)
	}
	return p.DistanceKM
}

func byID(a, b target.EnvironmentID) int {
	return cmp.Or(cmp.Compare(a.Region, b.Region), cmp.Compare(a.Name, b.Name))
}
