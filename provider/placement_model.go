package provider

import (
	"context"
	"math"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/geo"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

type placementModel struct {
	Account       types.String `tfsdk:"account"`
	DataResidency types.Set    `tfsdk:"data_residency"`
	EnvironmentID types.String `tfsdk:"environment_id"`
	Environments  types.List   `tfsdk:"environments"`
	Excluded      types.Map    `tfsdk:"excluded"`
	Kind          types.String `tfsdk:"kind"`
	Locations     types.Map    `tfsdk:"locations"`
	Near          types.Object `tfsdk:"near"`
	Tenancy       types.String `tfsdk:"tenancy"`
}

type nearModel struct {
	Latitude  types.Float64 `tfsdk:"latitude"`
	Location  types.String  `tfsdk:"location"`
	Longitude types.Float64 `tfsdk:"longitude"`
}

type pointModel struct {
	Latitude  types.Float64 `tfsdk:"latitude"`
	Longitude types.Float64 `tfsdk:"longitude"`
}

// toDomain converts a configuration; see values.go for what is not known.
func (m placementModel) toDomain(ctx context.Context, diags *diag.Diagnostics) provision.Need {
	n := provision.Need{
		Account:       text(m.Account, placeholder),
		DataResidency: stringList(m.DataResidency.Elements()),
		Kind:          target.KindProduction,
		Tenancy:       m.Tenancy.ValueString(),
	}
	if given(m.Kind) {
		n.Kind = m.Kind.ValueString()
	}
	if given(m.Locations) && fullyKnown(ctx, m.Locations) {
		var points map[string]pointModel
		diags.Append(m.Locations.ElementsAs(ctx, &points, false)...)
		n.Locations = make(map[string]geo.Point, len(points))
		for name, p := range points {
			n.Locations[name] = geo.Point{Latitude: p.Latitude.ValueFloat64(), Longitude: p.Longitude.ValueFloat64()}
		}
	}
	n.Near = m.near(ctx, n, diags)
	return n
}

// near is where the users are, nil where that is left out, not known yet, or wrong.
func (m placementModel) near(ctx context.Context, n provision.Need, diags *diag.Diagnostics) *geo.Point {
	near := nested[nearModel](ctx, m.Near, diags)
	if near == nil {
		return nil
	}
	at := path.Root("near")
	byName, byPoint := !near.Location.IsNull(), !near.Latitude.IsNull() || !near.Longitude.IsNull()
	switch {
	case byName && byPoint, !byName && !byPoint, byPoint && (near.Latitude.IsNull() || near.Longitude.IsNull()):
		invalid(diags, invalidValue, at, "expected either location, or latitude and longitude")
	case byPoint && given(near.Latitude) && given(near.Longitude):
		return &geo.Point{Latitude: near.Latitude.ValueFloat64(), Longitude: near.Longitude.ValueFloat64()}
	case byName && given(near.Location) && fullyKnown(ctx, m.Locations):
		if p, ok := n.Locate(near.Location.ValueString()); ok {
			return &p
		}
		invalid(diags, invalidValue, at.AtName("location"), "nobody knows where %q is: expected an AWS region such as \"eu-west-3\", the city of one such as \"Paris\", or a name in locations; or set latitude and longitude", near.Location.ValueString())
	}
	return nil
}

// placeTypes are those of an environment's attributes.
var placeTypes = map[string]attr.Type{
	"id": types.StringType, "distance_km": types.Int64Type, "jurisdiction": types.StringType, "kind": types.StringType,
	"location": types.StringType, "region_id": types.StringType, "tenancy": types.StringType,
}

// fromDomain takes over the answer, which has a choice.
func (m *placementModel) fromDomain(p provision.Placement) {
	m.EnvironmentID = types.StringValue(p.Choice.Environment.Spec.ID().String())
	places := make([]attr.Value, len(p.Places))
	for i, place := range p.Places {
		distance := types.Int64Null()
		if place.DistanceKM >= 0 {
			distance = types.Int64Value(int64(math.Round(place.DistanceKM)))
		}
		e, r := place.Environment.Spec, place.Region.Spec
		places[i] = types.ObjectValueMust(placeTypes, map[string]attr.Value{
			"id": types.StringValue(e.ID().String()), "distance_km": distance, "jurisdiction": types.StringValue(r.Jurisdiction),
			"kind": types.StringValue(e.Kind), "location": types.StringValue(r.Location), "region_id": types.StringValue(r.Name),
			"tenancy": types.StringValue(e.Tenancy),
		})
	}
	m.Environments = types.ListValueMust(types.ObjectType{AttrTypes: placeTypes}, places)
	excluded := make(map[string]attr.Value, len(p.Refusals))
	for _, r := range p.Refusals {
		excluded[r.Environment.String()] = types.StringValue(r.Why)
	}
	m.Excluded = types.MapValueMust(types.StringType, excluded)
}
