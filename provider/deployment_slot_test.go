package provider_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/memtarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

const slotAddress = "slipway_deployment_slot.test"

// repairsSlot checks the plan of a slot that somebody has changed: it says what differs, and leaves known what
// serves and what the last swap was.
func repairsSlot(drift, release, phase string, more ...plancheck.PlanCheck) resource.ConfigPlanChecks {
	return resource.ConfigPlanChecks{PreApply: append([]plancheck.PlanCheck{
		plancheck.ExpectResourceAction(slotAddress, plancheck.ResourceActionUpdate),
		drifted{slotAddress, drift},
		plancheck.ExpectUnknownValue(slotAddress, path("drift")),
		plancheck.ExpectKnownValue(slotAddress, path("candidate"), knownvalue.Null()),
		plancheck.ExpectKnownValue(slotAddress, path("last_swap"), knownvalue.NotNull()),
		plancheck.ExpectKnownValue(slotAddress, path("live").AtMapKey("release"), knownvalue.StringExact(release)),
		plancheck.ExpectKnownValue(slotAddress, path("phase"), knownvalue.StringExact(phase)),
	}, more...)}
}

// drifted checks that the refresh of a plan found that a resource differs, in these words.
type drifted struct{ address, want string }

func (d drifted) CheckPlan(_ context.Context, req plancheck.CheckPlanRequest, resp *plancheck.CheckPlanResponse) {
	for _, c := range req.Plan.ResourceChanges {
		before, ok := c.Change.Before.(map[string]any)
		if ok && c.Address == d.address && strings.Contains(fmt.Sprint(before["drift"]), d.want) {
			return
		}
	}
	resp.Error = fmt.Errorf("%q is not in the drift of %s", d.want, d.address)
}

func TestAccDeploymentSlot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	url := fmt.Sprintf("https://production.eu.localhost:%d", production.DefaultHTTPSPort())
	second := platformWithSlot(attrs{
		"release": `"2"`,
		"components": `{
    api = {
      command      = ["app-{release}", "api"]
      environment  = { LOG_LEVEL = "info" }
      secrets      = { API_KEY = "/run/secrets/api" }
      scaling      = { min = 2, max = 3, schedules = [{ from = "08:00", to = "18:00", min = 3 }, { days = ["sat", "mon"], from = "22:00", to = "02:00", min = 2, time_zone = "Europe/Berlin" }] }
      health_check = { path = "/healthz", interval_seconds = 1 }
      routes       = [{ path_prefix = "/api" }, { host = "console" }]
    }
    worker = { command = ["app-{release}", "worker"] }
  }`,
		"migrate":    `{ command = ["migrate-{release}"], timeout_seconds = 60 }`,
		"test_suite": `{ command = ["suite"], environment = { A = "b" }, secrets = { S = "/run/secrets/s" } }`,
		"swap":       `{ drain_seconds = 10, guardrails = { max_error_percent = 0.1, max_p99_ratio = 1.3 } }`,
		"tags":       `{ team = "platform" }`,
	})
	w.run(
		resource.TestStep{
			Config: platformWithSlot(attrs{"deletion_protection": ""}),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectUnknownValue(slotAddress, path("live")),
			}},
			Check: resource.ComposeAggregateTestCheckFunc(
				resource.TestCheckResourceAttr(slotAddress, "id", "eu/production/oms"),
				resource.TestCheckResourceAttr(slotAddress, "url", url),
				resource.TestCheckResourceAttr(slotAddress, "phase", "live"),
				resource.TestCheckResourceAttr(slotAddress, "live.release", "1"),
				resource.TestCheckResourceAttr(slotAddress, "last_swap.release", "1"),
				resource.TestCheckResourceAttr(slotAddress, "deletion_protection", "true"),
				resource.TestCheckResourceAttr(slotAddress, "allow_untested", "false"),
				resource.TestCheckResourceAttr(slotAddress, "retry", "0"),
				resource.TestCheckResourceAttr(slotAddress, "swap.fallback_window_seconds", "1800"),
				resource.TestCheckResourceAttr(slotAddress, "components.api.scaling.max", "1"),
				resource.TestCheckResourceAttr(slotAddress, "components.api.health_check.interval_seconds", "2"),
				resource.TestCheckNoResourceAttr(slotAddress, "fallback.release"),
				resource.TestCheckNoResourceAttr(slotAddress, "candidate.release"),
			),
		},
		imported(slotAddress, "eu/production/oms"),
		resource.TestStep{
			Config: second,
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction(slotAddress, plancheck.ResourceActionUpdate),
			}},
			Check: resource.ComposeAggregateTestCheckFunc(
				resource.TestCheckResourceAttr(slotAddress, "live.release", "2"),
				resource.TestCheckResourceAttr(slotAddress, "fallback.release", "1"),
				resource.TestCheckResourceAttrSet(slotAddress, "fallback.retire_at"),
				resource.TestCheckResourceAttr(slotAddress, "last_swap.from_release", "1"),
				resource.TestCheckResourceAttr(slotAddress, "components.api.scaling.max", "3"),
				resource.TestCheckResourceAttr(slotAddress, "components.api.scaling.target_cpu_percent", "70"),
				resource.TestCheckResourceAttr(slotAddress, "components.api.scaling.schedules.0.time_zone", "UTC"),
				resource.TestCheckNoResourceAttr(slotAddress, "components.worker.scaling.target_cpu_percent"),
				resource.TestCheckResourceAttr(slotAddress, "components.api.routes.1.path_prefix", "/"),
				resource.TestCheckResourceAttr(slotAddress, "components.api.health_check.interval_seconds", "1"),
				resource.TestCheckResourceAttr(slotAddress, "components.worker.scaling.min", "1"),
				resource.TestCheckResourceAttr(slotAddress, "migrate.timeout_seconds", "60"),
				resource.TestCheckResourceAttr(slotAddress, "swap.drain_seconds", "10"),
				resource.TestCheckResourceAttr(slotAddress, "swap.minimum_healthy_seconds", "5"),
				resource.TestCheckResourceAttr(slotAddress, "swap.guardrails.max_error_percent", "0.1"),
				resource.TestCheckResourceAttr(slotAddress, "swap.guardrails.window_seconds", "30"),
				resource.TestCheckNoResourceAttr(slotAddress, "swap.guardrails.max_p99_milliseconds"),
			),
		},
		imported(slotAddress, "eu/production/oms"),
		emptyPlan(second),
		resource.TestStep{
			PreConfig:        func() { w.DriftStack(oms, target.Blue, "a rule is missing") },
			Config:           second,
			ConfigPlanChecks: repairsSlot("a rule is missing", "2", "live", plancheck.ExpectUnknownValue(slotAddress, path("fallback"))),
			Check:            resource.TestCheckResourceAttr(slotAddress, "drift.#", "0"),
		},
		resource.TestStep{
			PreConfig: func() { w.clock.Advance(time.Hour) },
			Config:    second,
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectEmptyPlan(),
			}},
			Check: resource.TestCheckNoResourceAttr(slotAddress, "fallback.release"),
		},
		emptyPlan(second),
	)
	if got := fmt.Sprint(w.ServedLog(oms)); got != "[1 2]" {
		t.Errorf("served %s, want [1 2]", got)
	}
}

