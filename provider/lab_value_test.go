package provider_test

import (
	"fmt"
	"maps"
	"math/big"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

var identityType = tftypes.Object{AttributeTypes: map[string]tftypes.Type{"id": tftypes.String}}

// unknown is a value that is known after the apply only.
type unknown struct{}

// build makes a value of a type from plain Go: nil and left out attributes are null.
func build(t tftypes.Type, v any) tftypes.Value {
	if v == nil {
		return tftypes.NewValue(t, nil)
	}
	if _, ok := v.(unknown); ok {
		return tftypes.NewValue(t, tftypes.UnknownValue)
	}
	switch t := t.(type) {
	case tftypes.Object:
		in, out := v.(map[string]any), map[string]tftypes.Value{}
		for name, at := range t.AttributeTypes {
			out[name] = build(at, in[name])
		}
		for name := range in {
			if _, ok := t.AttributeTypes[name]; !ok {
				panic("there is no attribute " + name)
			}
		}
		return tftypes.NewValue(t, out)
	case tftypes.Map:
		out := map[string]tftypes.Value{}
		for k, e := range v.(map[string]any) {
			out[k] = build(t.ElementType, e)
		}
		return tftypes.NewValue(t, out)
	case tftypes.List:
		return tftypes.NewValue(t, buildAll(t.ElementType, v.([]any)))
	case tftypes.Set:
		return tftypes.NewValue(t, buildAll(t.ElementType, v.([]any)))
	}
	return tftypes.NewValue(t, v)
}

func buildAll(t tftypes.Type, in []any) []tftypes.Value {
	out := make([]tftypes.Value, 0, len(in))
	for _, v := range in {
		out = append(out, build(t, v))
	}
	return out
}

// propose is Terraform's proposed new state: the configuration, with the prior values of
// computed attributes that it leaves out.
func propose(attributes []*tfprotov6.SchemaAttribute, t tftypes.Type, prior, config tftypes.Value) tftypes.Value {
	was, is, out := parts(prior), parts(config), map[string]tftypes.Value{}
	for _, a := range attributes {
		out[a.Name] = proposeAttribute(a, was[a.Name], is[a.Name])
	}
	return tftypes.NewValue(t, out)
}

func proposeAttribute(a *tfprotov6.SchemaAttribute, prior, config tftypes.Value) tftypes.Value {
	switch {
	case config.IsNull() && a.Computed && prior.Type() != nil:
		return prior
	case a.NestedType == nil || config.IsNull() || !config.IsKnown():
		return config
	}
	switch a.NestedType.Nesting {
	case tfprotov6.SchemaObjectNestingModeSingle:
		return propose(a.NestedType.Attributes, config.Type(), prior, config)
	case tfprotov6.SchemaObjectNestingModeMap:
		was, is, out := parts(prior), parts(config), map[string]tftypes.Value{}
		for k, v := range is {
			if out[k] = v; v.IsKnown() {
				out[k] = propose(a.NestedType.Attributes, v.Type(), was[k], v)
			}
		}
		return tftypes.NewValue(config.Type(), out)
	}
	return config
}

// parts returns the attributes of an object or the elements of a map; none of a null one.
func parts(v tftypes.Value) map[string]tftypes.Value {
	var m map[string]tftypes.Value
	if v.Type() == nil || v.IsNull() || !v.IsKnown() {
		return m
	}
	if err := v.As(&m); err != nil {
		panic(err)
	}
	return m
}

// at returns the value at a path such as "network.https_port" in plain Go.
func at(v tftypes.Value, path string) any {
	for name := range strings.SplitSeq(path, ".") {
		v = parts(v)[name]
	}
	return native(v)
}

// native is a value in plain Go; collections are in words.
func native(v tftypes.Value) any {
	switch {
	case v.Type() == nil || v.IsNull():
		return nil
	case !v.IsKnown():
		return unknown{}
	case v.Type().Is(tftypes.String):
		var s string
		if err := v.As(&s); err != nil {
			panic(err)
		}
		return s
	case v.Type().Is(tftypes.Bool):
		var b bool
		if err := v.As(&b); err != nil {
			panic(err)
		}
		return b
	case v.Type().Is(tftypes.Number):
		var n big.Float
		if err := v.As(&n); err != nil {
			panic(err)
		}
		f, _ := n.Float64()
		return f
	}
	return fmt.Sprint(v)
}

// with returns a copy of a configuration with other values at the top.
func with(a map[string]any, b map[string]any) map[string]any {
	out := maps.Clone(a)
	maps.Copy(out, b)
	return out
}
