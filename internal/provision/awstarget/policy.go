package awstarget

import (
	"encoding/json"
	"reflect"
)

// policy is an IAM policy document.
type policy struct {
	Version   string
	Statement []statement
}

type statement struct {
	Sid       string                         `json:",omitempty"`
	Effect    string                         `json:",omitempty"`
	Principal any                            `json:",omitempty"` // "*" or a map of lists
	Action    []string                       `json:",omitempty"`
	Resource  []string                       `json:",omitempty"`
	Condition map[string]map[string][]string `json:",omitempty"`
}

// principals are the accounts or services that a statement is about.
type principals map[string][]string

// policyText writes a policy.
func policyText(statements ...statement) (string, error) {
	b, err := json.Marshal(policy{Version: "2012-10-17", Statement: statements})
	return string(b), err
}

// sameJSON compares two texts by what they say. AWS writes a list of one as its element.
func sameJSON(a, b string) bool {
	var x, y any
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		return false
	}
	return reflect.DeepEqual(flat(x), flat(y))
}

// flat replaces lists of one by their element.
func flat(v any) any {
	switch v := v.(type) {
	case []any:
		if len(v) == 1 {
			return flat(v[0])
		}
		out := make([]any, len(v))
		for i := range v {
			out[i] = flat(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k := range v {
			out[k] = flat(v[k])
		}
		return out
	}
	return v
}
