package awstest

import (
	"fmt"
	"strings"
)

// parameter is a named parameter of a statement.
type parameter struct {
	Name  string `json:"name"`
	Value struct {
		IsNull  *bool    `json:"isNull"`
		Boolean *bool    `json:"booleanValue"`
		Long    *int64   `json:"longValue"`
		Double  *float64 `json:"doubleValue"`
		String  *string  `json:"stringValue"`
	} `json:"value"`
}

func (p parameter) value() (any, error) {
	switch v := p.Value; {
	case v.IsNull != nil && *v.IsNull:
		return nil, nil
	case v.Boolean != nil:
		return *v.Boolean, nil
	case v.Long != nil:
		return *v.Long, nil
	case v.Double != nil:
		return *v.Double, nil
	case v.String != nil:
		return *v.String, nil
	}
	return nil, badRequest("parameter %q has no value that is supported", p.Name)
}

// positional replaces :name by $1, $2 …, outside of texts and quoted names. A cast, ::, is no
// parameter.
func positional(sql string, parameters []parameter) (string, []any, error) {
	values := map[string]any{}
	for _, p := range parameters {
		v, err := p.value()
		if err != nil {
			return "", nil, err
		}
		values[p.Name] = v
	}
	var out strings.Builder
	var args []any
	place := map[string]int{}
	for i := 0; i < len(sql); {
		switch c := sql[i]; {
		case c == '\'' || c == '"':
			end := i + 1
			for end < len(sql) && sql[end] != c {
				end++
			}
			end = min(end+1, len(sql))
			out.WriteString(sql[i:end])
			i = end
		case strings.HasPrefix(sql[i:], "::"):
			out.WriteString("::")
			i += 2
		case c == ':':
			end := i + 1
			for end < len(sql) && isName(sql[end]) {
				end++
			}
			name := sql[i+1 : end]
			v, ok := values[name]
			if !ok {
				return "", nil, badRequest("Cannot find parameter: %s", name)
			}
			if place[name] == 0 {
				args = append(args, v)
				place[name] = len(args)
			}
			fmt.Fprintf(&out, "$%d", place[name])
			i = end
		default:
			out.WriteByte(c)
			i++
		}
	}
	return out.String(), args, nil
}

func isName(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
