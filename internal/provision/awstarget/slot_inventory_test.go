package awstarget_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	scalingtypes "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
)

// running counts what slots are made of, in an AWS region with one environment.
func (l *lab) running(t *testing.T, region string) map[string]int {
	t.Helper()
	ctx, all := t.Context(), map[string]int{}
	count := func(kind string, n int, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			all[kind] += n
		}
	}
	balancing := elb.NewFromConfig(l.config(region))
	groups, err := balancing.DescribeTargetGroups(ctx, nil)
	count("target group", len(groups.TargetGroups), err)
	balancers, err := balancing.DescribeLoadBalancers(ctx, nil)
	count("", 0, err)
	for _, b := range balancers.LoadBalancers {
		listeners, err := balancing.DescribeListeners(ctx, &elb.DescribeListenersInput{LoadBalancerArn: b.LoadBalancerArn})
		count("", 0, err)
		for _, each := range listeners.Listeners {
			rules, err := balancing.DescribeRules(ctx, &elb.DescribeRulesInput{ListenerArn: each.ListenerArn})
			count("rule", len(rules.Rules)-1, err) // but for the default
		}
	}
	containers := ecs.NewFromConfig(l.config(region))
	for _, state := range []ecstypes.TaskDefinitionStatus{ecstypes.TaskDefinitionStatusActive, ecstypes.TaskDefinitionStatusInactive} {
		definitions, err := containers.ListTaskDefinitions(ctx, &ecs.ListTaskDefinitionsInput{Status: state})
		count("task definition", len(definitions.TaskDefinitionArns), err)
	}
	clusters, err := containers.ListClusters(ctx, nil)
	count("", 0, err)
	for _, cluster := range clusters.ClusterArns {
		services, err := containers.ListServices(ctx, &ecs.ListServicesInput{Cluster: &cluster, MaxResults: aws.Int32(100)})
		count("service", len(services.ServiceArns), err)
		tasks, err := containers.ListTasks(ctx, &ecs.ListTasksInput{Cluster: &cluster})
		count("task", len(tasks.TaskArns), err)
	}
	scaling := applicationautoscaling.NewFromConfig(l.config(region))
	targets, err := scaling.DescribeScalableTargets(ctx, &applicationautoscaling.DescribeScalableTargetsInput{ServiceNamespace: scalingtypes.ServiceNamespaceEcs})
	count("scalable target", len(targets.ScalableTargets), err)
	actions, err := scaling.DescribeScheduledActions(ctx, &applicationautoscaling.DescribeScheduledActionsInput{ServiceNamespace: scalingtypes.ServiceNamespaceEcs})
	count("scheduled action", len(actions.ScheduledActions), err)
	policies, err := scaling.DescribeScalingPolicies(ctx, &applicationautoscaling.DescribeScalingPoliciesInput{ServiceNamespace: scalingtypes.ServiceNamespaceEcs})
	count("scaling policy", len(policies.ScalingPolicies), err)
	return all
}
