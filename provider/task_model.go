package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

type taskModel struct {
	Command        types.List   `tfsdk:"command"`
	Environment    types.Map    `tfsdk:"environment"`
	Image          types.String `tfsdk:"image"`
	Secrets        types.Map    `tfsdk:"secrets"`
	TimeoutSeconds types.Int64  `tfsdk:"timeout_seconds"`
}

type testSuiteModel struct {
	Account        types.String `tfsdk:"account"`
	Command        types.List   `tfsdk:"command"`
	Environment    types.Map    `tfsdk:"environment"`
	Image          types.String `tfsdk:"image"`
	Secrets        types.Map    `tfsdk:"secrets"`
	TimeoutSeconds types.Int64  `tfsdk:"timeout_seconds"`
}

func (m testSuiteModel) task() taskModel {
	return taskModel{m.Command, m.Environment, m.Image, m.Secrets, m.TimeoutSeconds}
}

// toTask converts a task, nil for null; see values.go for what is not known.
func toTask(ctx context.Context, v types.Object, diags *diag.Diagnostics) *target.Task {
	if v.IsUnknown() {
		return &target.Task{Command: []string{placeholder}, TimeoutSeconds: defaultTaskSeconds}
	}
	m := nested[taskModel](ctx, v, diags)
	if m == nil {
		return nil
	}
	t := m.toDomain(ctx, diags)
	return &t
}

func toTestSuite(ctx context.Context, v types.Object, diags *diag.Diagnostics) *target.Task {
	if v.IsUnknown() {
		return &target.Task{Command: []string{placeholder}, TimeoutSeconds: defaultTaskSeconds}
	}
	m := nested[testSuiteModel](ctx, v, diags)
	if m == nil {
		return nil
	}
	t := m.task().toDomain(ctx, diags)
	t.Account = text(m.Account, "")
	return &t
}

func (m taskModel) toDomain(ctx context.Context, diags *diag.Diagnostics) target.Task {
	t := target.Task{
		Image:          text(m.Image, ""),
		Command:        stringList(m.Command.Elements()),
		Environment:    stringMap(ctx, m.Environment, diags),
		Secrets:        stringMap(ctx, m.Secrets, diags),
		TimeoutSeconds: number(m.TimeoutSeconds, defaultTaskSeconds, defaultTaskSeconds),
	}
	if len(t.Command) == 0 && (!m.Command.IsNull() || m.Image.IsUnknown()) {
		t.Command = []string{placeholder}
	}
	return t
}

func fromTask(ctx context.Context, t *target.Task, diags *diag.Diagnostics) types.Object {
	if t == nil {
		return types.ObjectNull(taskType().AttrTypes)
	}
	return toObject(ctx, taskType(), &taskModel{
		Command:        toCommand(t.Command),
		Environment:    toMap(t.Environment),
		Image:          toText(t.Image),
		Secrets:        toMap(t.Secrets),
		TimeoutSeconds: types.Int64Value(int64(t.TimeoutSeconds)),
	}, diags)
}

func fromTestSuite(ctx context.Context, t *target.Task, diags *diag.Diagnostics) types.Object {
	if t == nil {
		return types.ObjectNull(testSuiteType().AttrTypes)
	}
	return toObject(ctx, testSuiteType(), &testSuiteModel{
		Account:        toText(t.Account),
		Command:        toCommand(t.Command),
		Environment:    toMap(t.Environment),
		Image:          toText(t.Image),
		Secrets:        toMap(t.Secrets),
		TimeoutSeconds: types.Int64Value(int64(t.TimeoutSeconds)),
	}, diags)
}
