package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

type stackModel struct {
	Color   types.String `tfsdk:"color"`
	Release types.String `tfsdk:"release"`
}

type candidateModel struct {
	Color          types.String `tfsdk:"color"`
	Release        types.String `tfsdk:"release"`
	RetireAt       types.String `tfsdk:"retire_at"`
	TrafficPercent types.Int64  `tfsdk:"traffic_percent"`
}

type fallbackModel struct {
	Color    types.String `tfsdk:"color"`
	Release  types.String `tfsdk:"release"`
	RetireAt types.String `tfsdk:"retire_at"`
}

type swapModel struct {
	ApprovedAt  types.String `tfsdk:"approved_at"`
	ApprovedBy  types.String `tfsdk:"approved_by"`
	By          types.String `tfsdk:"by"`
	EndedAt     types.String `tfsdk:"ended_at"`
	FromRelease types.String `tfsdk:"from_release"`
	ID          types.String `tfsdk:"id"`
	Reason      types.String `tfsdk:"reason"`
	Release     types.String `tfsdk:"release"`
	StartedAt   types.String `tfsdk:"started_at"`
	SwitchedAt  types.String `tfsdk:"switched_at"`
}

// observe takes over what is seen of the slot. How many instances run is no part of it:
// that changes by itself all the time.
func (m *deploymentSlotModel) observe(ctx context.Context, s provision.SlotState, diags *diag.Diagnostics) {
	m.ID = types.StringValue(s.Record.Asked.ID().String())
	m.Drift = types.ListValueMust(types.StringType, toElements(s.Drift()))
	m.Phase = toText(string(s.Phase()))
	m.Live = stackOf(ctx, s.Serving, diags)
	m.Candidate = types.ObjectNull(nestedType(candidateAttributes()).AttrTypes)
	if st, ok := s.Candidate(); ok {
		m.Candidate = toObject(ctx, nestedType(candidateAttributes()), &candidateModel{
			Color:          types.StringValue(string(st.Spec.Color)),
			Release:        types.StringValue(st.Spec.Definition.Release),
			RetireAt:       toTime(st.RetireAt),
			TrafficPercent: types.Int64Value(int64(s.Observation.Percent)),
		}, diags)
	}
	m.Fallback = types.ObjectNull(nestedType(fallbackAttributes()).AttrTypes)
	if st, ok := s.Fallback(); ok {
		m.Fallback = toObject(ctx, nestedType(fallbackAttributes()), &fallbackModel{
			Color:    types.StringValue(string(st.Spec.Color)),
			Release:  types.StringValue(st.Spec.Definition.Release),
			RetireAt: toTime(st.RetireAt),
		}, diags)
	}
	m.LastSwap = types.ObjectNull(nestedType(swapAttributes()).AttrTypes)
	if w := s.Record.Swap; w != nil {
		approved := target.ApprovedBy{}
		if w.Approved != nil {
			approved = *w.Approved
		}
		m.LastSwap = toObject(ctx, nestedType(swapAttributes()), &swapModel{
			ApprovedAt:  toTime(&approved.At),
			ApprovedBy:  toText(approved.By),
			By:          toText(w.By),
			EndedAt:     toTime(w.EndedAt),
			FromRelease: toText(w.FromRelease),
			ID:          types.StringValue(w.ID),
			Reason:      toText(w.Reason),
			Release:     toText(w.Release),
			StartedAt:   toTime(&w.StartedAt),
			SwitchedAt:  toTime(w.SwitchedAt),
		}, diags)
	}
}

func stackOf(ctx context.Context, seat func() (target.StackStatus, bool), diags *diag.Diagnostics) types.Object {
	st, ok := seat()
	if !ok {
		return types.ObjectNull(nestedType(stackAttributes()).AttrTypes)
	}
	return toObject(ctx, nestedType(stackAttributes()), &stackModel{
		Color:   types.StringValue(string(st.Spec.Color)),
		Release: types.StringValue(st.Spec.Definition.Release),
	}, diags)
}
