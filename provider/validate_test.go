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

func TestEveryFieldOfASlotRefusesWrongValues(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 129)
	l := newWorld(t).lab(nil)
	for name, c := range map[string]struct {
		change   map[string]any
		at, want string
	}{
		"a name that can't be an id":            {map[string]any{"name": "OMS"}, `AttributeName("name")`, "contains 'O'"},
		"an environment that is no id":          {map[string]any{"environment_id": "production"}, `AttributeName("environment_id")`, "not an environment id"},
		"an empty release":                      {map[string]any{"release": ""}, `AttributeName("release")`, "must not be empty"},
		"a release with a slash":                {map[string]any{"release": "1/2"}, `AttributeName("release")`, `contains '/'`},
		"a release that is too long":            {map[string]any{"release": long}, `AttributeName("release")`, "at most 128"},
		"no components":                         {map[string]any{"components": map[string]any{}}, `AttributeName("components")`, "at least one component"},
		"no health check anywhere":              {components("api", map[string]any{"health_check": nil, "routes": nil}), `AttributeName("components")`, "no component has a health_check"},
		"routes without a health check":         {components("web", map[string]any{"health_check": nil, "routes": []any{map[string]any{"path_prefix": "/w"}}}), `AttributeName("components").ElementKeyString("web").AttributeName("health_check")`, "has no health_check"},
		"a component's name that is none":       {components("A.B", nil), `AttributeName("components").ElementKeyString("A.B")`, "contains 'A'"},
		"nothing to run":                        {components("api", map[string]any{"command": nil}), `AttributeName("components").ElementKeyString("api")`, "nothing to run"},
		"a command without words":               {components("api", map[string]any{"command": []any{}}), `AttributeName("command")`, "at least 1"},
		"a command whose program is empty":      {components("api", map[string]any{"command": []any{""}}), `AttributeName("command")`, "first word is empty"},
		"an empty image":                        {components("api", map[string]any{"image": ""}), `AttributeName("image")`, "at least 1"},
		"an image on the local target":          {components("api", map[string]any{"image": "x", "command": nil}), `AttributeName("image")`, "remove image"},
		"a port that is none":                   {components("api", map[string]any{"port": 70000}), `AttributeName("port")`, "70000 is not a TCP port"},
		"a port of zero":                        {components("api", map[string]any{"port": 0}), `AttributeName("port")`, "at least 1"},
		"a port of two components":              {map[string]any{"components": map[string]any{"api": with(aComponent(), map[string]any{"port": 80}), "web": with(aComponent(), map[string]any{"port": 80, "routes": nil})}}, `ElementKeyString("web").AttributeName("port")`, "is the port of component"},
		"no CPU":                                {components("api", map[string]any{"cpu": 0}), `AttributeName("cpu")`, "at least 1"},
		"no memory":                             {components("api", map[string]any{"memory_mib": 0}), `AttributeName("memory_mib")`, "at least 1"},
		"a variable that is none":               {components("api", map[string]any{"environment": map[string]any{"1A": "x"}}), `AttributeName("environment").ElementKeyString("1A")`, "not a variable name"},
		"a variable of ours":                    {components("api", map[string]any{"environment": map[string]any{"PORT": "1"}}), `ElementKeyString("PORT")`, "set by Slipway itself"},
		"a secret variable of ours":             {components("api", map[string]any{"secrets": map[string]any{"SLIPWAY_X": "/x"}}), `AttributeName("secrets").ElementKeyString("SLIPWAY_X")`, "set by Slipway itself"},
		"a secret without a place":              {components("api", map[string]any{"secrets": map[string]any{"A": ""}}), `ElementKeyString("A")`, "never the value itself"},
		"a variable that is a secret too":       {components("api", map[string]any{"secrets": map[string]any{"A": "/a"}, "environment": map[string]any{"A": "a"}}), `AttributeName("secrets").ElementKeyString("A")`, "in environment too"},
		"no instances":                          {components("api", map[string]any{"scaling": map[string]any{"min": 0}}), `AttributeName("scaling").AttributeName("min")`, "0 is out of range"},
		"fewer instances at most than at least": {components("api", map[string]any{"scaling": map[string]any{"min": 3, "max": 2}}), `AttributeName("scaling").AttributeName("max")`, "2 is out of range"},
		"a health check without a slash":        {components("api", map[string]any{"health_check": map[string]any{"path": "healthz"}}), `AttributeName("health_check").AttributeName("path")`, "is not a path"},
		"a health check that never comes":       {components("api", map[string]any{"health_check": map[string]any{"path": "/", "interval_seconds": 0}}), `AttributeName("interval_seconds")`, "0 is out of range"},
		"a health check without time":           {components("api", map[string]any{"health_check": map[string]any{"path": "/", "timeout_seconds": 0}}), `AttributeName("timeout_seconds")`, "0 is out of range"},
		"a health check without passes":         {components("api", map[string]any{"health_check": map[string]any{"path": "/", "healthy_threshold": 0}}), `AttributeName("healthy_threshold")`, "0 is out of range"},
		"a health check without failures":       {components("api", map[string]any{"health_check": map[string]any{"path": "/", "unhealthy_threshold": 0}}), `AttributeName("unhealthy_threshold")`, "0 is out of range"},
		"a route with a query":                  {components("api", map[string]any{"routes": []any{map[string]any{"path_prefix": "/a?b"}}}), `AttributeName("routes").ElementKeyInt(0).AttributeName("path_prefix")`, "is not a path"},
		"a route with a whole host name":        {components("api", map[string]any{"routes": []any{map[string]any{"host": "a.b"}}}), `AttributeName("host")`, "one label"},
		"a route twice":                         {components("web", nil), `ElementKeyString("web").AttributeName("routes").ElementKeyInt(0)`, "leads to component \"api\" already"},
		"a migration with nothing to run":       {map[string]any{"migrate": map[string]any{}}, `AttributeName("migrate")`, "nothing to run"},
		"a migration as an image":               {map[string]any{"migrate": map[string]any{"image": "x"}}, `AttributeName("migrate").AttributeName("image")`, "remove image"},
		"a migration without time":              {map[string]any{"migrate": map[string]any{"command": []any{"m"}, "timeout_seconds": 0}}, `AttributeName("timeout_seconds")`, "0 is out of range"},
		"no suite":                              {map[string]any{"test_suite": nil}, `AttributeName("test_suite")`, "needs a test_suite"},
		"a suite and leave to do without":       {map[string]any{"allow_untested": true}, `AttributeName("allow_untested")`, "there is a test_suite"},
		"a suite as an image":                   {map[string]any{"test_suite": map[string]any{"image": "x"}}, `AttributeName("test_suite").AttributeName("image")`, "remove image"},
		"a suite for nobody":                    {map[string]any{"test_suite": map[string]any{"command": []any{"s"}, "account": ""}}, `AttributeName("account")`, "at least 1"},
		"a suite for an account that is none":   {map[string]any{"test_suite": map[string]any{"command": []any{"s"}, "account": "A"}}, `AttributeName("test_suite").AttributeName("account")`, "contains 'A'"},
		"no time to start":                      {map[string]any{"swap": map[string]any{"start_timeout_seconds": 0}}, `AttributeName("start_timeout_seconds")`, "0 is out of range"},
		"more time healthy than to start":       {map[string]any{"swap": map[string]any{"start_timeout_seconds": 5, "minimum_healthy_seconds": 5}}, `AttributeName("minimum_healthy_seconds")`, "not below"},
		"a negative drain":                      {map[string]any{"swap": map[string]any{"drain_seconds": -1}}, `AttributeName("drain_seconds")`, "-1 is out of range"},
		"a negative window":                     {map[string]any{"swap": map[string]any{"fallback_window_seconds": -1}}, `AttributeName("fallback_window_seconds")`, "-1 is out of range"},
		"a negative retry":                      {map[string]any{"retry": -1}, `AttributeName("retry")`, "-1 is out of range"},
		"a tag of AWS's own":                    {map[string]any{"tags": map[string]any{"aws:x": "y"}}, `AttributeName("tags").ElementKeyString("aws:x")`, `no prefix "aws:"`},
	} {
		t.Run(name, func(t *testing.T) {
			p := l.plan(l.nothing("deployment_slot"), with(aSlot(), c.change))
			got := strings.ToLower(p.diags.String())
			if !p.diags.errors() || !strings.Contains(got, strings.ToLower(c.want)) || !strings.Contains(p.diags.String(), c.at) {
				t.Errorf("got %s\nwant an error at %s with %q", p.diags, c.at, c.want)
			}
		})
	}
}
