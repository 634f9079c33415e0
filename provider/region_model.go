package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

type regionModel struct {
	ID           types.String   `tfsdk:"id"`
	Closed       types.Bool     `tfsdk:"closed"`
	Drift        types.List     `tfsdk:"drift"`
	Jurisdiction types.String   `tfsdk:"jurisdiction"`
	Location     types.String   `tfsdk:"location"`
	Name         types.String   `tfsdk:"name"`
	Tags         types.Map      `tfsdk:"tags"`
	Timeouts     timeouts.Value `tfsdk:"timeouts"`
}

// toDomain converts a plan or a configuration; see values.go for what is not known.
func (m regionModel) toDomain(ctx context.Context, diags *diag.Diagnostics) target.Region {
	return target.Region{
		Name:         text(m.Name, placeholder),
		Location:     text(m.Location, placeholder),
		Jurisdiction: text(m.Jurisdiction, placeholder),
		Closed:       m.Closed.ValueBool(),
		Tags:         stringMap(ctx, m.Tags, diags),
	}
}

// known says whether everything is known that other resources are checked against.
func (m regionModel) known() bool {
	return !m.Name.IsUnknown() && !m.Jurisdiction.IsUnknown() && !m.Closed.IsUnknown()
}

// fromDomain takes over everything that the target says. Timeouts stay: it knows none.
func (m *regionModel) fromDomain(rec target.RegionRecord) {
	m.ID = types.StringValue(rec.Spec.Name)
	m.Closed = types.BoolValue(rec.Spec.Closed)
	m.Drift = driftOf(rec.Meta)
	m.Jurisdiction = types.StringValue(rec.Spec.Jurisdiction)
	m.Location = types.StringValue(rec.Spec.Location)
	m.Name = types.StringValue(rec.Spec.Name)
	m.Tags = toMap(rec.Spec.Tags)
}
