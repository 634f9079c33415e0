package provider_test

import "testing"

func TestPlanWarnsOfTimeLimitsThatATimeIsLongerThan(t *testing.T) {
	t.Parallel()
	l := newWorld(t).lab(nil)
	swap := func(of set, limits set) set { return with(aSlot(), set{"swap": of, "timeouts": limits}) }
	l.made("region", aRegion())
	l.made("environment", anEnvironment())
	steps := set{"steps": []any{step(10, 1200), step(50, 1800)}, "bake_seconds": 590, "minimum_healthy_seconds": 9}
	drain := set{"drain_seconds": 900}
	plans := func(o object, config set) diagnostics {
		l.configure()
		return l.plan(o, config).diags
	}
	none := l.nothing("deployment_slot")
	warned(t, plans(none, swap(set{"bake_seconds": 3600}, nil)), `AttributeName("swap")`, "swap.bake_seconds is 3600", "timeouts.create is 1h0m0s", "Raise timeouts.create")
	warned(t, plans(none, swap(drain, nil)), `AttributeName("swap")`, "takes 15m10s (swap.drain_seconds is 900, the longest stop_timeout_seconds is 10)", "timeouts.delete is 15m0s")
	for name, config := range map[string]set{
		"steps, which a first deployment does not take": swap(steps, nil),
		"time enough": swap(with(steps, set{"bake_seconds": 3600, "drain_seconds": 900}), set{"create": "2h", "delete": "1h"}),
	} {
		if d := plans(none, config); len(d) > 0 {
			t.Errorf("%s: %s", name, d)
		}
	}
	o := l.made("deployment_slot", aSlot())
	next := with(swap(steps, nil), set{"release": "2"})
	if d := plans(o, next); len(d) > 0 { // 3599 seconds
		t.Errorf("just time enough: %s", d)
	}
	next["swap"] = with(steps, set{"minimum_healthy_seconds": 10})
	warned(t, plans(o, next), `AttributeName("swap")`, "takes 1h0m0s", "swap.steps[1].hold_seconds is 1800", "timeouts.update is 1h0m0s")
	next["swap"] = with(steps, set{"minimum_healthy_seconds": 10, "approval": "manual"})
	if d := plans(o, next); len(d) > 0 {
		t.Errorf("what is waited for in another apply counts: %s", d)
	}
	// Without a swap only what a removal takes is new.
	if d := plans(o, swap(with(steps, set{"minimum_healthy_seconds": 10}), nil)); len(d) > 0 {
		t.Errorf("without a swap: %s", d)
	}
	warned(t, plans(o, swap(drain, nil)), `AttributeName("swap")`, "timeouts.delete is 15m0s")
}
