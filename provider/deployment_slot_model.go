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
	ApprovedRelease    types.String   `tfsdk:"approved_release"`
	Candidate          types.Object   `tfsdk:"candidate"`
	Components         types.Map      `tfsdk:"components"`
	DeletionProtection types.Bool     `tfsdk:"deletion_protection"`
	Drift              types.List     `tfsdk:"drift"`
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

// toDomain converts a plan or a configuration; see values.go for what is not known.
func (m deploymentSlotModel) toDomain(ctx context.Context, diags *diag.Diagnostics) target.Slot {
	s := target.Slot{
		Environment: environmentID(m.EnvironmentID, diags),
		Name:        text(m.Name, placeholder),
		Definition: target.Definition{
			Release:    text(m.Release, placeholder),
			Components: toComponents(ctx, text(m.Name, placeholder), m.Components, diags),
			Migrate:    toTask(ctx, m.Migrate, diags),
			TestSuite:  toTestSuite(ctx, m.TestSuite, diags),
		},
		Policy:             toPolicy(ctx, m.Swap, diags),
		Retry:              int64(number(m.Retry, 0, 0)),
		ApprovedRelease:    text(m.ApprovedRelease, ""),
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

// fromDomain takes over everything that the target says: the definition of what serves, the
// policy that was last asked, and what is observed. Timeouts and URLs stay.
func (m *deploymentSlotModel) fromDomain(ctx context.Context, s provision.SlotState, diags *diag.Diagnostics) {
	asked := s.Record.Asked
	m.EnvironmentID = types.StringValue(asked.Environment.String())
	m.Name = types.StringValue(asked.Name)
	m.Retry = types.Int64Value(asked.Retry)
	// Protection is armed by the last step of a create, which may be to wait.
	m.DeletionProtection = types.BoolValue(asked.DeletionProtection && (s.Record.Meta.Ready || s.AwaitsApproval()))
	m.Tags = toMap(asked.Tags)
	m.Swap = fromPolicy(asked.Policy)
	m.ApprovedRelease = toText(asked.ApprovedRelease)
	m.define(ctx, s, diags)
	m.observe(ctx, s, diags)
}

// define takes over the definition of the stack that serves, null if none does. While a
// candidate waits for approval it is the one that was asked, for that is what there is.
func (m *deploymentSlotModel) define(ctx context.Context, s provision.SlotState, diags *diag.Diagnostics) {
	st, ok := s.Serving()
	d := st.Spec.Definition
	if s.AwaitsApproval() {
		d, ok = s.Record.Asked.Definition, true
	}
	if !ok {
		m.Release = types.StringNull()
		m.Components = types.MapNull(componentType())
		m.Migrate = types.ObjectNull(taskType().AttrTypes)
		m.TestSuite = types.ObjectNull(testSuiteType().AttrTypes)
		m.AllowUntested = types.BoolNull()
		return
	}
	m.Release = types.StringValue(d.Release)
	m.Components = fromComponents(ctx, d.Components, diags)
	m.Migrate = fromTask(ctx, d.Migrate, diags)
	m.TestSuite = fromTestSuite(ctx, d.TestSuite, diags)
	m.AllowUntested = types.BoolValue(d.AllowUntested)
}
