package provider_test

import (
	"maps"
	"regexp"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	scalingtypes "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
)

// awsSlot is a slot whose containers are the emulator's.
func (c *cloud) awsSlot(release, image string, a attrs) string {
	return c.taggedSlot("null", release, image, a)
}

// taggedSlot is a slot in an environment with tags.
func (c *cloud) taggedSlot(tags, release, image string, a attrs) string {
	return c.block + platformWithEnvironment(attrs{"tags": tags, "aws": `{ nat = "none", internal = true, probe_image = "registry.example.com/curl:1", database = { instances = 1 } }`}) + slotBlock(attrs{
		"release": `"` + release + `"`,
		"components": `{
    api = {
      image        = "registry.example.com/` + image + `:{release}"
      scaling      = { max = 3 }
      health_check = { path = "/healthz", healthy_threshold = 1 }
      routes       = [{ host = "console" }]
    }
    worker = { image = "registry.example.com/worker:{release}" }
  }`,
		"migrate":             `{ image = "registry.example.com/exit:1", command = ["0"] }`,
		"test_suite":          `{ image = "registry.example.com/exit:1", command = ["0"] }`,
		"swap":                `{ minimum_healthy_seconds = 1, drain_seconds = 1, start_timeout_seconds = 30 }`,
		"deletion_protection": "false",
	}.with(a))
}

// frontGone deletes the load balancer by hand, with all that leads to slots.
func (c *cloud) frontGone() {
	c.t.Helper()
	ctx, balancers := c.t.Context(), elb.NewFromConfig(c.Config(frankfurt))
	all, err := balancers.DescribeLoadBalancers(ctx, nil)
	if err == nil {
		_, err = balancers.DeleteLoadBalancer(ctx, &elb.DeleteLoadBalancerInput{LoadBalancerArn: all.LoadBalancers[0].LoadBalancerArn})
	}
	if err != nil {
		c.t.Fatal(err)
	}
}

