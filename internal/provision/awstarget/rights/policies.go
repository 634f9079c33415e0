package rights

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Policy is an IAM policy with the name of its file.
type Policy struct {
	// File is such as "plan.json".
	File string
	JSON []byte
}

// Policies are what a role needs: for a plan the first of them, for an apply all. One would be
// longer than a managed policy may be.
func Policies() ([]Policy, error) {
	rights := map[string]map[*scope][]string{} // actions by file
	for _, call := range sorted(calls) {
		for _, g := range calls[call] {
			action := g.action
			if action == "" {
				action = actionOf(call)
			}
			file := planFile
			if !g.planned && !reads(call) {
				file = fileOf(action)
			}
			if rights[file] == nil {
				rights[file] = map[*scope][]string{}
			}
			rights[file][g.scope] = append(rights[file][g.scope], action)
		}
	}
	var out []Policy
	for _, file := range []string{planFile, networkFile, dataFile, stacksFile} {
		text, err := document(rights[file])
		if err != nil {
			return nil, fmt.Errorf("write policy %q: %w", file, err)
		}
		out = append(out, Policy{file, text})
	}
	return out, nil
}

// Files of the policies.
const (
	planFile    = "plan.json"
	networkFile = "apply-network.json"
	dataFile    = "apply-data.json"
	stacksFile  = "apply-stacks.json"
)

// Covers says whether a call is in the table, and whether a plan may make it.
func Covers(service, operation string) (covered, planned bool) {
	call := service + "." + operation
	grants, covered := calls[call]
	return covered, reads(call) || slices.ContainsFunc(grants, func(g grant) bool { return g.planned })
}

// reads says whether a call changes nothing, and shows nothing that people keep: who reads a secret
// has what it opens, and logs hold what customers do.
func reads(call string) bool {
	service, operation, _ := strings.Cut(call, ".")
	for _, prefix := range []string{"Describe", "Get", "List", "Head", "Query", "BatchGetItem"} {
		if strings.HasPrefix(operation, prefix) {
			return (service != "secretsmanager" || !strings.Contains(operation, "SecretValue")) && operation != "GetLogEvents"
		}
	}
	return false
}

// prefixes are those of the actions of services whose packages have other names in the SDK.
var prefixes = map[string]string{
	"applicationautoscaling": "application-autoscaling",
	"cloudwatchlogs":         "logs",
	"elasticloadbalancingv2": "elasticloadbalancing",
	"rdsdata":                "rds-data",
}

// actionOf is the action of a call's own name.
func actionOf(call string) string {
	service, operation, _ := strings.Cut(call, ".")
	if p, ok := prefixes[service]; ok {
		service = p
	}
	return service + ":" + operation
}

// fileOf is the policy for an action that changes something.
func fileOf(action string) string {
	switch service, _, _ := strings.Cut(action, ":"); service {
	case "acm", "ec2", "elasticloadbalancing", "route53":
		return networkFile
	case "dynamodb", "kms", "rds", "rds-data", "s3", "secretsmanager":
		return dataFile
	}
	return stacksFile
}

// statement and the document that it is in have the fields of IAM in the order that people
// read them in.
type statement struct {
	Sid       string
	Effect    string
	Action    []string
	Resource  []string
	Condition condition `json:",omitempty"`
}

func document(rights map[*scope][]string) ([]byte, error) {
	doc := struct {
		Version   string
		Statement []statement
	}{Version: "2012-10-17"}
	for s, actions := range rights {
		slices.Sort(actions)
		doc.Statement = append(doc.Statement, statement{s.sid, "Allow", slices.Compact(actions), s.resources, s.condition})
	}
	slices.SortFunc(doc.Statement, func(a, b statement) int { return strings.Compare(a.Sid, b.Sid) })
	text, err := json.MarshalIndent(doc, "", "  ")
	return append(text, '\n'), err
}

func sorted(m map[string][]grant) []string {
	names := make([]string, 0, len(m))
	for n := range m {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}
