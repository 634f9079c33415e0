package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/listdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/mapdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/setdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

func idAttribute(form string) schema.Attribute {
	return schema.StringAttribute{
		Computed:            true,
		MarkdownDescription: fmt.Sprintf("Identifier, %s, known at plan; it is also the import id.", form),
	}
}

func computedString(description string) schema.Attribute {
	return schema.StringAttribute{Computed: true, MarkdownDescription: description}
}

// driftAttribute is what an update is planned for that no other attribute shows.
func driftAttribute() schema.Attribute {
	return schema.ListAttribute{
		ElementType: types.StringType, Computed: true,
		MarkdownDescription: "What differs on the target from what was asked, or is not finished yet, in words; where there is something, the next apply repairs it.",
	}
}

// Collections that may be left out have an empty default, so that leaving one out and
// writing an empty one are the same and both match what an import finds.

func tagsAttribute(what string) schema.Attribute {
	return stringMapAttribute(fmt.Sprintf("Tags of the %s, at most 40, changed in place; defaults to none.", what))
}

func stringMapAttribute(description string) schema.Attribute {
	return schema.MapAttribute{
		ElementType:         types.StringType,
		Optional:            true,
		Computed:            true,
		Validators:          []validator.Map{noNulls{}},
		Default:             mapdefault.StaticValue(types.MapValueMust(types.StringType, map[string]attr.Value{})),
		MarkdownDescription: description,
	}
}

func stringSetAttribute(description string) schema.Attribute {
	return schema.SetAttribute{
		ElementType:         types.StringType,
		Optional:            true,
		Computed:            true,
		Default:             setdefault.StaticValue(types.SetValueMust(types.StringType, []attr.Value{})),
		Validators:          []validator.Set{noNulls{}},
		MarkdownDescription: description,
	}
}

func nestedListAttribute(description string, attributes map[string]schema.Attribute) schema.Attribute {
	element := nestedType(attributes)
	return schema.ListNestedAttribute{
		NestedObject:        schema.NestedAttributeObject{Attributes: attributes},
		Optional:            true,
		Computed:            true,
		Validators:          []validator.List{noNulls{}},
		Default:             listdefault.StaticValue(types.ListValueMust(element, []attr.Value{})),
		MarkdownDescription: description,
	}
}

// nestedType is the type of an object with these attributes.
func nestedType(attributes map[string]schema.Attribute) types.ObjectType {
	t := map[string]attr.Type{}
	for name, a := range attributes {
		t[name] = a.GetType()
	}
	return types.ObjectType{AttrTypes: t}
}

// timeoutsAttribute is the attribute "timeouts". Limits are the defaults of create, read,
// update and delete in words.
func timeoutsAttribute(ctx context.Context, l limits) schema.Attribute {
	a, ok := timeouts.Attributes(ctx, timeouts.Opts{Create: true, Read: true, Update: true, Delete: true}).(schema.SingleNestedAttribute)
	if !ok {
		return a
	}
	a.MarkdownDescription = "How long each operation may take before it is given up, as durations such as `30s` or `1h30m`; a change starts nothing."
	for name, limit := range map[string]fmt.Stringer{"create": l.create, "read": l.read, "update": l.update, "delete": l.delete} {
		if s, ok := a.Attributes[name].(schema.StringAttribute); ok {
			s.MarkdownDescription = fmt.Sprintf("Time limit of %s, a duration with a unit (`s`, `m`, `h`); defaults to `%s`.", name, limit)
			s.Validators = []validator.String{aDuration{}}
			a.Attributes[name] = s
		}
	}
	return a
}

// someBlocks refuses an empty set where leaving it out lets everybody in: that would be the contrary of
// what is written.
type someBlocks struct{ todo string }

func (someBlocks) Description(context.Context) string         { return "is not empty" }
func (someBlocks) MarkdownDescription(context.Context) string { return "is not empty" }

func (v someBlocks) ValidateSet(_ context.Context, req validator.SetRequest, resp *validator.SetResponse) {
	if set := req.ConfigValue; !set.IsNull() && !set.IsUnknown() && len(set.Elements()) == 0 {
		invalid(&resp.Diagnostics, invalidValue, req.Path, "the set is empty, and would let nobody in: expected at least one IPv4 block such as 203.0.113.0/24; %s", v.todo)
	}
}
