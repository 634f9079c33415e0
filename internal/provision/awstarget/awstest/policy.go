package awstest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Need is one thing that IAM must allow for a request: an action on a resource, with the keys that
// conditions can be about.
type Need struct {
	Action, Resource string
	Context          map[string][]string
}

func (n Need) String() string {
	return fmt.Sprintf("%s on %s with %v", n.Action, n.Resource, n.Context)
}

// Policies are IAM policies that a role has together.
type Policies []policyStatement

type policyStatement struct {
	Sid, Effect      string
	Action, Resource []string
	Condition        map[string]map[string][]string
}

// ReadPolicies reads documents whose lists are lists always.
func ReadPolicies(documents ...[]byte) (Policies, error) {
	var all Policies
	for _, text := range documents {
		var doc struct{ Statement []policyStatement }
		if err := json.Unmarshal(text, &doc); err != nil {
			return nil, fmt.Errorf("read a policy: %w", err)
		}
		all = append(all, doc.Statement...)
	}
	return all, nil
}

// Allow says whether a statement allows what is needed. The policies deny nothing explicitly (Policy
// evaluation logic).
func (p Policies) Allow(n Need) bool {
	return slices.ContainsFunc(p, func(s policyStatement) bool {
		return s.Effect == "Allow" && likeOne(s.Action, n.Action) && likeOne(s.Resource, n.Resource) && s.holds(n.Context)
	})
}

// Denied lists what is needed and not allowed, each once.
func (p Policies) Denied(needs []Need) []string {
	var denied []string
	for _, n := range needs {
		if text := n.String(); !p.Allow(n) && !slices.Contains(denied, text) {
			denied = append(denied, text)
		}
	}
	slices.Sort(denied)
	return denied
}

// likeOne says whether a value matches one of some patterns.
func likeOne(patterns []string, value string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return like(p, value) })
}

// holds says whether all conditions of a statement are met (IAM JSON policy elements: Condition
// operators). An operator that is not known here is not met.
func (s policyStatement) holds(context map[string][]string) bool {
	for operator, keys := range s.Condition {
		for key, want := range keys {
			if !met(operator, want, context, key) {
				return false
			}
		}
	}
	return true
}

func met(operator string, want []string, context map[string][]string, key string) bool {
	has, there := context[key]
	operator, every := strings.CutPrefix(operator, "ForAllValues:")
	if operator == "Null" {
		return len(want) == 1 && (want[0] == "true") != there
	}
	if !there {
		return every // of none all are
	}
	one := func(v string) bool {
		switch operator {
		case "StringEquals":
			return slices.Contains(want, v)
		case "StringLike", "ArnLike":
			return likeOne(want, v)
		case "Bool":
			return slices.ContainsFunc(want, func(w string) bool { return strings.EqualFold(w, v) })
		}
		return false
	}
	if every {
		return !slices.ContainsFunc(has, func(v string) bool { return !one(v) })
	}
	return len(has) == 1 && one(has[0])
}
