package provider

import (
	"context"
	"math/big"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// wholeNumber is the type of whole numbers. Terraform itself knows numbers only, and the
// framework takes 1.5 for an error of the provider.
type wholeNumber struct{ basetypes.Int64Type }

// Equal says that its values are those of the framework's type.
func (wholeNumber) Equal(o attr.Type) bool {
	switch o.(type) {
	case wholeNumber, basetypes.Int64Type:
		return true
	}
	return false
}

// Validate refuses a fraction and what is too large to count anything.
func (wholeNumber) Validate(_ context.Context, v tftypes.Value, at path.Path) diag.Diagnostics {
	var diags diag.Diagnostics
	if n, ok := notWhole(v); ok {
		invalid(&diags, invalidValue, at, "%s is not a number that can count: expected a whole one of at most 18 digits", n.Text('g', 20))
	}
	return diags
}

// ValueFromTerraform takes what Validate refuses for a number that is not known, in which no
// other check finds fault.
func (t wholeNumber) ValueFromTerraform(ctx context.Context, v tftypes.Value) (attr.Value, error) {
	if _, ok := notWhole(v); ok {
		return types.Int64Unknown(), nil
	}
	return t.Int64Type.ValueFromTerraform(ctx, v)
}

func notWhole(v tftypes.Value) (*big.Float, bool) {
	var n big.Float
	if v.IsNull() || !v.IsKnown() || v.As(&n) != nil {
		return nil, false
	}
	_, accuracy := n.Int64()
	return &n, accuracy != big.Exact
}

// whole makes each number in attributes a whole one, and returns them.
func whole(attributes map[string]schema.Attribute) map[string]schema.Attribute {
	for name, a := range attributes {
		switch a := a.(type) {
		case schema.Int64Attribute:
			a.CustomType = wholeNumber{}
			attributes[name] = a
		case schema.SingleNestedAttribute:
			whole(a.Attributes)
		case schema.ListNestedAttribute:
			whole(a.NestedObject.Attributes)
		case schema.MapNestedAttribute:
			whole(a.NestedObject.Attributes)
		}
	}
	return attributes
}