// slotDrift lets clients stick to the tasks of a slot, and takes its policies of scaling away.
func (c *cloud) slotDrift() {
	c.t.Helper()
	ctx, balancers, scaling := c.t.Context(), elb.NewFromConfig(c.Config(frankfurt)), applicationautoscaling.NewFromConfig(c.Config(frankfurt))
	all, err := balancers.DescribeTargetGroups(ctx, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, g := range all.TargetGroups {
		if _, err := balancers.ModifyTargetGroupAttributes(ctx, &elb.ModifyTargetGroupAttributesInput{
			TargetGroupArn: g.TargetGroupArn, Attributes: []elbtypes.TargetGroupAttribute{{Key: sdk.String("stickiness.enabled"), Value: sdk.String("true")}},
		}); err != nil {
			c.t.Fatal(err)
		}
	}
	policies, err := scaling.DescribeScalingPolicies(ctx, &applicationautoscaling.DescribeScalingPoliciesInput{ServiceNamespace: scalingtypes.ServiceNamespaceEcs})
	if err != nil || len(policies.ScalingPolicies) == 0 {
		c.t.Fatalf("there are no policies: %v", err)
	}
	for _, p := range policies.ScalingPolicies {
		if _, err := scaling.DeleteScalingPolicy(ctx, &applicationautoscaling.DeleteScalingPolicyInput{
			PolicyName: p.PolicyName, ResourceId: p.ResourceId, ScalableDimension: p.ScalableDimension, ServiceNamespace: p.ServiceNamespace,
		}); err != nil {
			c.t.Fatal(err)
		}
	}
}

func TestAccAWSDeploymentSlot(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.shutOut()
	c.zone("example.com")
	with := func(of map[string]int) resource.TestCheckFunc {
		all := changed(whole, map[string]int{"zone": 1, "record": 2 + 3, "address": 0, "nat": 0, "endpoint": 5, "security group": 4, "database instance": 1})
		maps.Copy(all, of)
		return c.holds(all)
	}
	serves := func(release string) resource.TestCheckFunc {
		return resource.ComposeAggregateTestCheckFunc(
			resource.TestCheckResourceAttr(slotAddress, "phase", "live"),
			resource.TestCheckResourceAttr(slotAddress, "live.release", release),
			resource.TestCheckResourceAttr(slotAddress, "release", release),
		)
	}
	tagged := func(release, image string, a attrs) string {
		return c.taggedSlot(`{ team = "shop" }`, release, image, a)
	}
	untested := attrs{"migrate": `{ image = "registry.example.com/exit:1", command = ["1"] }`, "test_suite": `{ image = "registry.example.com/exit:1", command = ["1"] }`}
	more := attrs{"components": `{
    api = {
      image        = "registry.example.com/well:{release}"
      scaling      = { min = 2, max = 3 }
      health_check = { path = "/healthz", healthy_threshold = 1 }
      routes       = [{ host = "console" }, { host = "console", path_prefix = "/api" }]
    }
    worker = { image = "registry.example.com/worker:{release}" }
  }`}
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: c.serve(),
		CheckDestroy:             c.keeps(map[string]int{"zone": 1, "record": 2, "database snapshot": 1}),
		Steps: c.inRoles([]resource.TestStep{
			{Config: c.awsSlot("1", "well", attrs{"components": `{ api = { command = ["app"], health_check = { path = "/" }, routes = [{}] } }`}), PlanOnly: true, ExpectError: regexp.MustCompile(`this\s+target\s+runs\s+images`)},
			{Config: c.awsSlot("1", "well", attrs{"swap": `{ steps = [{ percent = 10 }], sticky_by = "account" }`}), PlanOnly: true, ExpectError: regexp.MustCompile(`sticky_by`)},
			{Config: c.awsSlot("1", "well", nil), Check: resource.ComposeAggregateTestCheckFunc(
				serves("1"),
				resource.TestCheckNoResourceAttr(slotAddress, "fallback.release"),
				with(map[string]int{}),
			)},
			{Config: c.awsSlot("1", "well", nil), PlanOnly: true},
			imported(slotAddress, "eu/production/oms"),
			// What the environment lacks keeps no slot from being planned, and one apply repairs both.
			{PreConfig: c.frontGone, Config: c.awsSlot("1", "well", nil), ConfigPlanChecks: repairsSlot("of environment \"eu/production\" is gone", "1", "live",
				plancheck.ExpectResourceAction(environmentAddress, plancheck.ResourceActionUpdate),
				plancheck.ExpectKnownValue(slotAddress, path("fallback"), knownvalue.Null()),
			), Check: serves("1")},
			{Config: c.awsSlot("1", "well", nil), PlanOnly: true},
			{Config: c.awsSlot("2", "well", nil), Check: resource.ComposeAggregateTestCheckFunc(
				serves("2"),
				resource.TestCheckResourceAttr(slotAddress, "fallback.release", "1"),
				resource.TestCheckResourceAttrSet(slotAddress, "fallback.retire_at"),
			)},
			// The traffic goes back to what stands: nothing is migrated or tested, or it would fail.
			{Config: c.awsSlot("1", "well", untested), Check: resource.ComposeAggregateTestCheckFunc(
				serves("1"),
				resource.TestCheckResourceAttr(slotAddress, "fallback.release", "2"),
				resource.TestCheckResourceAttr(slotAddress, "last_swap.from_release", "2"),
			)},
			{Config: c.awsSlot("2", "well", nil), Check: resource.ComposeAggregateTestCheckFunc(serves("2"), resource.TestCheckResourceAttr(slotAddress, "fallback.release", "1"))},
			// Tags of the environment reach the slot in the same apply.
			{Config: tagged("2", "well", nil), ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction(environmentAddress, plancheck.ResourceActionUpdate),
				plancheck.ExpectResourceAction(slotAddress, plancheck.ResourceActionUpdate),
			}}, Check: serves("2")},
			{Config: tagged("3", "sick", nil), ExpectError: regexp.MustCompile(`release\s+3\s+did\s+not\s+become\s+healthy`)},
			{Config: tagged("2", "well", nil), PlanOnly: true},
			// What is changed of a slot by hand is repaired, and looks like no swap.
			{PreConfig: c.slotDrift, Config: tagged("2", "well", nil), ConfigPlanChecks: repairsSlot("stickiness.enabled of its target group", "2", "failed",
				plancheck.ExpectKnownValue(slotAddress, path("fallback"), knownvalue.Null()),
			), Check: resource.TestCheckResourceAttr(slotAddress, "drift.#", "0")},
			{Config: tagged("2", "well", more), ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction(slotAddress, plancheck.ResourceActionUpdate),
			}}, Check: resource.ComposeAggregateTestCheckFunc(
				resource.TestCheckResourceAttr(slotAddress, "live.release", "2"),
				resource.TestCheckResourceAttr(slotAddress, "phase", "failed"), // of the last swap
			)},
			{Config: tagged("2", "well", more), PlanOnly: true},
			imported(slotAddress, "eu/production/oms"),
		}),
	})
}
