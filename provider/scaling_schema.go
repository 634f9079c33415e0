package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

func scalingAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"max": schema.Int64Attribute{
			Optional: true, Computed: true, PlanModifiers: []planmodifier.Int64{sameAsMin{}},
			MarkdownDescription: "The most instances that run; defaults to `min`.",
		},
		"min": schema.Int64Attribute{
			Optional: true, Computed: true, Default: int64default.StaticInt64(1),
			MarkdownDescription: "The fewest instances that run; defaults to 1.",
		},
		"schedules": nestedListAttribute("Times of the week in which more instances than `min` run, whatever the load, for known peaks. Defaults to none.", scheduleAttributes()),
		"target_concurrent_requests": schema.Int64Attribute{
			Optional: true, Validators: []validator.Int64{notZero{}},
			MarkdownDescription: "How many requests an instance is to answer at a time: more of them bring more instances up to `max`. Where it is left out they are not looked at.",
		},
		"target_cpu_percent": schema.Int64Attribute{
			Optional: true, Computed: true, Validators: []validator.Int64{notZero{100}}, PlanModifiers: []planmodifier.Int64{somethingToFollow{}},
			MarkdownDescription: "The CPU use of an instance to keep to, in percent of one CPU (`local`) or of the task's CPU (`aws`): more of it brings more instances up to `max`. Defaults to 70 where `max` is above `min` and `target_concurrent_requests` is left out; else CPU is not looked at.",
		},
	}
}

func scalingType() types.ObjectType { return nestedType(scalingAttributes()) }

func scheduleAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"days":      stringSetAttribute("Days of the week on which the time begins, of `mon`, `tue`, `wed`, `thu`, `fri`, `sat` and `sun`; defaults to every day."),
		"from":      schema.StringAttribute{Optional: true, MarkdownDescription: "Time of day at which it begins, such as `08:30`; every schedule has one."},
		"min":       schema.Int64Attribute{Optional: true, MarkdownDescription: "The fewest instances that run in this time, at most `max`; every schedule has one."},
		"time_zone": defaultString("UTC", "Time zone that the times are in, a name of the IANA database such as `Europe/Berlin`."),
		"to":        schema.StringAttribute{Optional: true, MarkdownDescription: "Time of day at which it ends, such as `18:00`; one that is not after `from` is on the next day. Every schedule has one."},
	}
}

func scheduleType() types.ObjectType { return nestedType(scheduleAttributes()) }

// sameAsMin makes max what min is where the configuration has no max.
type sameAsMin struct{}

func (sameAsMin) Description(context.Context) string         { return "defaults to min" }
func (sameAsMin) MarkdownDescription(context.Context) string { return "defaults to `min`" }

func (sameAsMin) PlanModifyInt64(ctx context.Context, req planmodifier.Int64Request, resp *planmodifier.Int64Response) {
	if req.ConfigValue.IsNull() {
		resp.Diagnostics.Append(req.Plan.GetAttribute(ctx, req.Path.ParentPath().AtName("min"), &resp.PlanValue)...)
	}
}

const defaultCPUPercent = 70

// somethingToFollow makes a component that has room to scale follow the CPU where the
// configuration says nothing to follow: else it would never scale.
type somethingToFollow struct{}

func (somethingToFollow) Description(context.Context) string {
	return "defaults to 70 where there is room to scale and nothing else to follow"
}

func (s somethingToFollow) MarkdownDescription(ctx context.Context) string { return s.Description(ctx) }

func (somethingToFollow) PlanModifyInt64(ctx context.Context, req planmodifier.Int64Request, resp *planmodifier.Int64Response) {
	if !req.ConfigValue.IsNull() {
		return
	}
	var least, most, concurrent types.Int64
	scaling := req.Path.ParentPath()
	resp.Diagnostics.Append(req.Plan.GetAttribute(ctx, scaling.AtName("min"), &least)...)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, scaling.AtName("max"), &most)...)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, scaling.AtName("target_concurrent_requests"), &concurrent)...)
	switch {
	case given(concurrent), most.IsNull(), given(most) && given(least) && most.ValueInt64() <= least.ValueInt64():
		resp.PlanValue = types.Int64Null()
	case most.IsUnknown(), least.IsUnknown(), concurrent.IsUnknown():
		resp.PlanValue = types.Int64Unknown()
	default:
		resp.PlanValue = types.Int64Value(defaultCPUPercent)
	}
}
