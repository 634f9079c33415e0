package provider_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// wholeSlot sets every attribute of a slot, at values whose neighbours are easily at fault.
func wholeSlot() map[string]any {
	task := map[string]any{
		"command": []any{"m", "{release}"}, "environment": map[string]any{"A": "b"}, "image": nil,
		"secrets": map[string]any{"S": "/s"}, "timeout_seconds": 10,
	}
	return map[string]any{
		"environment_id": "eu/production", "name": "oms", "release": "1", "retry": 1, "allow_untested": false,
		"components": map[string]any{
			"api": map[string]any{
				"command": []any{"a", "b"}, "cpu": 1, "environment": map[string]any{"A": "b"}, "memory_mib": 1, "port": 80,
				"health_check": map[string]any{"path": "/h", "interval_seconds": 1, "timeout_seconds": 1, "healthy_threshold": 1, "unhealthy_threshold": 1},
				"routes":       []any{map[string]any{"host": "console", "path_prefix": "/"}, map[string]any{"path_prefix": "/"}},
				"secrets":      map[string]any{"S": "/s"}, "stop_timeout_seconds": 1,
				"scaling": map[string]any{
					"min": 3, "max": 3, "target_cpu_percent": 1, "target_concurrent_requests": 1,
					"schedules": []any{map[string]any{"days": []any{"mon"}, "from": "08:00", "to": "18:00", "time_zone": "Europe/Berlin", "min": 3}},
				},
			},
			"web": map[string]any{
				"image": "i", "port": 81, "health_check": map[string]any{"path": "/h"},
				"routes": []any{map[string]any{"host": "web", "path_prefix": "/"}},
			},
			"worker": map[string]any{"command": []any{"w"}},
		},
		"migrate": task, "test_suite": with(task, map[string]any{"account": "acme"}), "deletion_protection": true,
		"swap": map[string]any{
			"start_timeout_seconds": 500, "minimum_healthy_seconds": 400, "drain_seconds": 0,
			"fallback_window_seconds": 0, "fallback_until_next_release": true,
			"approval": "manual", "approval_timeout_seconds": 1, "waiting_capacity_percent": 1,
			"steps":     []any{map[string]any{"percent": 1, "hold_seconds": 0}, map[string]any{"percent": 2, "hold_seconds": 1}},
			"sticky_by": "client", "bake_seconds": 0, "on_too_few_requests": "roll_back",
			"guardrails": map[string]any{
				"window_seconds": 1, "minimum_requests": 1, "max_error_percent": 0.0, "max_error_percent_over_old": 0.0,
				"max_p99_milliseconds": 1.0, "max_p99_ratio": 1.0,
			},
		},
		"approved_release": "1",
		"tags":             map[string]any{"a": "b"},
	}
}

func wholeEnvironment() map[string]any {
	return map[string]any{
		"region_id": "eu", "name": "sandbox", "kind": "sandbox", "tenancy": "single_tenant", "account": "acme",
		"domain_name": "x.localhost", "mirrors": "eu/production", "deletion_protection": true,
		"network":  map[string]any{"listen_address": "127.0.0.1", "https_port": 1, "preview_port": 65535},
		"database": map[string]any{"max_connections": 10}, "tags": map[string]any{"a": "b"},
	}
}

func wholeDatabase() map[string]any {
	return map[string]any{
		"environment_id": "eu/production", "account": "acme", "data_residency": []any{"EU"}, "isolation": "cluster",
		"connection_limit": 100, "credential_version": 3, "deletion_protection": true,
	}
}

// TestWhatIsNotKnownYetIsNoFault makes each single value, object and collection of complete
// configurations unknown in turn, alone and with the name, as for_each and count do before there is
// a plan: nothing known is wrong, so nothing may be refused.
func TestWhatIsNotKnownYetIsNoFault(t *testing.T) {
	t.Parallel()
	for kind, config := range map[string]map[string]any{
		"region":           with(aRegion(), map[string]any{"closed": true, "tags": map[string]any{"a": "b"}}),
		"environment":      wholeEnvironment(),
		"account_database": wholeDatabase(),
		"deployment_slot":  wholeSlot(),
	} {
		l := newWorld(t).lab(nil)
		if d := l.validate(kind, config); d.errors() {
			t.Fatalf("%s: the configuration itself is refused: %s", kind, d)
		}
		all := variants(config)
		t.Logf("%s: %d variants", kind, len(all))
		for where, v := range all {
			variant := v.(map[string]any)
			if d := l.validate(kind, variant); len(d) > 0 {
				t.Errorf("%s: with %s unknown: %s", kind, where, d)
			}
			if _, named := variant["name"]; !named {
				continue
			}
			if d := l.validate(kind, with(variant, map[string]any{"name": unknown{}})); len(d) > 0 {
				t.Errorf("%s: with %s and the name unknown: %s", kind, where, d)
			}
		}
	}
}

