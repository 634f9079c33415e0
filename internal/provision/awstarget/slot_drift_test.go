package awstarget_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	aas "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	aastypes "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget/awstest"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func (s *spoiler) scaling() *aas.Client { return aas.NewFromConfig(s.config(home)) }

// service is the service of a component in a seat.
func (s *spoiler) service(component, color string) ecstypes.Service {
	s.t.Helper()
	list := s.must(s.ecs().ListServices(s.ctx, &ecs.ListServicesInput{Cluster: s.containers()})).(*ecs.ListServicesOutput)
	out := s.must(s.ecs().DescribeServices(s.ctx, &ecs.DescribeServicesInput{Cluster: s.containers(), Services: list.ServiceArns})).(*ecs.DescribeServicesOutput)
	for _, v := range out.Services {
		if strings.HasPrefix(*v.ServiceName, "shop-"+component+"-"+color) {
			return v
		}
	}
	s.t.Fatalf("there is no service of component %q in seat %q", component, color)
	return ecstypes.Service{}
}

// scaledID is how Application Auto Scaling calls a component's service.
func (s *spoiler) scaledID(component, color string) *string {
	arn := *s.service(component, color).ServiceArn
	return aws.String(arn[strings.LastIndex(arn, ":")+1:])
}

// ended is what the end of a stack makes of a scalable target.
var ended = aas.RegisterScalableTargetInput{MinCapacity: aws.Int32(0), MaxCapacity: aws.Int32(0)}

// bounds are between what a component is scaled.
func (s *spoiler) bounds(component, color string) string {
	s.t.Helper()
	found := s.must(s.scaling().DescribeScalableTargets(s.ctx, &aas.DescribeScalableTargetsInput{ServiceNamespace: aastypes.ServiceNamespaceEcs, ResourceIds: []string{*s.scaledID(component, color)}})).(*aas.DescribeScalableTargetsOutput)
	t := found.ScalableTargets[0]
	return fmt.Sprintf("%d to %d", *t.MinCapacity, *t.MaxCapacity)
}

// scaledTags are the tags of a component's scalable target.
func (s *spoiler) scaledTags(component, color string) map[string]string {
	s.t.Helper()
	found := s.must(s.scaling().DescribeScalableTargets(s.ctx, &aas.DescribeScalableTargetsInput{ServiceNamespace: aastypes.ServiceNamespaceEcs, ResourceIds: []string{*s.scaledID(component, color)}})).(*aas.DescribeScalableTargetsOutput)
	return s.must(s.scaling().ListTagsForResource(s.ctx, &aas.ListTagsForResourceInput{ResourceARN: found.ScalableTargets[0].ScalableTargetARN})).(*aas.ListTagsForResourceOutput).Tags
}

// updated changes the service of a component that serves, which sits in the green seat.
func updated(component string, in ecs.UpdateServiceInput) func(*spoiler) {
	return func(s *spoiler) {
		in.Cluster, in.Service = s.containers(), s.service(component, "green").ServiceName
		s.do(s.ecs().UpdateService(s.ctx, &in))
	}
}

// rescaled changes the scalable target of a component.
func rescaled(component, color string, in aas.RegisterScalableTargetInput) func(*spoiler) {
	return func(s *spoiler) {
		in.ServiceNamespace, in.ScalableDimension, in.ResourceId = aastypes.ServiceNamespaceEcs, aastypes.ScalableDimensionECSServiceDesiredCount, s.scaledID(component, color)
		s.do(s.scaling().RegisterScalableTarget(s.ctx, &in))
	}
}

// unscheduled removes the first scheduled action of a component whose name begins so.
func unscheduled(component, color, prefix string) func(*spoiler) {
	return func(s *spoiler) {
		id := s.scaledID(component, color)
		out := s.must(s.scaling().DescribeScheduledActions(s.ctx, &aas.DescribeScheduledActionsInput{ServiceNamespace: aastypes.ServiceNamespaceEcs, ResourceId: id})).(*aas.DescribeScheduledActionsOutput)
		i := slices.IndexFunc(out.ScheduledActions, func(a aastypes.ScheduledAction) bool { return strings.HasPrefix(*a.ScheduledActionName, prefix) })
		if i < 0 {
			s.t.Fatalf("there is no scheduled action %s of %s", prefix, *id)
		}
		s.do(s.scaling().DeleteScheduledAction(s.ctx, &aas.DeleteScheduledActionInput{
			ServiceNamespace: aastypes.ServiceNamespaceEcs, ScalableDimension: aastypes.ScalableDimensionECSServiceDesiredCount, ResourceId: id, ScheduledActionName: out.ScheduledActions[i].ScheduledActionName,
		}))
	}
}

