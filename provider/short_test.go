package provider_test

import (
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/provider"
)

// late is a target that tells three minutes later what was answered.
type late struct{ target.Driver }

func (late) MeteredWithin() time.Duration { return 4 * time.Minute }

func (late) Judged(held time.Duration) time.Duration { return max(0, held-3*time.Minute) }

func TestPlanWarnsOfSharesThatAreOverBeforeTheyCanBeJudged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	driver := provider.WithDriver(func(provider.Settings) (target.Driver, error) { return late{w.Target}, nil })
	l := w.lab(nil, driver)
	swap := func(of set) set { return with(aSlot(), set{"swap": of}) }
	plans := func(config set) diagnostics {
		l.configure()
		return l.plan(l.nothing("deployment_slot"), config).diags
	}
	l.made("region", aRegion())
	l.made("environment", anEnvironment())
	warned(t, plans(aSlot()), `AttributeName("swap")`, "bake_seconds is 10", "Of 181 seconds 1 are judged, of 362 seconds 182")
	short := swap(set{"steps": []any{step(10, 60), step(50, 200)}, "bake_seconds": 300})
	warned(t, plans(short), `AttributeName("swap")`, "steps[0].hold_seconds is 60. Of them")
	for name, config := range map[string]set{
		"long":          swap(set{"bake_seconds": 300}),
		"not watched":   swap(set{"bake_seconds": 0}),
		"no guardrails": swap(set{"guardrails": set{}}),
	} {
		if d := plans(config); len(d) > 0 {
			t.Errorf("%s: %s", name, d)
		}
	}
	// It is said where a swap is planned only.
	o := l.made("deployment_slot", aSlot())
	for name, change := range map[string]set{
		"another protection": {"deletion_protection": true},
		"another policy":     {"swap": set{"bake_seconds": 20}},
		"another scale":      components("api", set{"scaling": set{"min": 2, "max": 3}}),
	} {
		l.configure()
		if d := l.plan(o, with(aSlot(), change)).diags; len(d) > 0 {
			t.Errorf("%s is no swap: %s", name, d)
		}
	}
	for _, change := range []set{{"release": "2"}, components("api", set{"environment": set{"LEVEL": "debug"}})} {
		l.configure()
		warned(t, l.plan(o, with(aSlot(), change)).diags, `AttributeName("swap")`, "bake_seconds is 10")
	}
}
