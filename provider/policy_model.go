package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

type policyModel struct {
	Approval                 types.String `tfsdk:"approval"`
	ApprovalTimeoutSeconds   types.Int64  `tfsdk:"approval_timeout_seconds"`
	BakeSeconds              types.Int64  `tfsdk:"bake_seconds"`
	DrainSeconds             types.Int64  `tfsdk:"drain_seconds"`
	FallbackUntilNextRelease types.Bool   `tfsdk:"fallback_until_next_release"`
	FallbackWindowSeconds    types.Int64  `tfsdk:"fallback_window_seconds"`
	Guardrails               types.Object `tfsdk:"guardrails"`
	MinimumHealthySeconds    types.Int64  `tfsdk:"minimum_healthy_seconds"`
	OnTooFewRequests         types.String `tfsdk:"on_too_few_requests"`
	StartTimeoutSeconds      types.Int64  `tfsdk:"start_timeout_seconds"`
	Steps                    types.List   `tfsdk:"steps"`
	StickyBy                 types.String `tfsdk:"sticky_by"`
	WaitingCapacityPercent   types.Int64  `tfsdk:"waiting_capacity_percent"`
}

type guardrailsModel struct {
	MaxErrorPercent        types.Float64 `tfsdk:"max_error_percent"`
	MaxErrorPercentOverOld types.Float64 `tfsdk:"max_error_percent_over_old"`
	MaxP99Milliseconds     types.Float64 `tfsdk:"max_p99_milliseconds"`
	MaxP99Ratio            types.Float64 `tfsdk:"max_p99_ratio"`
	MinimumRequests        types.Int64   `tfsdk:"minimum_requests"`
	WindowSeconds          types.Int64   `tfsdk:"window_seconds"`
}

type stepModel struct {
	HoldSeconds types.Int64 `tfsdk:"hold_seconds"`
	Percent     types.Int64 `tfsdk:"percent"`
}

// toPolicy takes for what is not known a value that fits whatever is.
func toPolicy(ctx context.Context, v types.Object, diags *diag.Diagnostics) target.Policy {
	p := defaultPolicy()
	m := nested[policyModel](ctx, v, diags)
	if m == nil {
		return p
	}
	p.Approval = target.Approval(text(m.Approval, string(p.Approval)))
	p.ApprovalTimeoutSeconds = number(m.ApprovalTimeoutSeconds, p.ApprovalTimeoutSeconds, p.ApprovalTimeoutSeconds)
	p.BakeSeconds = number(m.BakeSeconds, p.BakeSeconds, p.BakeSeconds)
	p.DrainSeconds = number(m.DrainSeconds, p.DrainSeconds, p.DrainSeconds)
	p.FallbackUntilNextRelease = m.FallbackUntilNextRelease.ValueBool()
	p.FallbackWindowSeconds = number(m.FallbackWindowSeconds, p.FallbackWindowSeconds, p.FallbackWindowSeconds)
	p.Guardrails = toGuardrails(ctx, m.Guardrails, diags)
	p.MinimumHealthySeconds = number(m.MinimumHealthySeconds, p.MinimumHealthySeconds, 0)
	p.OnTooFewRequests = target.Verdict(text(m.OnTooFewRequests, string(p.OnTooFewRequests)))
	const week = 7 * 24 * 3600
	p.StartTimeoutSeconds = number(m.StartTimeoutSeconds, p.StartTimeoutSeconds, week)
	p.WaitingCapacityPercent = number(m.WaitingCapacityPercent, p.WaitingCapacityPercent, p.WaitingCapacityPercent)
	// Shares are compared with each other, and sticky_by needs some.
	if steps, known := toSteps(ctx, m.Steps, diags); known {
		p.Steps, p.StickyBy = steps, target.StickyBy(text(m.StickyBy, ""))
	}
	return p
}

