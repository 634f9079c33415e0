package provider_test

import (
	"strings"
	"testing"
)

func aRegion() map[string]any {
	return map[string]any{"name": "eu", "location": "eu-central-1", "jurisdiction": "EU"}
}

func anEnvironment() map[string]any {
	return map[string]any{"region_id": "eu", "name": "production", "kind": "production", "tenancy": "multi_tenant", "deletion_protection": false}
}

func aDatabase() map[string]any {
	return map[string]any{"environment_id": "eu/production", "account": "acme", "deletion_protection": false}
}

func aComponent() map[string]any {
	return map[string]any{
		"command":      []any{"app-{release}", "api"},
		"health_check": map[string]any{"path": "/healthz"},
		"routes":       []any{map[string]any{"path_prefix": "/"}},
	}
}

func aSlot() map[string]any {
	return map[string]any{
		"environment_id": "eu/production", "name": "oms", "release": "1", "deletion_protection": false,
		"components": map[string]any{"api": aComponent()},
		"test_suite": map[string]any{"command": []any{"suite"}},
	}
}

// components is a slot's components with one more or another one.
func components(name string, changes map[string]any) map[string]any {
	return map[string]any{"components": map[string]any{"api": aComponent(), name: with(aComponent(), changes)}}
}

func step(percent, hold int) map[string]any {
	return map[string]any{"percent": percent, "hold_seconds": hold}
}

// guarded is a slot's policy with one guardrail.
func guarded(name string, limit any) map[string]any {
	return map[string]any{"swap": map[string]any{"guardrails": map[string]any{name: limit}}}
}

// scaled is a slot's components with another scaling.
func scaled(changes map[string]any) map[string]any {
	return components("api", map[string]any{"scaling": changes})
}

// weekday is a schedule with changes.
func weekday(changes map[string]any) map[string]any {
	return with(map[string]any{"from": "08:00", "to": "18:00", "min": 1}, changes)
}

// set are values of attributes.
type set = map[string]any

// planned is a resource that the same plan has planned before.
type planned struct {
	kind   string
	config map[string]any
}

// refusal is a change that makes a good configuration a bad one, beside what is planned
// before it, with the attribute and a part of the message of the error.
type refusal struct {
	before   []planned
	change   map[string]any
	at, want string
}

// refused plans each bad configuration.
func refused(t *testing.T, kind string, good map[string]any, cases map[string]refusal) {
	t.Helper()
	l := newWorld(t).lab(nil)
	if p := l.plan(l.nothing(kind), good); p.diags.errors() {
		t.Fatalf("the configuration itself is refused: %s", p.diags)
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			l.configure()
			for _, b := range c.before {
				if p := l.plan(l.nothing(b.kind), b.config); p.diags.errors() {
					t.Fatalf("plan %s: %s", b.kind, p.diags)
				}
			}
			got := l.plan(l.nothing(kind), with(good, c.change)).diags
			got.namesEachAttributeOnce(t)
			if !got.errors() || !strings.Contains(strings.ToLower(got.String()), strings.ToLower(c.want)) || !strings.Contains(got.String(), c.at) {
				t.Errorf("got %s\nwant an error at %s with %q", got, c.at, c.want)
			}
		})
	}
}