func TestAccDeploymentSlotChangesInPlace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	changed := platformWithSlot(attrs{"test_suite": "null", "allow_untested": "true", "retry": "1", "timeouts": `{ update = "10m" }`})
	again := imported(slotAddress, "eu/production/oms")
	again.ImportStateVerifyIgnore = []string{"timeouts"}
	w.run(resource.TestStep{Config: platformWithSlot(nil)}, resource.TestStep{Config: changed}, again, emptyPlan(changed))
	if got := fmt.Sprint(w.ServedLog(oms)); got != "[1]" {
		t.Errorf("served %s, want [1]: nothing of this may start a swap", got)
	}
}

func TestAccDeploymentSlotGoesBackToItsFallback(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	release := func(r string) string { return platformWithSlot(attrs{"release": `"` + r + `"`}) }
	w.run(
		resource.TestStep{Config: release("1")},
		resource.TestStep{Config: release("2")},
		resource.TestStep{
			Config: release("1"),
			Check: resource.ComposeAggregateTestCheckFunc(
				resource.TestCheckResourceAttr(slotAddress, "live.release", "1"),
				resource.TestCheckResourceAttr(slotAddress, "fallback.release", "2"),
			),
		},
		emptyPlan(release("1")),
	)
	if n := len(w.Log(memtarget.StackMade)); n != 2 {
		t.Errorf("%d stacks were made, want 2: going back makes none", n)
	}
}

func TestAccDeploymentSlotThatFailsBeforeTheSwitchKeepsItsState(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	failing := platformWithSlot(attrs{"release": `"2"`, "test_suite": `{ command = ["exit", "3"] }`})
	w.run(
		resource.TestStep{Config: platformWithSlot(nil)},
		resource.TestStep{Config: failing, ExpectError: regexp.MustCompile(`Unable\s+to\s+update\s+deployment\s+slot(?s:.*)exit\s+3(?s:.*)Release\s+1`)},
		resource.TestStep{
			RefreshState:       true,
			ExpectNonEmptyPlan: true,
			Check: resource.ComposeAggregateTestCheckFunc(
				resource.TestCheckResourceAttr(slotAddress, "release", "1"),
				resource.TestCheckResourceAttr(slotAddress, "test_suite.command.0", "suite"),
				resource.TestCheckResourceAttr(slotAddress, "live.release", "1"),
				resource.TestCheckResourceAttr(slotAddress, "phase", "failed"),
			),
		},
		resource.TestStep{Config: failing, PlanOnly: true, ExpectNonEmptyPlan: true},
		emptyPlan(platformWithSlot(nil)),
	)
}

