package provider_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func TestDefaultsOfTheSwapAndOfScaling(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change map[string]any
		want   map[string]any
	}{
		"nothing said": {nil, set{
			"swap.approval": "automatic", "swap.approval_timeout_seconds": 3600, "swap.bake_seconds": 10, "swap.guardrails.max_error_percent": 5,
			"swap.guardrails.max_error_percent_over_old": nil, "swap.guardrails.max_p99_milliseconds": nil, "swap.guardrails.max_p99_ratio": nil,
			"swap.guardrails.minimum_requests": 20, "swap.guardrails.window_seconds": 30, "swap.on_too_few_requests": "promote", "swap.sticky_by": nil,
			"swap.waiting_capacity_percent": 100, "components.api.stop_timeout_seconds": 10, "components.api.scaling.target_cpu_percent": nil,
			"components.api.scaling.target_concurrent_requests": nil, "approved_release": nil,
		}},
		"one guardrail": {guarded("max_p99_milliseconds", 500), set{
			"swap.guardrails.max_p99_milliseconds": 500, "swap.guardrails.max_error_percent": nil,
			"swap.guardrails.minimum_requests": 20, "swap.guardrails.window_seconds": 30, "swap.bake_seconds": 10,
		}},
		"room to scale":                    {scaled(set{"max": 3}), set{"components.api.scaling.target_cpu_percent": 70}},
		"room to scale and nothing more":   {scaled(set{"min": 3, "max": 3}), set{"components.api.scaling.target_cpu_percent": nil}},
		"room to scale and one to follow":  {scaled(set{"max": 3, "target_concurrent_requests": 9}), set{"components.api.scaling.target_cpu_percent": nil, "components.api.scaling.target_concurrent_requests": 9}},
		"room to scale and two to follow":  {scaled(set{"max": 3, "target_concurrent_requests": 9, "target_cpu_percent": 40}), set{"components.api.scaling.target_cpu_percent": 40}},
		"room to scale that is not known":  {scaled(set{"max": unknown{}}), set{"components.api.scaling.target_cpu_percent": unknown{}}},
		"a need to scale that's not known": {scaled(set{"max": 3, "target_concurrent_requests": unknown{}}), set{"components.api.scaling.target_cpu_percent": unknown{}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newWorld(t).lab(nil)
			p := l.plan(l.nothing("deployment_slot"), with(aSlot(), c.change))
			if len(p.diags) > 0 {
				t.Fatal(p.diags)
			}
			for path, want := range c.want {
				if n, ok := want.(int); ok {
					want = float64(n)
				}
				if got := at(p.planned, path); got != want {
					t.Errorf("planned %s is %v, want %v", path, got, want)
				}
			}
		})
	}
}

// TestTheLibraryIsAskedWhatIsConfigured compares what the target was told with what was said.
func TestTheLibraryIsAskedWhatIsConfigured(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.lab(nil)
	l.everything()
	l.configure()
	config := wholeSlot()
	config["components"] = set{"api": with(aComponent(), set{
		"stop_timeout_seconds": 7,
		"scaling": set{
			"min": 1, "max": 4, "target_cpu_percent": 40, "target_concurrent_requests": 9,
			"schedules": []any{set{"days": []any{"mon"}, "from": "08:00", "to": "18:00", "time_zone": "Europe/Berlin", "min": 3}, weekday(nil)},
		},
	})}
	for _, name := range []string{"name", "environment_id", "release", "retry", "migrate", "tags", "allow_untested", "deletion_protection", "test_suite"} {
		delete(config, name)
	}
	config = with(aSlot(), config)
	o, _ := l.imported("deployment_slot", "eu/production/oms", nil)
	l.apply(l.plan(o, config)) // whatever comes of it
	asked := w.slot().Record.Asked
	want := target.Policy{
		StartTimeoutSeconds: 500, MinimumHealthySeconds: 400, FallbackUntilNextRelease: true,
		Approval: target.ApprovalManual, ApprovalTimeoutSeconds: 1, WaitingCapacityPercent: 1,
		Steps: []target.TrafficStep{{Percent: 1}, {Percent: 2, HoldSeconds: 1}}, StickyBy: target.StickyByClient,
		Guardrails:       target.Guardrails{WindowSeconds: 1, MinimumRequests: 1, MaxErrorPercent: new(0.0), MaxErrorPercentOverOld: new(0.0), MaxP99Milliseconds: new(1.0), MaxP99Ratio: new(1.0)},
		OnTooFewRequests: target.VerdictRollBack,
	}
	if !target.Same(asked.Policy, want) {
		t.Errorf("asked policy %+v, want %+v", asked.Policy, want)
	}
	scaling := target.Scaling{Min: 1, Max: 4, TargetCPUPercent: 40, TargetConcurrentRequests: 9, Schedules: []target.Schedule{
		{Days: []string{"mon"}, From: "08:00", To: "18:00", TimeZone: "Europe/Berlin", Min: 3}, {From: "08:00", To: "18:00", TimeZone: "UTC", Min: 1},
	}}
	if api := asked.Definition.Components["api"]; !target.Same(api.Scaling, scaling) || api.StopTimeoutSeconds != 7 || asked.ApprovedRelease != "1" {
		t.Errorf("asked component %+v, approved %q", api, asked.ApprovedRelease)
	}
}