// rule is the rule of a listener for a host.
func (s *spoiler) rule(port int32, host string) elbtypes.Rule {
	s.t.Helper()
	out := s.must(s.elb().DescribeRules(s.ctx, &elb.DescribeRulesInput{ListenerArn: s.listener(port).ListenerArn})).(*elb.DescribeRulesOutput)
	for _, r := range out.Rules {
		for _, c := range r.Conditions {
			if c.HostHeaderConfig != nil && strings.HasPrefix(c.HostHeaderConfig.Values[0], host+".") {
				return r
			}
		}
	}
	s.t.Fatalf("there is no rule for host %q on port %d", host, port)
	return elbtypes.Rule{}
}

// delay makes the target group of a seat wait so many seconds for what a task still answers.
func (s *spoiler) delay(color, seconds string) *elb.ModifyTargetGroupAttributesInput {
	return &elb.ModifyTargetGroupAttributesInput{
		TargetGroupArn: s.service("web", color).LoadBalancers[0].TargetGroupArn,
		Attributes:     []elbtypes.TargetGroupAttribute{{Key: aws.String("deregistration_delay.timeout_seconds"), Value: &seconds}},
	}
}

func hello() []elbtypes.Action {
	return []elbtypes.Action{{Type: elbtypes.ActionTypeEnumFixedResponse, FixedResponseConfig: &elbtypes.FixedResponseActionConfig{StatusCode: aws.String("200"), ContentType: aws.String("text/plain"), MessageBody: aws.String("hello")}}}
}

// teller is the rule that tells the release.
func (s *spoiler) teller() elbtypes.Rule {
	out := s.must(s.elb().DescribeRules(s.ctx, &elb.DescribeRulesInput{ListenerArn: s.listener(443).ListenerArn})).(*elb.DescribeRulesOutput)
	return out.Rules[slices.IndexFunc(out.Rules, func(r elbtypes.Rule) bool { return len(r.Conditions) == 1 && r.Conditions[0].HttpHeaderConfig != nil })]
}