func TestDeploymentSlotRefusesWrongValues(t *testing.T) {
	t.Parallel()
	refused(t, "deployment_slot", aSlot(), map[string]refusal{
		"a name that can't be an id":            {nil, set{"name": "OMS"}, `AttributeName("name")`, "contains 'O'"},
		"an environment that is no id":          {nil, set{"environment_id": "production"}, `AttributeName("environment_id")`, "not an environment id"},
		"an empty release":                      {nil, set{"release": ""}, `AttributeName("release")`, "must not be empty"},
		"a release with a slash":                {nil, set{"release": "1/2"}, `AttributeName("release")`, `contains '/'`},
		"a release that is too long":            {nil, set{"release": strings.Repeat("x", 129)}, `AttributeName("release")`, "at most 128"},
		"no components":                         {nil, set{"components": set{}}, `AttributeName("components")`, "at least one component"},
		"no health check anywhere":              {nil, components("api", set{"health_check": nil, "routes": nil}), `AttributeName("components")`, "no component has a health_check"},
		"routes without a health check":         {nil, components("web", set{"health_check": nil, "routes": []any{set{"path_prefix": "/w"}}}), `AttributeName("components").ElementKeyString("web").AttributeName("health_check")`, "has no health_check"},
		"a component's name that is none":       {nil, components("A.B", nil), `AttributeName("components").ElementKeyString("A.B")`, "contains 'A'"},
		"nothing to run":                        {nil, components("api", set{"command": nil}), `AttributeName("components").ElementKeyString("api")`, "nothing to run"},
		"a command without words":               {nil, components("api", set{"command": []any{}}), `AttributeName("command")`, "the list is empty"},
		"a command whose program is empty":      {nil, components("api", set{"command": []any{""}}), `AttributeName("command")`, `first word is ""`},
		"an empty image":                        {nil, components("api", set{"image": ""}), `AttributeName("image")`, `the value is ""`},
		"an image on the local target":          {nil, components("api", set{"image": "x", "command": nil}), `AttributeName("image")`, "remove image"},
		"a program with a relative path":        {nil, components("api", set{"command": []any{"bin/app"}}), `ElementKeyString("api").AttributeName("command").ElementKeyInt(0)`, "relative path"},
		"a suite with a relative path":          {nil, set{"test_suite": set{"command": []any{"./suite"}}}, `AttributeName("test_suite").AttributeName("command").ElementKeyInt(0)`, "relative path"},
		"a secret with a relative path":         {nil, components("api", set{"secrets": set{"A": "secrets/a"}}), `AttributeName("secrets").ElementKeyString("A")`, "relative path"},
		"a port that is none":                   {nil, components("api", set{"port": 70000}), `AttributeName("port")`, "70000 is not a TCP port"},
		"a port of zero":                        {nil, components("api", set{"port": 0}), `AttributeName("port")`, "0 is out of range"},
		"a port of two components":              {nil, set{"components": set{"api": with(aComponent(), set{"port": 80}), "web": with(aComponent(), set{"port": 80, "routes": nil})}}, `ElementKeyString("web").AttributeName("port")`, "is the port of component"},
		"no CPU":                                {nil, components("api", set{"cpu": 0}), `AttributeName("cpu")`, "0 is out of range"},
		"no memory":                             {nil, components("api", set{"memory_mib": 0}), `AttributeName("memory_mib")`, "0 is out of range"},
		"a variable that is none":               {nil, components("api", set{"environment": set{"1A": "x"}}), `AttributeName("environment").ElementKeyString("1A")`, "not a variable name"},
		"a variable of ours":                    {nil, components("api", set{"environment": set{"PORT": "1"}}), `ElementKeyString("PORT")`, "set by Slipway itself"},
		"a secret variable of ours":             {nil, components("api", set{"secrets": set{"SLIPWAY_X": "/x"}}), `AttributeName("secrets").ElementKeyString("SLIPWAY_X")`, "set by Slipway itself"},
		"a secret without a place":              {nil, components("api", set{"secrets": set{"A": ""}}), `ElementKeyString("A")`, "never the value itself"},
		"a variable that is a secret too":       {nil, components("api", set{"secrets": set{"A": "/a"}, "environment": set{"A": "a"}}), `AttributeName("secrets").ElementKeyString("A")`, "in environment too"},
		"no instances":                          {nil, components("api", set{"scaling": set{"min": 0}}), `AttributeName("scaling").AttributeName("min")`, "0 is out of range"},
		"fewer instances at most than at least": {nil, components("api", set{"scaling": set{"min": 3, "max": 2}}), `AttributeName("scaling").AttributeName("max")`, "2 is out of range"},
		"a health check without a slash":        {nil, components("api", set{"health_check": set{"path": "healthz"}}), `AttributeName("health_check").AttributeName("path")`, "is not a path"},
		"a health check that never comes":       {nil, components("api", set{"health_check": set{"path": "/", "interval_seconds": 0}}), `AttributeName("interval_seconds")`, "0 is out of range"},
		"a health check without time":           {nil, components("api", set{"health_check": set{"path": "/", "timeout_seconds": 0}}), `AttributeName("timeout_seconds")`, "0 is out of range"},
		"a health check without passes":         {nil, components("api", set{"health_check": set{"path": "/", "healthy_threshold": 0}}), `AttributeName("healthy_threshold")`, "0 is out of range"},
		"a health check without failures":       {nil, components("api", set{"health_check": set{"path": "/", "unhealthy_threshold": 0}}), `AttributeName("unhealthy_threshold")`, "0 is out of range"},
		"a health check that outlasts a start":  {nil, components("api", set{"health_check": set{"path": "/", "interval_seconds": 300, "healthy_threshold": 20}}), `AttributeName("health_check").AttributeName("healthy_threshold")`, "take 5700 seconds at least, and swap.start_timeout_seconds is 300"},
		"a route with a query":                  {nil, components("api", set{"routes": []any{set{"path_prefix": "/a?b"}}}), `AttributeName("routes").ElementKeyInt(0).AttributeName("path_prefix")`, "is not a path"},
		"a route with a whole host name":        {nil, components("api", set{"routes": []any{set{"host": "a.b"}}}), `AttributeName("host")`, "one label"},
		"a route twice":                         {nil, components("web", nil), `ElementKeyString("web").AttributeName("routes").ElementKeyInt(0)`, "leads to component \"api\" already"},
		"a migration with nothing to run":       {nil, set{"migrate": set{}}, `AttributeName("migrate")`, "nothing to run"},
		"a migration as an image":               {nil, set{"migrate": set{"image": "x"}}, `AttributeName("migrate").AttributeName("image")`, "remove image"},
		"a migration without time":              {nil, set{"migrate": set{"command": []any{"m"}, "timeout_seconds": 0}}, `AttributeName("timeout_seconds")`, "0 is out of range"},
		"no suite":                              {nil, set{"test_suite": nil}, `AttributeName("test_suite")`, "needs a test_suite"},
		"a suite and leave to do without":       {nil, set{"allow_untested": true}, `AttributeName("allow_untested")`, "there is a test_suite"},
		"a suite as an image":                   {nil, set{"test_suite": set{"image": "x"}}, `AttributeName("test_suite").AttributeName("image")`, "remove image"},
		"a suite for nobody":                    {nil, set{"test_suite": set{"command": []any{"s"}, "account": ""}}, `AttributeName("account")`, `the value is ""`},
		"a suite for an account that is none":   {nil, set{"test_suite": set{"command": []any{"s"}, "account": "A"}}, `AttributeName("test_suite").AttributeName("account")`, "contains 'A'"},
		"no time to start":                      {nil, set{"swap": set{"start_timeout_seconds": 0}}, `AttributeName("start_timeout_seconds")`, "0 is out of range"},
		"more time healthy than to start":       {nil, set{"swap": set{"start_timeout_seconds": 5, "minimum_healthy_seconds": 5}}, `AttributeName("minimum_healthy_seconds")`, "not below"},
		"a negative drain":                      {nil, set{"swap": set{"drain_seconds": -1}}, `AttributeName("drain_seconds")`, "-1 is out of range"},
		"a negative window":                     {nil, set{"swap": set{"fallback_window_seconds": -1}}, `AttributeName("fallback_window_seconds")`, "-1 is out of range"},
		"a share of nothing":                    {nil, set{"swap": set{"steps": []any{step(0, 1)}}}, `AttributeName("steps").ElementKeyInt(0).AttributeName("percent")`, "it is missing, or 0: each step needs a share of 1 to 99"},
		"a share of less than nothing":          {nil, set{"swap": set{"steps": []any{step(-1, 1)}}}, `AttributeName("percent")`, "-1 is out of range"},
		"a share of everything":                 {nil, set{"swap": set{"steps": []any{step(100, 1)}}}, `AttributeName("steps").ElementKeyInt(0).AttributeName("percent")`, "follows after the last step by itself"},
		"a share that does not grow":            {nil, set{"swap": set{"steps": []any{step(10, 1), step(10, 1)}}}, `AttributeName("steps").ElementKeyInt(1).AttributeName("percent")`, "not above the step before"},
		"a share of how much":                   {nil, set{"swap": set{"steps": []any{set{}}}}, `AttributeName("steps").ElementKeyInt(0).AttributeName("percent")`, "it is missing"},
		"a share held for less than no time":    {nil, set{"swap": set{"steps": []any{step(10, -1)}}}, `AttributeName("hold_seconds")`, "-1 is out of range"},
		"a side to stick to without steps":      {nil, set{"swap": set{"sticky_by": "client"}}, `AttributeName("sticky_by")`, "no steps"},
		"a side to stick to by nothing":         {nil, set{"swap": set{"sticky_by": "", "steps": []any{step(10, 1)}}}, `AttributeName("sticky_by")`, `the value is ""`},
		"a side to stick to by the weather":     {nil, set{"swap": set{"sticky_by": "weather", "steps": []any{step(10, 1)}}}, `AttributeName("sticky_by")`, `expected one of "account", "client"`},
		"a negative bake":                       {nil, set{"swap": set{"bake_seconds": -1}}, `AttributeName("bake_seconds")`, "-1 is out of range"},
		"an approval by chance":                 {nil, set{"swap": set{"approval": "chance"}}, `AttributeName("approval")`, `expected one of "automatic", "manual"`},
		"no approval at all":                    {nil, set{"swap": set{"approval": ""}}, `AttributeName("approval")`, `the value is ""`},
		"no time to approve":                    {nil, set{"swap": set{"approval": "manual", "approval_timeout_seconds": 0}}, `AttributeName("approval_timeout_seconds")`, "0 would remove the candidate"},
		"too much time to approve":              {nil, set{"swap": set{"approval_timeout_seconds": 1000000}}, `AttributeName("approval_timeout_seconds")`, "out of range"},
		"nothing that waits":                    {nil, set{"swap": set{"waiting_capacity_percent": 0}}, `AttributeName("waiting_capacity_percent")`, "0 is out of range"},
		"more than everything that waits":       {nil, set{"swap": set{"waiting_capacity_percent": 101}}, `AttributeName("waiting_capacity_percent")`, "101 is out of range"},
		"an approved release that is none":      {nil, set{"approved_release": "a b"}, `AttributeName("approved_release")`, "contains"},
		"an approved release without a name":    {nil, set{"approved_release": ""}, `AttributeName("approved_release")`, `the value is ""`},
		"a verdict that is none":                {nil, set{"swap": set{"on_too_few_requests": "wait"}}, `AttributeName("on_too_few_requests")`, `expected one of "promote", "roll_back"`},
		"more errors than requests":             {nil, guarded("max_error_percent", 100.5), `AttributeName("guardrails").AttributeName("max_error_percent")`, "100.5 is out of range"},
		"fewer errors than none":                {nil, guarded("max_error_percent_over_old", -0.1), `AttributeName("guardrails").AttributeName("max_error_percent_over_old")`, "-0.1 is out of range"},
		"no time to answer":                     {nil, guarded("max_p99_milliseconds", 0), `AttributeName("guardrails").AttributeName("max_p99_milliseconds")`, "0 is out of range"},
		"faster than the old stack":             {nil, guarded("max_p99_ratio", 0.5), `AttributeName("guardrails").AttributeName("max_p99_ratio")`, "0.5 is out of range"},
		"a judgement of no requests":            {nil, guarded("minimum_requests", 0), `AttributeName("guardrails").AttributeName("minimum_requests")`, "0 is out of range"},
		"a judgement of no time":                {nil, guarded("window_seconds", 0), `AttributeName("guardrails").AttributeName("window_seconds")`, "0 is out of range"},
		"a judgement of less than no time":      {nil, guarded("window_seconds", -1), `AttributeName("guardrails").AttributeName("window_seconds")`, "-1 is out of range: expected 1 to 604800 seconds"},
		"less than no time to approve":          {nil, set{"swap": set{"approval": "manual", "approval_timeout_seconds": -5}}, `AttributeName("approval_timeout_seconds")`, "-5 is out of range: expected 1 to 604800 seconds"},
		"hours to answer":                       {nil, guarded("max_p99_milliseconds", 1e9), `AttributeName("guardrails").AttributeName("max_p99_milliseconds")`, "1000000000 is out of range: expected 1 to 3600000"},
		"no CPU to keep to":                     {nil, scaled(set{"target_cpu_percent": 0}), `AttributeName("scaling").AttributeName("target_cpu_percent")`, "0 is out of range"},
		"more CPU than there is":                {nil, scaled(set{"target_cpu_percent": 101}), `AttributeName("scaling").AttributeName("target_cpu_percent")`, "101 is out of range"},
		"no requests to keep to":                {nil, scaled(set{"target_concurrent_requests": 0}), `AttributeName("target_concurrent_requests")`, "0 is out of range"},
		"requests to a worker":                  {nil, components("worker", set{"routes": nil, "scaling": set{"max": 2, "target_concurrent_requests": 5}}), `ElementKeyString("worker").AttributeName("scaling").AttributeName("target_concurrent_requests")`, "no requests to count"},
		"a schedule above the most":             {nil, scaled(set{"max": 2, "schedules": []any{weekday(set{"min": 3})}}), `AttributeName("schedules").ElementKeyInt(0).AttributeName("min")`, "1 to max (2)"},
		"a schedule on a day that is none":      {nil, scaled(set{"schedules": []any{weekday(set{"days": []any{"someday"}})}}), `AttributeName("schedules").ElementKeyInt(0).AttributeName("days")`, `schedules[0].days[0]: "someday" is not allowed`},
		"a schedule at no time of day":          {nil, scaled(set{"schedules": []any{weekday(set{"from": "8:00"})}}), `AttributeName("from")`, "not a time of day"},
		"a schedule that ends at no time":       {nil, scaled(set{"schedules": []any{weekday(set{"to": "24:00"})}}), `AttributeName("to")`, "not a time of day"},
		"a schedule that says nothing":          {nil, scaled(set{"schedules": []any{set{}}}), `AttributeName("schedules").ElementKeyInt(0).AttributeName("from")`, "it is missing"},
		"a schedule of no instances":            {nil, scaled(set{"schedules": []any{weekday(set{"min": nil})}}), `AttributeName("schedules").ElementKeyInt(0).AttributeName("min")`, "it is missing"},
		"a schedule in no time zone":            {nil, scaled(set{"schedules": []any{weekday(set{"time_zone": "Europe/Springfield"})}}), `AttributeName("time_zone")`, "no time zone"},
		"no time to stop":                       {nil, components("api", set{"stop_timeout_seconds": 0}), `AttributeName("stop_timeout_seconds")`, "0 is out of range"},
		"too much time to stop":                 {nil, components("api", set{"stop_timeout_seconds": 3601}), `AttributeName("stop_timeout_seconds")`, "3601 is out of range"},
		"a negative retry":                      {nil, set{"retry": -1}, `AttributeName("retry")`, "-1 is out of range"},
		"a tag of AWS's own":                    {nil, set{"tags": set{"aws:x": "y"}}, `AttributeName("tags").ElementKeyString("aws:x")`, `tags["aws:x"]: the key "aws:x" has the prefix "aws:"`},
		"a route that another slot has":         {[]planned{{"deployment_slot", aSlot()}}, set{"name": "other"}, `AttributeName("components").ElementKeyString("api").AttributeName("routes").ElementKeyInt(0)`, `leads to component "api" of slot "eu/production/oms" already`},
		"an id that another resource has":       {[]planned{{"deployment_slot", aSlot()}}, nil, `AttributeName("name")`, "two resources of this configuration"},
	})
}