func TestAccDeploymentSlotOnHoldIsLeftAloneUntilRetryIsRaised(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	second := attrs{"release": `"2"`}
	w.run(
		resource.TestStep{Config: platformWithSlot(nil)},
		resource.TestStep{Config: platformWithSlot(second)},
		resource.TestStep{
			PreConfig: func() {
				if _, err := w.provisioner(w.owner).RollBack(t.Context(), oms, "ann", "orders were lost"); err != nil {
					t.Fatal(err)
				}
			},
			Config:      platformWithSlot(second),
			ExpectError: regexp.MustCompile(`ann(?s:.*)orders\s+were\s+lost(?s:.*)retry`),
		},
		resource.TestStep{
			Config: platformWithSlot(second.with(attrs{"retry": "1"})),
			Check:  resource.TestCheckResourceAttr(slotAddress, "live.release", "2"),
		},
		emptyPlan(platformWithSlot(second.with(attrs{"retry": "1"}))),
	)
	if got := fmt.Sprint(w.ServedLog(oms)); got != "[1 2 1 2]" {
		t.Errorf("served %s, want [1 2 1 2]", got)
	}
}

func TestAccDeploymentSlotWhoseFirstReleaseFailsIsReplaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(
		resource.TestStep{
			Config:      platformWithSlot(attrs{"test_suite": `{ command = ["exit", "1"] }`, "deletion_protection": "true"}),
			ExpectError: regexp.MustCompile(`Unable\s+to\s+create\s+deployment\s+slot(?s:.*)Nothing\s+serves`),
		},
		resource.TestStep{
			Config: platformWithSlot(nil),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction(slotAddress, plancheck.ResourceActionReplace),
			}},
		},
		emptyPlan(platformWithSlot(nil)),
	)
}

func TestAccDeploymentSlotThatDisappearsIsMadeAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(
		resource.TestStep{Config: platformWithSlot(nil)},
		resource.TestStep{
			PreConfig: func() { w.VanishSlot(oms) },
			Config:    platformWithSlot(nil),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction(slotAddress, plancheck.ResourceActionCreate),
			}},
		},
		emptyPlan(platformWithSlot(nil)),
	)
}

func TestAccDeploymentSlotFollowsItsEnvironmentsPort(t *testing.T) {
	t.Parallel()
	moved := regionBlock(nil) + environmentBlock(attrs{"network": "{ https_port = 20443 }"}) + slotBlock(nil)
	w := newWorld(t)
	w.run(
		resource.TestStep{Config: platformWithSlot(nil)},
		resource.TestStep{Config: moved, Check: resource.TestCheckResourceAttr(slotAddress, "url", "https://production.eu.localhost:20443")},
		emptyPlan(moved),
	)
	if got := fmt.Sprint(w.ServedLog(oms)); got != "[1]" {
		t.Errorf("served %s, want [1]", got)
	}
}

func TestAccDeploymentSlotThatServesCanNotMove(t *testing.T) {
	t.Parallel()
	newWorld(t).run(
		resource.TestStep{Config: platformWithSlot(nil)},
		resource.TestStep{Config: platformWithSlot(attrs{"name": `"other"`}), ExpectError: regexp.MustCompile(`back\s+to\s+what\s+it\s+was(?s:.*)serves\s+release\s+1`)},
		resource.TestStep{
			Config:      platformWithEnvironment(nil) + twin(attrs{"name": `"other"`}) + slotBlock(attrs{"environment_id": "slipway_environment.twin.id"}),
			ExpectError: regexp.MustCompile(`back\s+to\s+what\s+it\s+was(?s:.*)serves\s+release\s+1`),
		},
		emptyPlan(platformWithSlot(nil)),
	)
}

func TestAccDeploymentSlotIsProtectedInProduction(t *testing.T) {
	t.Parallel()
	protected := platformWithSlot(attrs{"deletion_protection": ""})
	sandbox := regionBlock(nil) + environmentBlock(attrs{"kind": `"sandbox"`}) + slotBlock(attrs{"deletion_protection": ""})
	newWorld(t).run(
		resource.TestStep{Config: protected},
		resource.TestStep{Config: protected, Destroy: true, ExpectError: regexp.MustCompile(`Deletion\s+protection\s+of\s+deployment\s+slot`)},
		resource.TestStep{Config: platformWithEnvironment(nil), ExpectError: regexp.MustCompile(`Deletion\s+protection\s+of\s+deployment\s+slot`)},
		resource.TestStep{Config: platformWithSlot(nil)},
		emptyPlan(platformWithSlot(nil)),
	)
	newWorld(t).run(
		resource.TestStep{Config: sandbox, Check: resource.TestCheckResourceAttr(slotAddress, "deletion_protection", "false")},
		emptyPlan(sandbox),
	)
}
