package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

type scalingModel struct {
	Max                      types.Int64 `tfsdk:"max"`
	Min                      types.Int64 `tfsdk:"min"`
	Schedules                types.List  `tfsdk:"schedules"`
	TargetConcurrentRequests types.Int64 `tfsdk:"target_concurrent_requests"`
	TargetCPUPercent         types.Int64 `tfsdk:"target_cpu_percent"`
}

type scheduleModel struct {
	Days     types.Set    `tfsdk:"days"`
	From     types.String `tfsdk:"from"`
	Min      types.Int64  `tfsdk:"min"`
	TimeZone types.String `tfsdk:"time_zone"`
	To       types.String `tfsdk:"to"`
}

// many instances are more than any configuration asks for, and not too many.
const many = 1000

// toScaling takes for a bound that is not known one that the other values fit into.
func toScaling(ctx context.Context, v types.Object, diags *diag.Diagnostics) target.Scaling {
	s := target.Scaling{Min: 1, Max: 1}
	m := nested[scalingModel](ctx, v, diags)
	if m == nil {
		return s
	}
	s.Min = number(m.Min, 1, 1)
	s.Max = number(m.Max, s.Min, many)
	if m.Max.IsNull() && m.Min.IsUnknown() {
		s.Max = many
	}
	s.Schedules = toSchedules(ctx, m.Schedules, diags)
	s.TargetConcurrentRequests = number(m.TargetConcurrentRequests, 0, 0)
	s.TargetCPUPercent = number(m.TargetCPUPercent, 0, 0)
	return s
}

// toSchedules returns nil for no schedules, as the library has it.
func toSchedules(ctx context.Context, v types.List, diags *diag.Diagnostics) []target.Schedule {
	if !given(v) {
		return nil
	}
	var elements []types.Object
	diags.Append(v.ElementsAs(ctx, &elements, false)...)
	var schedules []target.Schedule
	for _, e := range elements {
		s := target.Schedule{From: "00:00", To: "00:00", TimeZone: "UTC", Min: 1}
		if m := nested[scheduleModel](ctx, e, diags); m != nil {
			if !m.From.IsUnknown() {
				s.From = m.From.ValueString()
			}
			if !m.To.IsUnknown() {
				s.To = m.To.ValueString()
			}
			s.Min = number(m.Min, 0, s.Min)
			s.TimeZone = text(m.TimeZone, s.TimeZone)
			for _, d := range m.Days.Elements() {
				if given(d) {
					s.Days = append(s.Days, stringList([]attr.Value{d})...)
				}
			}
		}
		schedules = append(schedules, s)
	}
	return schedules
}

func fromScaling(s target.Scaling) types.Object {
	schedules := make([]attr.Value, 0, len(s.Schedules))
	for _, v := range s.Schedules {
		schedules = append(schedules, types.ObjectValueMust(scheduleType().AttrTypes, map[string]attr.Value{
			"days":      types.SetValueMust(types.StringType, toElements(v.Days)),
			"from":      types.StringValue(v.From),
			"min":       types.Int64Value(int64(v.Min)),
			"time_zone": types.StringValue(v.TimeZone),
			"to":        types.StringValue(v.To),
		}))
	}
	return types.ObjectValueMust(scalingType().AttrTypes, map[string]attr.Value{
		"max":                        types.Int64Value(int64(s.Max)),
		"min":                        types.Int64Value(int64(s.Min)),
		"schedules":                  types.ListValueMust(scheduleType(), schedules),
		"target_concurrent_requests": toNumber(s.TargetConcurrentRequests),
		"target_cpu_percent":         toNumber(s.TargetCPUPercent),
	})
}
