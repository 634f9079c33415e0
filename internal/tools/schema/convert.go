package main

import (
	"encoding/json"
	"fmt"

	tfjson "github.com/hashicorp/terraform-json"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/zclconf/go-cty/cty"
)

func convertProvider(in *tfprotov6.GetProviderSchemaResponse) (*tfjson.ProviderSchema, error) {
	var out tfjson.ProviderSchema
	var err error
	if out.ConfigSchema, err = convertSchema(in.Provider); err != nil {
		return nil, fmt.Errorf("convert provider: %w", err)
	}
	for _, group := range []struct {
		in  map[string]*tfprotov6.Schema
		out *map[string]*tfjson.Schema
	}{
		{in.ResourceSchemas, &out.ResourceSchemas},
		{in.DataSourceSchemas, &out.DataSourceSchemas},
		{in.EphemeralResourceSchemas, &out.EphemeralResourceSchemas},
		{in.ListResourceSchemas, &out.ListResourceSchemas},
	} {
		*group.out = map[string]*tfjson.Schema{}
		for name, schema := range group.in {
			if (*group.out)[name], err = convertSchema(schema); err != nil {
				return nil, fmt.Errorf("convert %s: %w", name, err)
			}
		}
	}
	out.ActionSchemas = map[string]*tfjson.ActionSchema{}
	for name, action := range in.ActionSchemas {
		schema, err := convertSchema(action.Schema)
		if err != nil {
			return nil, fmt.Errorf("convert action %s: %w", name, err)
		}
		out.ActionSchemas[name] = &tfjson.ActionSchema{Block: schema.Block}
	}
	return &out, nil
}

func convertSchema(in *tfprotov6.Schema) (*tfjson.Schema, error) {
	if len(in.Block.BlockTypes) > 0 {
		return nil, fmt.Errorf("block %q: our schemas have nested attributes, no blocks", in.Block.BlockTypes[0].TypeName)
	}
	attributes, err := convertAttributes(in.Block.Attributes)
	if err != nil {
		return nil, err
	}
	return &tfjson.Schema{
		Version: uint64(in.Version),
		Block: &tfjson.SchemaBlock{
			Attributes:      attributes,
			Description:     in.Block.Description,
			DescriptionKind: convertKind(in.Block.DescriptionKind),
			Deprecated:      in.Block.Deprecated,
		},
	}, nil
}

func convertAttributes(in []*tfprotov6.SchemaAttribute) (map[string]*tfjson.SchemaAttribute, error) {
	out := map[string]*tfjson.SchemaAttribute{}
	for _, a := range in {
		converted := &tfjson.SchemaAttribute{
			Description:     a.Description,
			DescriptionKind: convertKind(a.DescriptionKind),
			Deprecated:      a.Deprecated,
			Required:        a.Required,
			Optional:        a.Optional,
			Computed:        a.Computed,
			Sensitive:       a.Sensitive,
			WriteOnly:       a.WriteOnly,
		}
		var err error
		if a.NestedType != nil {
			converted.AttributeNestedType, err = convertNested(a.NestedType)
		} else {
			converted.AttributeType, err = convertType(a.Type)
		}
		if err != nil {
			return nil, fmt.Errorf("attribute %q: %w", a.Name, err)
		}
		out[a.Name] = converted
	}
	return out, nil
}

func convertNested(in *tfprotov6.SchemaObject) (*tfjson.SchemaNestedAttributeType, error) {
	attributes, err := convertAttributes(in.Attributes)
	if err != nil {
		return nil, err
	}
	modes := map[tfprotov6.SchemaObjectNestingMode]tfjson.SchemaNestingMode{
		tfprotov6.SchemaObjectNestingModeSingle: tfjson.SchemaNestingModeSingle,
		tfprotov6.SchemaObjectNestingModeList:   tfjson.SchemaNestingModeList,
		tfprotov6.SchemaObjectNestingModeSet:    tfjson.SchemaNestingModeSet,
		tfprotov6.SchemaObjectNestingModeMap:    tfjson.SchemaNestingModeMap,
	}
	mode, known := modes[in.Nesting]
	if !known {
		return nil, fmt.Errorf("nesting mode %v is not known", in.Nesting)
	}
	return &tfjson.SchemaNestedAttributeType{Attributes: attributes, NestingMode: mode}, nil
}

// convertType goes through JSON, in which both libraries write types alike.
func convertType(in tftypes.Type) (out cty.Type, err error) {
	raw, err := json.Marshal(in)
	if err != nil {
		return cty.NilType, fmt.Errorf("write type: %w", err)
	}
	if err := json.Unmarshal(raw, &out); err != nil {
		return cty.NilType, fmt.Errorf("read type: %w", err)
	}
	return out, nil
}

func convertKind(in tfprotov6.StringKind) tfjson.SchemaDescriptionKind {
	if in == tfprotov6.StringKindMarkdown {
		return tfjson.SchemaDescriptionKindMarkdown
	}
	return tfjson.SchemaDescriptionKindPlain
}
