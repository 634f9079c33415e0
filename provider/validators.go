package provider

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

// Validators of single values that the library can't see: it takes "" and 0 for "left out",
// and knows neither null nor Terraform's durations.

// invalid refuses the value of an attribute. The detail names it: where the value comes from a
// variable, the line that Terraform shows does not.
func invalid(diags *diag.Diagnostics, summary string, at path.Path, format string, args ...any) {
	diags.AddAttributeError(at, summary, sentence(at.String()+": "+fmt.Sprintf(format, args...)))
}

const invalidValue = "Invalid value"

// notEmpty refuses "" and [], which would mean the same as leaving the attribute out.
type notEmpty struct{}

func (notEmpty) Description(context.Context) string         { return "is not empty" }
func (notEmpty) MarkdownDescription(context.Context) string { return "is not empty" }

func (notEmpty) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if given(req.ConfigValue) && req.ConfigValue.ValueString() == "" {
		invalid(&resp.Diagnostics, invalidValue, req.Path, `the value is "": write what it is to be, or leave the attribute out (or null) to go without`)
	}
}

func (notEmpty) ValidateList(_ context.Context, req validator.ListRequest, resp *validator.ListResponse) {
	if given(req.ConfigValue) && len(req.ConfigValue.Elements()) == 0 {
		invalid(&resp.Diagnostics, invalidValue, req.Path, "the list is empty: write its elements, or leave the attribute out (or null) to go without")
	}
}

func (notEmpty) ValidateSet(_ context.Context, req validator.SetRequest, resp *validator.SetResponse) {
	if given(req.ConfigValue) && len(req.ConfigValue.Elements()) == 0 {
		invalid(&resp.Diagnostics, invalidValue, req.Path, "the set is empty, and so limits nothing: write its elements, or leave the attribute out (or null) to go without")
	}
}

// atLeastOne refuses numbers below 1.
type atLeastOne struct{}

func (atLeastOne) Description(context.Context) string         { return "is at least 1" }
func (atLeastOne) MarkdownDescription(context.Context) string { return "is at least 1" }

func (atLeastOne) ValidateInt64(_ context.Context, req validator.Int64Request, resp *validator.Int64Response) {
	if given(req.ConfigValue) && req.ConfigValue.ValueInt64() < 1 {
		invalid(&resp.Diagnostics, invalidValue, req.Path, "%d is out of range: expected 1 or more, or nothing for the default", req.ConfigValue.ValueInt64())
	}
}

// notZero refuses 0 where the library takes it for "left out" and checks all other numbers. Most is
// the largest one that it takes, 0 where it has no limit.
type notZero struct{ most int64 }

func (notZero) Description(context.Context) string         { return "is not 0" }
func (notZero) MarkdownDescription(context.Context) string { return "is not 0" }

func (v notZero) ValidateInt64(_ context.Context, req validator.Int64Request, resp *validator.Int64Response) {
	if !given(req.ConfigValue) || req.ConfigValue.ValueInt64() != 0 {
		return
	}
	upTo := "or more"
	if v.most > 0 {
		upTo = fmt.Sprintf("to %d", v.most)
	}
	invalid(&resp.Diagnostics, invalidValue, req.Path, "0 is out of range: expected 1 %s, or leave the attribute out", upTo)
}

// aDuration refuses what can't be a time limit.
type aDuration struct{}

func (aDuration) Description(context.Context) string         { return "is a duration above 0" }
func (aDuration) MarkdownDescription(context.Context) string { return "is a duration above 0" }

func (aDuration) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if !given(req.ConfigValue) {
		return
	}
	if d, err := time.ParseDuration(req.ConfigValue.ValueString()); err != nil || d <= 0 {
		invalid(&resp.Diagnostics, invalidValue, req.Path, `%q is not a time limit: expected a duration above 0 with its unit, such as "90s", "10m" or "1h30m"`, req.ConfigValue.ValueString())
	}
}

// noNulls refuses null in a collection: it would come back from the target as "".
type noNulls struct{}

func (noNulls) Description(context.Context) string         { return "has no null in it" }
func (noNulls) MarkdownDescription(context.Context) string { return "has no null in it" }

func (noNulls) ValidateList(_ context.Context, req validator.ListRequest, resp *validator.ListResponse) {
	for i, e := range req.ConfigValue.Elements() {
		refuseNull(&resp.Diagnostics, req.Path.AtListIndex(i), e)
	}
}

func (noNulls) ValidateSet(_ context.Context, req validator.SetRequest, resp *validator.SetResponse) {
	for _, e := range req.ConfigValue.Elements() {
		refuseNull(&resp.Diagnostics, req.Path, e)
	}
}

func (noNulls) ValidateMap(_ context.Context, req validator.MapRequest, resp *validator.MapResponse) {
	for k, e := range req.ConfigValue.Elements() {
		refuseNull(&resp.Diagnostics, req.Path.AtMapKey(k), e)
	}
}

func refuseNull(diags *diag.Diagnostics, at path.Path, v attr.Value) {
	if v.IsNull() {
		invalid(diags, invalidValue, at, "the element is null: write its value, or leave the element out")
	}
}
