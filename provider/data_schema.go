package provider

import (
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	resourceschema "github.com/hashicorp/terraform-plugin-framework/resource/schema"
)

// shown are a resource's attributes as a data source has them: all computed, and described
// without defaults and without what a change does.
func shown(attributes map[string]resourceschema.Attribute) map[string]schema.Attribute {
	out := make(map[string]schema.Attribute, len(attributes))
	for name, a := range attributes {
		if s := show(a); s != nil {
			out[name] = s
		}
	}
	return out
}

func show(a resourceschema.Attribute) schema.Attribute {
	says := firstClause(a.GetMarkdownDescription())
	switch a := a.(type) {
	case resourceschema.BoolAttribute:
		return schema.BoolAttribute{Computed: true, MarkdownDescription: says}
	case resourceschema.Float64Attribute:
		return schema.Float64Attribute{Computed: true, MarkdownDescription: says}
	case resourceschema.Int64Attribute:
		return schema.Int64Attribute{Computed: true, MarkdownDescription: says}
	case resourceschema.StringAttribute:
		return schema.StringAttribute{Computed: true, MarkdownDescription: says}
	case resourceschema.ListAttribute:
		return schema.ListAttribute{Computed: true, ElementType: a.ElementType, MarkdownDescription: says}
	case resourceschema.MapAttribute:
		return schema.MapAttribute{Computed: true, ElementType: a.ElementType, MarkdownDescription: says}
	case resourceschema.SetAttribute:
		return schema.SetAttribute{Computed: true, ElementType: a.ElementType, MarkdownDescription: says}
	case resourceschema.ListNestedAttribute:
		return schema.ListNestedAttribute{Computed: true, NestedObject: schema.NestedAttributeObject{Attributes: shown(a.NestedObject.Attributes)}, MarkdownDescription: says}
	case resourceschema.MapNestedAttribute:
		return schema.MapNestedAttribute{Computed: true, NestedObject: schema.NestedAttributeObject{Attributes: shown(a.NestedObject.Attributes)}, MarkdownDescription: says}
	case resourceschema.SingleNestedAttribute:
		return schema.SingleNestedAttribute{Computed: true, Attributes: shown(a.Attributes), MarkdownDescription: says}
	}
	return nil
}

// firstClause is what an attribute is; defaults and changes come after it.
func firstClause(description string) string {
	end := len(description)
	for _, mark := range []string{"; ", ". ", ", known at plan"} {
		if i := strings.Index(description, mark); i >= 0 && i < end {
			end = i
		}
	}
	return strings.TrimSuffix(description[:end], ".") + "."
}