// slotDrifts are of a slot with release b in the green seat and release a as its fallback.
var slotDrifts = []drift{
	{"a rule is gone", func(s *spoiler) {
		s.do(s.elb().DeleteRule(s.ctx, &elb.DeleteRuleInput{RuleArn: s.rule(443, "store").RuleArn}))
	}, "the rule of the production entrance for host-header store.production.eu.example.com is missing"},
	{"a preview rule leads elsewhere", func(s *spoiler) {
		s.do(s.elb().ModifyRule(s.ctx, &elb.ModifyRuleInput{RuleArn: s.rule(8443, "shop").RuleArn, Actions: hello()}))
	}, "the rule of the preview entrance for host-header shop.production.eu.example.com was changed"},
	{"the rule that tells the release is behind another one", func(s *spoiler) {
		s.do(s.elb().SetRulePriorities(s.ctx, &elb.SetRulePrioritiesInput{RulePriorities: []elbtypes.RulePriorityPair{{RuleArn: s.teller().RuleArn, Priority: aws.Int32(49000)}}}))
	}, "the rule of the production entrance for http-header Slipway-Probe has priority 49000, and is to be before that for host-header shop.production.eu.example.com"},
	{"the release is told to whoever names the slot, as by earlier versions", func(s *spoiler) {
		s.do(s.elb().ModifyRule(s.ctx, &elb.ModifyRuleInput{RuleArn: s.teller().RuleArn, Conditions: []elbtypes.RuleCondition{{
			Field: aws.String("http-header"), HttpHeaderConfig: &elbtypes.HttpHeaderConditionConfig{HttpHeaderName: aws.String("Slipway-Probe"), Values: []string{"shop"}},
		}}}))
	}, "the rule of the production entrance for http-header Slipway-Probe is missing"},
	{"the health check is another one", func(s *spoiler) {
		s.do(s.elb().ModifyTargetGroup(s.ctx, &elb.ModifyTargetGroupInput{TargetGroupArn: s.service("web", "blue").LoadBalancers[0].TargetGroupArn, HealthCheckPath: aws.String("/")}))
	}, "the path of the health check of its target group"},
	{"clients stick to a task", func(s *spoiler) {
		s.do(s.elb().ModifyTargetGroupAttributes(s.ctx, &elb.ModifyTargetGroupAttributesInput{
			TargetGroupArn: s.service("web", "green").LoadBalancers[0].TargetGroupArn, Attributes: []elbtypes.TargetGroupAttribute{{Key: aws.String("stickiness.enabled"), Value: aws.String("true")}},
		}))
	}, "stickiness.enabled of its target group"},
	{"the fallback ends requests later", func(s *spoiler) {
		s.do(s.elb().ModifyTargetGroupAttributes(s.ctx, s.delay("blue", "77")))
	}, "deregistration_delay.timeout_seconds of its target group"},
	{"the service runs another task definition", func(s *spoiler) {
		updated("web", ecs.UpdateServiceInput{TaskDefinition: s.service("web", "blue").TaskDefinition})(s)
	}, "runs task definition"},
	{"ECS does not spread tasks over the zones", updated("web", ecs.UpdateServiceInput{AvailabilityZoneRebalancing: ecstypes.AvailabilityZoneRebalancingDisabled}), "does not keep its tasks spread over the zones"},
	{"commands may be run in containers", updated("worker", ecs.UpdateServiceInput{EnableExecuteCommand: aws.Bool(true)}), "lets commands be run"},
	{"ECS waits less for health", updated("web", ecs.UpdateServiceInput{HealthCheckGracePeriodSeconds: aws.Int32(1)}), "gives a task 1 seconds to become healthy, and is to give 3600"},
	{"ECS replaces tasks otherwise", updated("worker", ecs.UpdateServiceInput{DeploymentConfiguration: &ecstypes.DeploymentConfiguration{MinimumHealthyPercent: aws.Int32(0), MaximumPercent: aws.Int32(100)}}), "replaces its tasks with 0 to 100 percent of them, and is to do so with 100 to 200 percent"},
	{"there are more tasks than may be", updated("web", ecs.UpdateServiceInput{DesiredCount: aws.Int32(5)}), "is to run 5 tasks, and is scaled between 1 and 3"},
	{"a worker is scaled otherwise", rescaled("worker", "green", aas.RegisterScalableTargetInput{MinCapacity: aws.Int32(1), MaxCapacity: aws.Int32(9)}), "is scaled between 1 and 9 tasks, and is to be between 1 and 1"},
	{"the workers of the fallback were started", rescaled("worker", "blue", aas.RegisterScalableTargetInput{MinCapacity: aws.Int32(1), MaxCapacity: aws.Int32(1)}), "is scaled between 1 and 1 tasks, and is to be between 0 and 0"},
	{"schedules are suspended", rescaled("web", "blue", aas.RegisterScalableTargetInput{SuspendedState: &aastypes.SuspendedState{ScheduledScalingSuspended: aws.Bool(true)}}), "has its scheduled scaling suspended"},
	{"a scaling policy is gone", func(s *spoiler) {
		s.do(s.scaling().DeleteScalingPolicy(s.ctx, &aas.DeleteScalingPolicyInput{ServiceNamespace: aastypes.ServiceNamespaceEcs, ScalableDimension: aastypes.ScalableDimensionECSServiceDesiredCount, ResourceId: s.scaledID("web", "green"), PolicyName: aws.String("cpu")}))
	}, "scaling policy \"cpu\" of service"},
	{"a schedule is gone", unscheduled("web", "green", "floor-1"), "scheduled action \"floor-1\" of service"},
	{"a schedule is in another zone", func(s *spoiler) {
		s.do(s.scaling().PutScheduledAction(s.ctx, &aas.PutScheduledActionInput{
			ServiceNamespace: aastypes.ServiceNamespaceEcs, ScalableDimension: aastypes.ScalableDimensionECSServiceDesiredCount, ResourceId: s.scaledID("web", "green"), ScheduledActionName: aws.String("floor-2"), Timezone: aws.String("Europe/Berlin"),
		}))
	}, "scheduled action \"floor-2\" of service"},
	{"the end of the fallback is gone", unscheduled("worker", "blue", "retire-"), "which is to end it at"},
	{"the fallback is not scaled any more", func(s *spoiler) {
		s.do(s.scaling().DeregisterScalableTarget(s.ctx, &aas.DeregisterScalableTargetInput{ServiceNamespace: aastypes.ServiceNamespaceEcs, ScalableDimension: aastypes.ScalableDimensionECSServiceDesiredCount, ResourceId: s.scaledID("worker", "blue")}))
	}, "is not scaled any more"},
	{"a service lost a tag", func(s *spoiler) {
		s.do(s.ecs().UntagResource(s.ctx, &ecs.UntagResourceInput{ResourceArn: s.service("worker", "green").ServiceArn, TagKeys: []string{"slipway:release"}}))
	}, `has not the tags of its definition: slipway:release (none, and is to be "b")`},
	{"a rule has another tag", func(s *spoiler) {
		s.do(s.elb().AddTags(s.ctx, &elb.AddTagsInput{ResourceArns: []string{*s.rule(8443, "shop").RuleArn}, Tags: []elbtypes.Tag{{Key: aws.String("slipway:slot"), Value: aws.String("other")}}}))
	}, `the rule of the preview entrance for host-header shop.production.eu.example.com has not the tags of its definition: slipway:slot ("other", and is to be "shop")`},
	{"a target group lost its mark", func(s *spoiler) {
		s.do(s.elb().RemoveTags(s.ctx, &elb.RemoveTagsInput{ResourceArns: []string{*s.service("web", "green").LoadBalancers[0].TargetGroupArn}, TagKeys: []string{"slipway:part"}}))
	}, "has not the tags of its definition: slipway:part (none"},
	{"the target group of the fallback is gone", ungrouped("web", "blue"), "was deleted: no request reaches its tasks"},
}

