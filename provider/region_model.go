package provider

import (
	"context"
	"maps"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

type regionModel struct {
	ID           types.String   `tfsdk:"id"`
	AWSResources types.Object   `tfsdk:"aws_resources"`
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
	m.AWSResources = fromRegion(rec.AWS)
	m.Closed = types.BoolValue(rec.Spec.Closed)
	m.Drift = driftOf(rec.Meta)
	m.Jurisdiction = types.StringValue(rec.Spec.Jurisdiction)
	m.Location = types.StringValue(rec.Spec.Location)
	m.Name = types.StringValue(rec.Spec.Name)
	m.Tags = toMap(rec.Spec.Tags)
}

func regionResourcesType() types.ObjectType { return nestedType(regionResourcesAttributes()) }

// fromRegion encodes what a region is made of on the aws target; nil is null.
func fromRegion(r *target.AWSRegion) types.Object {
	of := regionResourcesType().AttrTypes
	if r == nil {
		return types.ObjectNull(of)
	}
	return types.ObjectValueMust(of, map[string]attr.Value{
		"control_table_name": toText(r.ControlTable), keyOutput: toText(r.KeyARN), "log_bucket_name": toText(r.LogBucket),
	})
}

// keyOutput is the one output of a region that may be made anew.
const keyOutput = "kms_key_arn"

// stay keeps what an update does not change as it is in state. The key alone may be another one.
func (m *regionModel) stay(state regionModel, on string, kept note) {
	of := regionResourcesType().AttrTypes
	m.AWSResources = stays(m.AWSResources, state.AWSResources, types.ObjectUnknown(of), on == targetAWS)
	if !given(m.AWSResources) || !slices.Contains(kept.Anew, keyOutput) {
		return
	}
	outputs := maps.Clone(m.AWSResources.Attributes())
	outputs[keyOutput] = types.StringUnknown()
	m.AWSResources = types.ObjectValueMust(of, outputs)
}
