//go:build linux

package acceptance

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// attrs are the attributes of a resource in HCL.
type attrs map[string]string

// with replaces attributes; an empty expression leaves one out.
func (a attrs) with(other attrs) attrs {
	out := maps.Clone(a)
	maps.Copy(out, other)
	return out
}

// lines are the attributes that are not empty, in order.
func (a attrs) lines() []string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(a)) {
		if a[k] != "" {
			out = append(out, k+" = "+a[k])
		}
	}
	return out
}

func block(kind, label string, a attrs) string {
	return fmt.Sprintf("resource %q %q {\n  %s\n}\n", "slipway_"+kind, label, strings.Join(a.lines(), "\n  "))
}

// base is the provider block, a region and an environment.
func (m *machine) base(environment attrs) string {
	provider := fmt.Sprintf("terraform {\n  required_providers {\n    slipway = { source = \"slipway-platform/slipway\" }\n  }\n}\nprovider \"slipway\" {\n  local = { data_dir = %q }\n}\n", m.data)
	return provider +
		block("region", "test", attrs{"name": `"eu"`, "location": `"eu-central-1"`, "jurisdiction": `"EU"`}) +
		block("environment", "test", attrs{
			"region_id": "slipway_region.test.id", "name": `"production"`, "kind": `"production"`,
			"tenancy": `"multi_tenant"`, "deletion_protection": "false",
			"network": fmt.Sprintf("{ https_port = %d, preview_port = %d }", m.https, m.preview),
		}.with(environment))
}

// database is an account's database.
func database(account string, a attrs) string {
	return block("account_database", account, attrs{
		"environment_id": "slipway_environment.test.id", "account": fmt.Sprintf("%q", account),
		"connection_limit": "40", "deletion_protection": "false",
	}.with(a))
}

// command is a command of the test application.
func command(words ...string) string {
	all := []string{fmt.Sprintf("%q", built.app), `"app"`}
	for _, w := range words {
		all = append(all, fmt.Sprintf("%q", w))
	}
	return "[" + strings.Join(all, ", ") + "]"
}

const healthCheck = `{ path = "/healthz", interval_seconds = 1, timeout_seconds = 1, healthy_threshold = 1, unhealthy_threshold = 2 }`

// component is one that behaves in a way of the test application.
func component(behaviour string, a attrs) string {
	return "{ " + strings.Join(attrs{
		"command":      command(behaviour, "serve-release", "{release}"),
		"health_check": healthCheck,
		"routes":       `[{ path_prefix = "/" }]`,
	}.with(a).lines(), ", ") + " }"
}

// quick is a swap that waits for nothing it need not wait for.
const quick = `{ start_timeout_seconds = 30, minimum_healthy_seconds = 0, drain_seconds = 10, bake_seconds = 0, fallback_window_seconds = 600 }`

// slot is a deployment slot of one component, "api".
func slot(release string, a attrs) string {
	return block("deployment_slot", "test", attrs{
		"environment_id": "slipway_environment.test.id", "name": `"oms"`, "release": fmt.Sprintf("%q", release),
		"components": "{ api = " + component("ok", nil) + " }", "allow_untested": "true",
		"swap": quick, "deletion_protection": "false",
	}.with(a))
}
