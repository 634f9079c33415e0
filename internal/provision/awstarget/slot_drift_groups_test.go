package awstarget_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget/awstest"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// ungrouped deletes the target group of a component as people have to: AWS refuses it while a rule
// leads there.
func ungrouped(component, color string) func(*spoiler) {
	return func(s *spoiler) {
		group := s.service(component, color).LoadBalancers[0].TargetGroupArn
		leads := func(r elbtypes.Rule) bool {
			return slices.ContainsFunc(r.Actions, func(a elbtypes.Action) bool {
				return a.ForwardConfig != nil && slices.ContainsFunc(a.ForwardConfig.TargetGroups, func(g elbtypes.TargetGroupTuple) bool { return *g.TargetGroupArn == *group })
			})
		}
		for _, port := range []int32{443, 8443} {
			out := s.must(s.elb().DescribeRules(s.ctx, &elb.DescribeRulesInput{ListenerArn: s.listener(port).ListenerArn})).(*elb.DescribeRulesOutput)
			for _, r := range out.Rules {
				switch {
				case !leads(r):
				case port == 443:
					s.do(s.elb().DeleteRule(s.ctx, &elb.DeleteRuleInput{RuleArn: r.RuleArn}))
				default:
					s.do(s.elb().ModifyRule(s.ctx, &elb.ModifyRuleInput{RuleArn: r.RuleArn, Actions: hello()}))
				}
			}
		}
		s.do(s.elb().DeleteTargetGroup(s.ctx, &elb.DeleteTargetGroupInput{TargetGroupArn: group}))
	}
}

// groupsAnew wants target groups of what serves to be made anew in place: that of one component, while
// the other one answers, and those of all. Then it takes away all rules, and all routes.
func (s *stage) groupsAnew(spoil *spoiler, drift func() string) {
	s.Helper()
	both := func(routed bool) work {
		asked := s.asked("c")
		api, web := asked.Definition.Components["web"], asked.Definition.Components["web"]
		api.Port, api.Routes = 8081, []target.Route{{Host: "api", PathPrefix: "/"}}
		if !routed {
			api.Routes, web.Routes = nil, nil
		}
		asked.Definition.Components["api"], asked.Definition.Components["web"] = api, web
		return func(ctx context.Context, r *trial) error { return second(r.provisioner().UpdateSlot(ctx, asked)) }
	}
	two := both(true)
	applied := func() {
		s.Helper()
		if err := two(s.Context(), s.process()); err != nil {
			s.Fatal(err)
		}
		if left := drift(); left != "" {
			s.Errorf("not repaired: %s", left)
		}
		for _, host := range []string{"shop", "api"} {
			if release, status := s.request(s.T, strings.Replace(s.host, "shop", host, 1), "/"); release != "c" || status != 200 {
				s.Errorf("at %s release %q answers with status %d", host, release, status)
			}
		}
	}
	s.may = []string{"b", "c"}
	applied()
	whole := s.inventory()
	s.may = []string{"c"}
	ungrouped("api", "blue")(spoil)
	if got := drift(); !strings.Contains(got, `component "api" of release c: its target group`) {
		s.Errorf("of a target group that was deleted it says: %s", got)
	}
	applied()
	s.converged("c", whole)

	s.may = nil
	ungrouped("api", "blue")(spoil)
	ungrouped("web", "blue")(spoil)
	applied()
	s.rulesAnew(spoil, drift, two)
	s.entrancesAnew(spoil, drift, two)
	s.routesGone(both(false), two)

	// What nothing leads to any more can be removed.
	s.may = nil
	spoil.do(spoil.elb().DeleteLoadBalancer(s.Context(), &elb.DeleteLoadBalancerInput{LoadBalancerArn: spoil.balancer()}))
	if err := s.process().provisioner().DeleteSlot(s.Context(), s.id); err != nil {
		s.Error(err)
	}
	if got := s.running(s.T, home); got["service"]+got["target group"]+got["scalable target"] > 0 {
		s.Errorf("a slot that was removed without its load balancer leaves %v", got)
	}
}

// rulesAnew deletes all rules of the production entrance, and wants them back with nothing else touched.
func (s *stage) rulesAnew(spoil *spoiler, drift func() string, apply work) {
	s.Helper()
	whole := s.inventory()
	out := spoil.must(spoil.elb().DescribeRules(s.Context(), &elb.DescribeRulesInput{ListenerArn: spoil.listener(443).ListenerArn})).(*elb.DescribeRulesOutput)
	for _, r := range out.Rules {
		if !*r.IsDefault {
			spoil.do(spoil.elb().DeleteRule(s.Context(), &elb.DeleteRuleInput{RuleArn: r.RuleArn}))
		}
	}
	if got := drift(); !strings.Contains(got, "nothing serves") {
		s.Errorf("of rules that were all deleted it says: %s", got)
	}
	r := s.process()
	r.calls.Watch(func(c awstest.Call) {
		if c.Service == "ecs" && c.Changes() {
			s.Errorf("for the rules %s is called", c.Operation)
		}
	})
	if err := apply(s.Context(), r); err != nil {
		s.Fatal(err)
	}
	s.converged("c", whole)
}