// TestDriftOfASlotIsSeenAndRepaired breaks one setting after the other of one slot, wants each look
// to say so, and one update to repair them all while the release that serves goes on answering.
func TestDriftOfASlotIsSeenAndRepaired(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	more := func(web *target.Component) {
		web.Routes = append(web.Routes, target.Route{Host: "store", PathPrefix: "/"})
		web.Scaling.Schedules = []target.Schedule{{From: "08:00", To: "18:00", Min: 1}}
	}
	if err := s.swap("b", more)(t.Context(), s.process()); err != nil {
		t.Fatal(err)
	}
	spoil := &spoiler{t.Context(), s.lab, t}
	whole := s.inventory()
	read := func() provision.SlotState {
		t.Helper()
		state, err := s.process().provisioner().ReadSlot(t.Context(), s.id)
		if err != nil {
			t.Fatal(err)
		}
		return state
	}
	seen := func() string { t.Helper(); return strings.Join(read().Drift(), "\n") }
	repaired := func() {
		t.Helper()
		if err := s.swap("b", more)(t.Context(), s.process()); err != nil {
			t.Fatal(err)
		}
		if left := seen(); left != "" {
			t.Errorf("not repaired: %s", left)
		}
		s.converged("b", whole)
	}
	if before := seen(); before != "" {
		t.Errorf("at first: %s", before)
	}
	s.may = []string{"a", "b"} // one of them rolls the definition of release a out
	before := ""
	for _, c := range slotDrifts {
		c.make(spoil)
		after := seen()
		if strings.Count(after, c.want) <= strings.Count(before, c.want) {
			t.Errorf("%s: %q is not told of: %s", c.name, c.want, after)
		}
		before = after
	}
	repaired()

	s.may = nil
	gone := spoil.service("web", "green")
	spoil.do(spoil.ecs().DeleteService(t.Context(), &ecs.DeleteServiceInput{Cluster: gone.ClusterArn, Service: gone.ServiceName, Force: aws.Bool(true)}))
	if got, state := seen(), read(); !strings.Contains(got, "was deleted") || !strings.Contains(got, "answered with an error") || !state.Unfinished(s.clock.Now()) {
		t.Errorf("of a service that was deleted it says: %s", got)
	}
	repaired()

	// Who sets a value again each time that it is set is told of. No apply waits for that without end.
	again := s.process()
	longer := spoil.delay("green", "77")
	spoil.do(spoil.elb().ModifyTargetGroupAttributes(t.Context(), longer))
	again.calls.Watch(func(c awstest.Call) {
		if c.Operation == "ModifyTargetGroupAttributes" {
			spoil.do(spoil.elb().ModifyTargetGroupAttributes(t.Context(), longer))
		}
	})
	if err := s.swap("b", more)(t.Context(), again); err != nil {
		t.Error(err)
	}
	if got, state := seen(), read(); !strings.Contains(got, `is "77", and is to be`) || !state.Unfinished(s.clock.Now()) {
		t.Errorf("of what is set again and again it says: %s", got)
	}
	repaired()

	// What somebody has moved by hand is told of and left: it may be there for a reason.
	r := spoil.rule(443, "shop")
	divided := []elbtypes.TargetGroupTuple{
		{TargetGroupArn: spoil.service("web", "green").LoadBalancers[0].TargetGroupArn, Weight: aws.Int32(90)},
		{TargetGroupArn: spoil.service("web", "blue").LoadBalancers[0].TargetGroupArn, Weight: aws.Int32(10)},
	}
	spoil.do(spoil.elb().ModifyRule(t.Context(), &elb.ModifyRuleInput{RuleArn: r.RuleArn, Actions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, ForwardConfig: &elbtypes.ForwardActionConfig{TargetGroups: divided}}}}))
	s.may = []string{"a", "b"}
	if got := seen(); !strings.Contains(got, "somebody else has changed them") {
		t.Errorf("of traffic that was moved it says: %s", got)
	}
	if err := s.swap("b", more)(t.Context(), s.process()); err == nil {
		t.Error("traffic that somebody else has moved was moved back")
	}
	spoil.do(spoil.elb().ModifyRule(t.Context(), &elb.ModifyRuleInput{RuleArn: r.RuleArn, Actions: r.Actions}))
	repaired()
	s.tagsFollow(spoil, more)
	s.groupsAnew(spoil, seen)
}