// TestStateOfTheVersionBeforeLoads takes away what the version before did not know from the
// state and from what the target remembers: there is nothing to change then.
func TestStateOfTheVersionBeforeLoads(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.lab(nil)
	o := l.everything()["deployment_slot"]
	p := w.slot().Record.Asked.Policy
	w.remember(func(r *target.SlotRecord) {
		r.Asked.Policy = target.Policy{
			StartTimeoutSeconds: p.StartTimeoutSeconds, MinimumHealthySeconds: p.MinimumHealthySeconds,
			DrainSeconds: p.DrainSeconds, FallbackWindowSeconds: p.FallbackWindowSeconds,
		}
	})
	state := plain(o.state).(map[string]any)
	for _, path := range [][]string{
		{"approved_release"}, {"last_swap", "id"}, {"last_swap", "approved_at"}, {"last_swap", "approved_by"},
		{"components", "api", "stop_timeout_seconds"}, {"components", "api", "scaling", "schedules"}, {"components", "api", "scaling", "target_cpu_percent"},
		{"components", "api", "scaling", "target_concurrent_requests"},
		{"swap", "approval"}, {"swap", "approval_timeout_seconds"}, {"swap", "bake_seconds"}, {"swap", "guardrails"}, {"swap", "on_too_few_requests"},
		{"swap", "steps"}, {"swap", "sticky_by"}, {"swap", "waiting_capacity_percent"},
	} {
		object := state
		for _, name := range path[:len(path)-1] {
			object = object[name].(map[string]any)
		}
		if _, there := object[path[len(path)-1]]; !there {
			t.Errorf("there is no %v", path)
		}
		delete(object, path[len(path)-1])
	}
	b, err := json.Marshal(state)
	l.ok(err)
	resp, err := l.server.UpgradeResourceState(t.Context(), &tfprotov6.UpgradeResourceStateRequest{
		TypeName: "slipway_deployment_slot", RawState: &tfprotov6.RawState{JSON: b},
	})
	l.ok(err)
	if d := diagnostics(resp.Diagnostics); len(d) > 0 {
		t.Fatal(d)
	}
	old := o
	old.state = l.decode(resp.UpgradedState, l.kind("deployment_slot").ValueType())
	if got := at(old.state, "swap.bake_seconds"); got != nil {
		t.Fatalf("the state of the version before has bake_seconds %v", got)
	}
	l.empty(old, aSlot())
	l.configure()
	if p := l.plan(old, aSlot()); len(p.diags) > 0 || at(p.planned, "swap.bake_seconds") != 10.0 {
		t.Errorf("without a refresh bake_seconds is planned as %v: %s", at(p.planned, "swap.bake_seconds"), p.diags)
	}
	if got := fmt.Sprint(w.ServedLog(oms)); got != "[1]" {
		t.Errorf("served %s, want [1]", got)
	}
}

// remember changes what the target remembers of the slot, as an operator's command might.
func (w *world) remember(change func(*target.SlotRecord)) {
	w.t.Helper()
	rec := w.slot().Record
	change(&rec)
	w.leased(func(l target.Lease) error {
		_, err := w.PutSlot(w.t.Context(), rec, l)
		return err
	})
}

// plain turns a value into what encoding/json writes as Terraform's state.
func plain(v tftypes.Value) any {
	switch {
	case v.IsNull() || !v.IsKnown():
		return nil
	case v.Type().Is(tftypes.Object{}), v.Type().Is(tftypes.Map{}):
		out := map[string]any{}
		for name, p := range parts(v) {
			out[name] = plain(p)
		}
		return out
	case v.Type().Is(tftypes.List{}), v.Type().Is(tftypes.Set{}):
		var elements []tftypes.Value
		if err := v.As(&elements); err != nil {
			panic(err)
		}
		out := []any{}
		for _, e := range elements {
			out = append(out, plain(e))
		}
		return out
	}
	return native(v)
}