// variants are all copies of v in which one value at any depth is unknown, by its place.
func variants(v any) map[string]any {
	out := map[string]any{}
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			out[k] = with(v, map[string]any{k: unknown{}})
			for where, inner := range variants(e) {
				out[k+"."+where] = with(v, map[string]any{k: inner})
			}
		}
	case []any:
		for i, e := range v {
			for where, inner := range variants(e) {
				c := slices.Clone(v)
				c[i] = inner
				out[fmt.Sprintf("%d.%s", i, where)] = c
			}
			c := slices.Clone(v)
			c[i] = unknown{}
			out[fmt.Sprint(i)] = c
		}
	}
	return out
}

func TestPlanOfWhatIsNotKnownYetWaitsForTheApply(t *testing.T) {
	t.Parallel()
	l := newWorld(t).lab(nil)
	e := l.plan(l.nothing("environment"), with(anEnvironment(), map[string]any{"name": unknown{}, "deletion_protection": nil, "kind": unknown{}}))
	for _, path := range []string{"id", "domain_name", "network.https_port", "deletion_protection", "url"} {
		if got := at(e.planned, path); got != (unknown{}) {
			t.Errorf("planned %s is %v, want it unknown", path, got)
		}
	}
	s := l.plan(l.nothing("deployment_slot"), with(aSlot(), map[string]any{"environment_id": unknown{}, "deletion_protection": nil}))
	for _, path := range []string{"id", "url", "preview_url", "deletion_protection"} {
		if got := at(s.planned, path); got != (unknown{}) {
			t.Errorf("planned %s is %v, want it unknown", path, got)
		}
	}
	if d := slices.Concat(e.diags, s.diags); len(d) > 0 {
		t.Errorf("got %s", d)
	}
}

func TestProviderThatIsNotFullyKnownWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	known := w.lab(nil)
	region := known.made("region", aRegion())
	environment := known.made("environment", anEnvironment())
	worker := with(aSlot(), map[string]any{"components": map[string]any{"api": with(aComponent(), map[string]any{"routes": []any{}})}})
	slot := known.made("deployment_slot", worker)

	w.VanishInstallation() // nobody may look
	l := w.lab(map[string]any{"local": map[string]any{"data_dir": unknown{}}})
	before := w.Calls()
	another := map[string]string{"region": "name", "environment": "region_id", "deployment_slot": "name"}
	for o, config := range map[*object]map[string]any{&region: aRegion(), &environment: anEnvironment(), &slot: worker} {
		same, d := l.read(*o)
		if len(d) > 0 || !same.state.Equal(o.state) {
			t.Errorf("read %s: %s, or the state changed", o.kind, d)
		}
		p := l.plan(*o, config)
		if len(p.diags) > 0 || !p.planned.Equal(o.state) {
			t.Errorf("plan %s: %s, or there are changes", o.kind, p.diags)
		}
		if p := l.plan(l.nothing(o.kind), with(config, map[string]any{another[o.kind]: "us"})); len(p.diags) > 0 || p.planned.IsNull() {
			t.Errorf("plan a new %s: got %s", o.kind, p.diags)
		}
	}
	if _, d := l.imported("region", "eu", nil); !strings.Contains(d.String(), "not fully known yet") {
		t.Errorf("import: %s", d)
	}
	if _, d := l.apply(l.plan(l.nothing("region"), with(aRegion(), set{"name": "late"}))); !strings.Contains(d.String(), "not fully known yet") {
		t.Errorf("apply: %s", d)
	}
	if n := w.Calls() - before; before == 0 || n != 0 {
		t.Errorf("the target was asked %d times", n)
	}
}
