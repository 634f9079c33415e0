package provider

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// refuse adds the library's faults to diags, each at the attribute of value that it is about.
func (n noun) refuse(diags *diag.Diagnostics, value tftypes.Value, faults target.Faults) {
	for _, f := range faults {
		at, beyond := faultPath(value, f.Path)
		says := sentence(at.String() + beyond + ": " + f.Message)
		if f.Doubtful {
			diags.AddAttributeWarning(at, n.title+" may be refused", says)
			continue
		}
		diags.AddAttributeError(at, "Invalid "+n.words, says)
	}
}

// faultPath finds the attribute that a fault's path ("components.api.routes.1.path_prefix")
// means in value, as deep as value goes: a part that is null has no parts of its own. Beyond
// is what remains of the path there, in Terraform's notation.
func faultPath(value tftypes.Value, faulty string) (at path.Path, beyond string) {
	p, v, rest := find(value, faulty)
	return p, notation(v.Type(), rest)
}

// notation writes a path within a value of a type as Terraform does: ".port", "[0]", `["team"]`. Keys of texts may
// contain dots themselves.
func notation(t tftypes.Type, rest string) string {
	if rest == "" {
		return ""
	}
	name, below, _ := strings.Cut(rest, ".")
	switch t := t.(type) {
	case tftypes.Map:
		if t.ElementType.Is(tftypes.String) {
			name, below = rest, ""
		}
		return fmt.Sprintf("[%q]", name) + notation(t.ElementType, below)
	case tftypes.List:
		return "[" + name + "]" + notation(t.ElementType, below)
	case tftypes.Set:
		return "[" + name + "]" + notation(t.ElementType, below)
	case tftypes.Object:
		return "." + name + notation(t.AttributeTypes[name], below)
	}
	return "." + rest
}

// decided leaves out the faults of what is not known yet in value.
func decided(value tftypes.Value, faults target.Faults) target.Faults {
	return slices.DeleteFunc(faults, func(f target.Fault) bool {
		_, v, _ := find(value, f.Path)
		return v.Type() != nil && !v.IsFullyKnown()
	})
}

// find is [faultPath] with the value that is there.
func find(value tftypes.Value, faulty string) (at path.Path, v tftypes.Value, remaining string) {
	name, rest, _ := strings.Cut(faulty, ".")
	p := path.Root(name)
	var root map[string]tftypes.Value
	if value.As(&root) != nil {
		return p, tftypes.Value{}, ""
	}
	return descend(p, root[name], rest)
}

func descend(p path.Path, v tftypes.Value, rest string) (at path.Path, found tftypes.Value, remaining string) {
	if rest == "" || v.Type() == nil || v.IsNull() || !v.IsKnown() {
		return p, v, rest
	}
	switch v.Type().(type) {
	case tftypes.Object:
		name, below, _ := strings.Cut(rest, ".")
		var attributes map[string]tftypes.Value
		if v.As(&attributes) != nil {
			return p, v, rest
		}
		if a, ok := attributes[name]; ok {
			return descend(p.AtName(name), a, below)
		}
	case tftypes.Map:
		var elements map[string]tftypes.Value
		if v.As(&elements) != nil {
			return p, v, rest
		}
		if key, below, ok := longestKey(elements, rest); ok {
			return descend(p.AtMapKey(key), elements[key], below)
		}
	case tftypes.List:
		index, below, _ := strings.Cut(rest, ".")
		var elements []tftypes.Value
		i, err := strconv.Atoi(index)
		if err != nil || v.As(&elements) != nil || i < 0 || i >= len(elements) {
			return p, v, rest
		}
		return descend(p.AtListIndex(i), elements[i], below)
	}
	return p, v, rest
}

// longestKey finds the key that rest begins with. Keys may contain dots themselves.
func longestKey(elements map[string]tftypes.Value, rest string) (key, after string, ok bool) {
	for k := range elements {
		if len(k) < len(key) || ok && len(k) == len(key) {
			continue
		}
		if rest == k {
			key, after, ok = k, "", true
		} else if a, found := strings.CutPrefix(rest, k+"."); found {
			key, after, ok = k, a, true
		}
	}
	return key, after, ok
}
