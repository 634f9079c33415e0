package provider_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// namesEachAttributeOnce demands of every error that it is about an attribute, names it in its
// text (a line of the configuration may show a variable only), and is the only one there.
func (d diagnostics) namesEachAttributeOnce(t *testing.T) {
	t.Helper()
	seen := map[string]bool{}
	for _, x := range d {
		if x.Severity != tfprotov6.DiagnosticSeverityError {
			continue
		}
		if x.Attribute == nil {
			t.Errorf("an error names no attribute: %s: %s", x.Summary, x.Detail)
			continue
		}
		at := x.Attribute.String()
		if seen[at] {
			t.Errorf("more than one error at %s:\n%s", at, d)
		}
		seen[at] = true
		if !strings.Contains(x.Summary+x.Detail, lastName(x.Attribute)) {
			t.Errorf("the error at %s does not name it: %s: %s", at, x.Summary, x.Detail)
		}
		if blamesProvider.MatchString(x.Detail) {
			t.Errorf("the error at %s blames the provider: %s", at, x.Detail)
		}
	}
}

var blamesProvider = regexp.MustCompile(`error in the provider|provider developer`)

func lastName(p *tftypes.AttributePath) string {
	steps := p.Steps()
	for i := len(steps) - 1; i >= 0; i-- {
		if name, ok := steps[i].(tftypes.AttributeName); ok {
			return string(name)
		}
	}
	return p.String()
}

// TestWrongValuesAreRefusedOnceByName puts wrong values in the place of each number, text and
// element of complete configurations.
func TestWrongValuesAreRefusedOnceByName(t *testing.T) {
	t.Parallel()
	for kind, config := range map[string]map[string]any{
		"region":           with(aRegion(), map[string]any{"closed": true, "tags": map[string]any{"a": "b"}, "timeouts": map[string]any{"create": "1m", "delete": "1m"}}),
		"environment":      with(wholeEnvironment(), map[string]any{"timeouts": map[string]any{"read": "1m", "update": "1m"}}),
		"account_database": wholeDatabase(),
		"deployment_slot":  wholeSlot(),
	} {
		l := newWorld(t).lab(nil)
		for where, v := range mutations(config, wrong) {
			said := l.validate(kind, v.(map[string]any))
			said.namesEachAttributeOnce(t)
			if len(said) != 1 {
				t.Errorf("%s: with %s there are %d diagnostics, want 1:\n%s", kind, where, len(said), said)
			}
		}
	}
}

// wrong are values that are wrong in the place of v, by their names.
func wrong(v any, element bool) map[string]any {
	out := map[string]any{}
	if element {
		out["null"] = nil
	}
	if _, ok := v.(int); ok {
		out["a fraction"], out["too much to count"], out["a negative number"] = 1.5, 1e30, -1
	}
	if _, ok := v.(float64); ok {
		out["too much"], out["a negative number"] = 1e30, -1
	}
	return out
}

// mutations are all copies of v in which one value at any depth is replaced by one of what
// replace returns for it, by place and name. Element says that it stands in a list or a map
// with keys of the user's.
func mutations(v any, replace func(v any, element bool) map[string]any) map[string]any {
	out := map[string]any{}
	put := func(key string, e any, element bool, set func(any) any) {
		for name, w := range replace(e, element) {
			out[key+" = "+name] = set(w)
		}
		for where, inner := range mutations(e, replace) {
			out[key+"."+where] = set(inner)
		}
	}
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			put(k, e, usersKeys[k], func(w any) any { return with(v, map[string]any{k: w}) })
		}
	case []any:
		for i, e := range v {
			put(fmt.Sprint(i), e, true, func(w any) any {
				c := append([]any(nil), v...)
				c[i] = w
				return c
			})
		}
	}
	return out
}

// usersKeys are the keys in complete configurations that are the user's own.
var usersKeys = map[string]bool{"a": true, "A": true, "S": true, "api": true, "web": true, "worker": true}