func toGuardrails(ctx context.Context, v types.Object, diags *diag.Diagnostics) target.Guardrails {
	g := defaultPolicy().Guardrails
	m := nested[guardrailsModel](ctx, v, diags)
	if m == nil {
		return g
	}
	limit := func(v types.Float64) *float64 {
		if !given(v) {
			return nil
		}
		return v.ValueFloat64Pointer()
	}
	return target.Guardrails{
		WindowSeconds:          number(m.WindowSeconds, g.WindowSeconds, g.WindowSeconds),
		MinimumRequests:        number(m.MinimumRequests, g.MinimumRequests, g.MinimumRequests),
		MaxErrorPercent:        limit(m.MaxErrorPercent),
		MaxErrorPercentOverOld: limit(m.MaxErrorPercentOverOld),
		MaxP99Milliseconds:     limit(m.MaxP99Milliseconds),
		MaxP99Ratio:            limit(m.MaxP99Ratio),
	}
}

// toSteps returns nil for no steps, as the library has it.
func toSteps(ctx context.Context, v types.List, diags *diag.Diagnostics) (steps []target.TrafficStep, known bool) {
	for _, e := range v.Elements() {
		o, ok := e.(types.Object)
		if m := nested[stepModel](ctx, o, diags); ok && m != nil && !m.Percent.IsUnknown() {
			steps = append(steps, target.TrafficStep{Percent: number(m.Percent, 0, 0), HoldSeconds: number(m.HoldSeconds, defaultHoldSeconds, 0)})
		}
	}
	return steps, !v.IsUnknown() && len(steps) == len(v.Elements())
}

// fromPolicy encodes a policy. One that was asked before there was a watch has no window to
// judge in: what it does not say reads as the default, which the next swap goes by.
func fromPolicy(p target.Policy) types.Object {
	if d := defaultPolicy(); p.Guardrails.WindowSeconds == 0 {
		d.StartTimeoutSeconds, d.MinimumHealthySeconds, d.DrainSeconds = p.StartTimeoutSeconds, p.MinimumHealthySeconds, p.DrainSeconds
		d.FallbackWindowSeconds, d.FallbackUntilNextRelease = p.FallbackWindowSeconds, p.FallbackUntilNextRelease
		p = d
	}
	steps := make([]attr.Value, 0, len(p.Steps))
	for _, s := range p.Steps {
		steps = append(steps, types.ObjectValueMust(stepType().AttrTypes, map[string]attr.Value{
			"hold_seconds": types.Int64Value(int64(s.HoldSeconds)),
			"percent":      types.Int64Value(int64(s.Percent)),
		}))
	}
	return types.ObjectValueMust(policyType().AttrTypes, map[string]attr.Value{
		"approval":                    types.StringValue(string(p.Approval)),
		"approval_timeout_seconds":    types.Int64Value(int64(p.ApprovalTimeoutSeconds)),
		"bake_seconds":                types.Int64Value(int64(p.BakeSeconds)),
		"drain_seconds":               types.Int64Value(int64(p.DrainSeconds)),
		"fallback_until_next_release": types.BoolValue(p.FallbackUntilNextRelease),
		"fallback_window_seconds":     types.Int64Value(int64(p.FallbackWindowSeconds)),
		"guardrails":                  fromGuardrails(p.Guardrails),
		"minimum_healthy_seconds":     types.Int64Value(int64(p.MinimumHealthySeconds)),
		"on_too_few_requests":         types.StringValue(string(p.OnTooFewRequests)),
		"start_timeout_seconds":       types.Int64Value(int64(p.StartTimeoutSeconds)),
		"steps":                       types.ListValueMust(stepType(), steps),
		"sticky_by":                   toText(string(p.StickyBy)),
		"waiting_capacity_percent":    types.Int64Value(int64(p.WaitingCapacityPercent)),
	})
}

func fromGuardrails(g target.Guardrails) types.Object {
	return types.ObjectValueMust(guardrailsType().AttrTypes, map[string]attr.Value{
		"max_error_percent":          types.Float64PointerValue(g.MaxErrorPercent),
		"max_error_percent_over_old": types.Float64PointerValue(g.MaxErrorPercentOverOld),
		"max_p99_milliseconds":       types.Float64PointerValue(g.MaxP99Milliseconds),
		"max_p99_ratio":              types.Float64PointerValue(g.MaxP99Ratio),
		"minimum_requests":           types.Int64Value(int64(g.MinimumRequests)),
		"window_seconds":             types.Int64Value(int64(g.WindowSeconds)),
	})
}