// entrancesAnew deletes a listener, and then the load balancer with all entrances. A look still sees what was
// live, and says why it can't ask; when the environment has got new ones, the slot gets its rules back.
func (s *stage) entrancesAnew(spoil *spoiler, drift func() string, apply work) {
	s.Helper()
	whole := s.inventory()
	for want, spoiled := range map[string]func(){
		"the listener on port 443 of environment": func() {
			spoil.do(spoil.elb().DeleteListener(s.Context(), &elb.DeleteListenerInput{ListenerArn: spoil.listener(443).ListenerArn}))
		},
		"the load balancer": func() {
			spoil.do(spoil.elb().DeleteLoadBalancer(s.Context(), &elb.DeleteLoadBalancerInput{LoadBalancerArn: spoil.balancer()}))
		},
	} {
		s.may = nil
		spoiled()
		if got := drift(); !strings.Contains(got, want) || !strings.Contains(got, "is gone: apply the environment") {
			s.Errorf("of an entrance that was deleted it says: %s", got)
		}
		state, err := s.process().provisioner().ReadSlot(s.Context(), s.id)
		if st, ok := state.Serving(); err != nil || !ok || st.Spec.Definition.Release != "c" || !state.Unfinished(s.clock.Now()) {
			s.Errorf("a look sees that %q is live, with error %v", st.Spec.Definition.Release, err)
		}
		r := s.process()
		if _, err := r.PutEnvironment(s.Context(), environment(s.T, s.id.Environment.Region, s.id.Environment.Name), again); err != nil {
			s.Fatal(err)
		}
		if err := apply(s.Context(), r); err != nil {
			s.Fatal(err)
		}
		s.converged("c", whole)
	}
}

// routesGone takes all routes of the slot away, which makes workers of what had them, and gives them
// back.
func (s *stage) routesGone(take, give work) {
	s.Helper()
	s.may = nil
	if err := take(s.Context(), s.process()); err != nil {
		s.Fatal(err)
	}
	state, err := s.process().provisioner().ReadSlot(s.Context(), s.id)
	if err != nil {
		s.Fatal(err)
	}
	if st, ok := state.Serving(); !ok || st.Spec.Definition.Components["web"].Routes != nil || state.Unfinished(s.clock.Now()) {
		s.Errorf("without routes the slot serves (%t) and is unfinished (%t, %q)", ok, state.Unfinished(s.clock.Now()), state.Phase())
	}
	if release, _ := s.request(s.T, s.host, "/"); release != "" {
		s.Errorf("without routes release %q answers", release)
	}
	if err := give(s.Context(), s.process()); err != nil {
		s.Fatal(err)
	}
	s.converged("c", s.inventory())
}

// tagsFollow wants a change of the slot's tags alone to reach what it is made of, and to leave it again.
func (s *stage) tagsFollow(spoil *spoiler, changes ...func(*target.Component)) {
	s.Helper()
	for _, c := range []struct {
		tags map[string]string
		by   func(*awstarget.Settings)
		want string
	}{
		{map[string]string{"team": "shop"}, func(s *awstarget.Settings) { s.DefaultTags = map[string]string{"cost": "1"} }, "map[cost:1 team:shop]"},
		{map[string]string{"team": "web"}, func(s *awstarget.Settings) { s.KeepDefaultTags = true }, "map[cost:1 team:web]"},
		{nil, func(*awstarget.Settings) {}, "map[]"},
	} {
		asked := s.asked("b", changes...)
		asked.Tags = c.tags
		if err := second(s.process(c.by).provisioner().UpdateSlot(s.Context(), asked)); err != nil {
			s.Fatal(err)
		}
		wants := func(what string, has map[string]string) {
			s.Helper()
			maps.DeleteFunc(has, func(key, _ string) bool { return key != "cost" && key != "team" })
			if got := fmt.Sprint(has); got != c.want {
				s.Errorf("%s has tags %s, want %s", what, got, c.want)
			}
		}
		for _, color := range []string{"green", "blue"} {
			web := spoil.service("web", color)
			for _, arn := range []*string{web.ServiceArn, web.TaskDefinition} {
				out := spoil.must(spoil.ecs().ListTagsForResource(s.Context(), &ecs.ListTagsForResourceInput{ResourceArn: arn})).(*ecs.ListTagsForResourceOutput)
				has := map[string]string{}
				for _, t := range out.Tags {
					has[*t.Key] = *t.Value
				}
				wants(*arn, has)
			}
			wants("the scalable target of the "+color+" stack", spoil.scaledTags("web", color))
			arns := []string{*web.LoadBalancers[0].TargetGroupArn, *spoil.rule(443, "shop").RuleArn}
			out := spoil.must(spoil.elb().DescribeTags(s.Context(), &elb.DescribeTagsInput{ResourceArns: arns})).(*elb.DescribeTagsOutput)
			for _, d := range out.TagDescriptions {
				has := map[string]string{}
				for _, t := range d.Tags {
					has[*t.Key] = *t.Value
				}
				wants(*d.ResourceArn, has)
			}
		}
	}
}
