package provider

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"
)

// Models hold Terraform's values, which may be null or, at plan, unknown. The conversions to
// the library's nouns take the default for a null one and something harmless for an unknown
// one: a value that no check finds fault with. So a definition can be checked as far as it is
// known, by the very functions that check it at apply.

// placeholder stands for an unknown string where "" would be a fault.
const placeholder = "unknown"

// text is a string's value. Where a required one is null the framework says so.
func text(v types.String, harmless string) string {
	if !given(v) {
		return harmless
	}
	return v.ValueString()
}

func number(v types.Int64, null, unknown int) int {
	switch {
	case v.IsUnknown():
		return unknown
	case v.IsNull():
		return null
	}
	return int(v.ValueInt64())
}

// given says that a value is neither null nor unknown.
func given(v attr.Value) bool { return !v.IsNull() && !v.IsUnknown() }

// fullyKnown says that neither the value nor anything in it is unknown.
func fullyKnown(ctx context.Context, v attr.Value) bool {
	t, err := v.ToTerraformValue(ctx)
	return err == nil && t.IsFullyKnown()
}

// stringMap returns a map's values, nil for an empty one, as the library has it. A value that
// is not known, or null and refused for it, looks like a path, which a secret's is.
func stringMap(ctx context.Context, v types.Map, diags *diag.Diagnostics) map[string]string {
	if !given(v) || len(v.Elements()) == 0 {
		return nil
	}
	var elements map[string]types.String
	diags.Append(v.ElementsAs(ctx, &elements, false)...)
	out := make(map[string]string, len(elements))
	for k, e := range elements {
		out[k] = text(e, "/"+placeholder)
	}
	return out
}

// stringList returns a list's or set's values, nil for an empty one.
func stringList(elements []attr.Value) []string {
	var out []string
	for _, e := range elements {
		if s, ok := e.(types.String); ok {
			out = append(out, text(s, placeholder))
		}
	}
	return out
}

// nested decodes an object, nil if it is null or unknown.
func nested[T any](ctx context.Context, v types.Object, diags *diag.Diagnostics) *T {
	if !given(v) {
		return nil
	}
	out := new(T)
	diags.Append(v.As(ctx, out, basetypes.ObjectAsOptions{})...)
	return out
}

// toObject encodes an object, null for nil.
func toObject[T any](ctx context.Context, t types.ObjectType, v *T, diags *diag.Diagnostics) types.Object {
	if v == nil {
		return types.ObjectNull(t.AttrTypes)
	}
	out, d := types.ObjectValueFrom(ctx, t.AttrTypes, v)
	diags.Append(d...)
	return out
}

// toMap encodes a map of strings; nil is an empty one.
func toMap(m map[string]string) types.Map {
	elements := make(map[string]attr.Value, len(m))
	for k, v := range m {
		elements[k] = types.StringValue(v)
	}
	return types.MapValueMust(types.StringType, elements)
}

func toElements(values []string) []attr.Value {
	elements := make([]attr.Value, 0, len(values))
	for _, v := range values {
		elements = append(elements, types.StringValue(v))
	}
	return elements
}

// toText encodes a string; "" is null.
func toText(s string) types.String {
	if s == "" {
		return types.StringNull()
	}
	return types.StringValue(s)
}

// toNumber encodes a number; 0 is null.
func toNumber(n int) types.Int64 {
	if n == 0 {
		return types.Int64Null()
	}
	return types.Int64Value(int64(n))
}

// toTime encodes a time in RFC 3339 and UTC; nil and the zero time are null.
func toTime(t *time.Time) types.String {
	if t == nil || t.IsZero() {
		return types.StringNull()
	}
	return types.StringValue(t.UTC().Format(time.RFC3339))
}
