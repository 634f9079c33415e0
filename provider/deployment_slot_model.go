package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

type deploymentSlotModel struct {
	ID                 types.String   `tfsdk:"id"`
	AllowUntested      types.Bool     `tfsdk:"allow_untested"`
	Candidate          types.Object   `tfsdk:"candidate"`
	Components         types.Map      `tfsdk:"components"`
	DeletionProtection types.Bool     `tfsdk:"deletion_protection"`
	EnvironmentID      types.String   `tfsdk:"environment_id"`
	Fallback           types.Object   `tfsdk:"fallback"`
	LastSwap           types.Object   `tfsdk:"last_swap"`
	Live               types.Object   `tfsdk:"live"`
	Migrate            types.Object   `tfsdk:"migrate"`
	Name               types.String   `tfsdk:"name"`
	Phase              types.String   `tfsdk:"phase"`
	PreviewURL         types.String   `tfsdk:"preview_url"`
	Release            types.String   `tfsdk:"release"`
	Retry              types.Int64    `tfsdk:"retry"`
	Swap               types.Object   `tfsdk:"swap"`
	Tags               types.Map      `tfsdk:"tags"`
	TestSuite          types.Object   `tfsdk:"test_suite"`
	Timeouts           timeouts.Value `tfsdk:"timeouts"`
	URL                types.String   `tfsdk:"url"`
}

type policyModel struct {
	DrainSeconds             types.Int64 `tfsdk:"drain_seconds"`
	FallbackUntilNextRelease types.Bool  `tfsdk:"fallback_until_next_release"`
	FallbackWindowSeconds    types.Int64 `tfsdk:"fallback_window_seconds"`
	MinimumHealthySeconds    types.Int64 `tfsdk:"minimum_healthy_seconds"`
	StartTimeoutSeconds      types.Int64 `tfsdk:"start_timeout_seconds"`
}

// defaultPolicy is how a slot swaps where the configuration does not say otherwise.
func defaultPolicy() target.Policy {
	return target.Policy{StartTimeoutSeconds: 300, MinimumHealthySeconds: 5, DrainSeconds: 30, FallbackWindowSeconds: 1800}
}

// toDomain converts a plan or a configuration; see values.go for what is not known.
func (m deploymentSlotModel) toDomain(ctx context.Context, diags *diag.Diagnostics) target.Slot {
	s := target.Slot{
		Environment: environmentID(m.EnvironmentID, diags),
		Name:        text(m.Name, placeholder),
		Definition: target.Definition{
			Release:    text(m.Release, placeholder),
			Components: toComponents(ctx, m.Name.ValueString(), m.Components, diags),
			Migrate:    toTask(ctx, m.Migrate, diags),
			TestSuite:  toTestSuite(ctx, m.TestSuite, diags),
		},
		Policy:             toPolicy(ctx, m.Swap, diags),
		Retry:              int64(number(m.Retry, 0, 0)),
		DeletionProtection: m.DeletionProtection.ValueBool(),
		Tags:               stringMap(ctx, m.Tags, diags),
	}
	d := &s.Definition
	switch {
	case m.AllowUntested.IsUnknown():
		d.AllowUntested = d.TestSuite == nil
	case m.TestSuite.IsUnknown() && m.AllowUntested.ValueBool():
		d.AllowUntested, d.TestSuite = true, nil
	default:
		d.AllowUntested = m.AllowUntested.ValueBool()
	}
	return s
}

// toPolicy takes for what is not known a value that fits whatever is.
func toPolicy(ctx context.Context, v types.Object, diags *diag.Diagnostics) target.Policy {
	p := defaultPolicy()
	m := nested[policyModel](ctx, v, diags)
	if m == nil {
		return p
	}
	p.DrainSeconds = number(m.DrainSeconds, p.DrainSeconds, p.DrainSeconds)
	p.FallbackUntilNextRelease = m.FallbackUntilNextRelease.ValueBool()
	p.FallbackWindowSeconds = number(m.FallbackWindowSeconds, p.FallbackWindowSeconds, p.FallbackWindowSeconds)
	p.MinimumHealthySeconds = number(m.MinimumHealthySeconds, p.MinimumHealthySeconds, 0)
	const week = 7 * 24 * 3600
	p.StartTimeoutSeconds = number(m.StartTimeoutSeconds, p.StartTimeoutSeconds, week)
	return p
}

// fromDomain takes over everything that the target says: the definition of what serves, the
// policy that was last asked, and what is observed. Timeouts and URLs stay.
func (m *deploymentSlotModel) fromDomain(ctx context.Context, s provision.SlotState, diags *diag.Diagnostics) {
	asked := s.Record.Asked
	m.EnvironmentID = types.StringValue(asked.Environment.String())
	m.Name = types.StringValue(asked.Name)
	m.Retry = types.Int64Value(asked.Retry)
	// Protection is armed by the last step of a create.
	m.DeletionProtection = types.BoolValue(asked.DeletionProtection && s.Record.Meta.Ready)
	m.Tags = toMap(asked.Tags)
	p := asked.Policy
	m.Swap = toObject(ctx, policyType(), &policyModel{
		DrainSeconds:             types.Int64Value(int64(p.DrainSeconds)),
		FallbackUntilNextRelease: types.BoolValue(p.FallbackUntilNextRelease),
		FallbackWindowSeconds:    types.Int64Value(int64(p.FallbackWindowSeconds)),
		MinimumHealthySeconds:    types.Int64Value(int64(p.MinimumHealthySeconds)),
		StartTimeoutSeconds:      types.Int64Value(int64(p.StartTimeoutSeconds)),
	}, diags)
	m.define(ctx, s, diags)
	m.observe(ctx, s, diags)
}

// define takes over the definition of the stack that serves, null if none does.
func (m *deploymentSlotModel) define(ctx context.Context, s provision.SlotState, diags *diag.Diagnostics) {
	st, ok := s.Serving()
	if !ok {
		m.Release = types.StringNull()
		m.Components = types.MapNull(componentType())
		m.Migrate = types.ObjectNull(taskType().AttrTypes)
		m.TestSuite = types.ObjectNull(testSuiteType().AttrTypes)
		m.AllowUntested = types.BoolNull()
		return
	}
	d := st.Spec.Definition
	m.Release = types.StringValue(d.Release)
	m.Components = fromComponents(ctx, d.Components, diags)
	m.Migrate = fromTask(ctx, d.Migrate, diags)
	m.TestSuite = fromTestSuite(ctx, d.TestSuite, diags)
	m.AllowUntested = types.BoolValue(d.AllowUntested)
}
