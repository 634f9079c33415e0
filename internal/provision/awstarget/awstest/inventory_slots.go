package awstest

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	scalingtypes "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
)

// Running counts by kind what slots are made of in an AWS region of the account. It is for regions
// with one environment.
func (e *Endpoint) Running(ctx context.Context, region string) (map[string]int, error) {
	c := &counter{config: e.Config(region), all: map[string]int{}}
	for _, count := range []func(context.Context) error{c.rules, c.services, c.scaled} {
		if err := count(ctx); err != nil {
			return nil, err
		}
	}
	return c.all, nil
}

func (c *counter) rules(ctx context.Context) error {
	client := elb.NewFromConfig(c.config)
	groups, err := client.DescribeTargetGroups(ctx, nil)
	if err != nil {
		return c.add("target group", 0, err)
	}
	_ = c.add("target group", len(groups.TargetGroups), nil)
	balancers, err := client.DescribeLoadBalancers(ctx, nil)
	if err != nil {
		return c.add("rule", 0, err)
	}
	for _, b := range balancers.LoadBalancers {
		listeners, err := client.DescribeListeners(ctx, &elb.DescribeListenersInput{LoadBalancerArn: b.LoadBalancerArn})
		if err != nil {
			return c.add("rule", 0, err)
		}
		for _, each := range listeners.Listeners {
			rules, err := client.DescribeRules(ctx, &elb.DescribeRulesInput{ListenerArn: each.ListenerArn})
			if err != nil {
				return c.add("rule", 0, err)
			}
			_ = c.add("rule", len(rules.Rules)-1, nil) // but for the default
		}
	}
	return nil
}

func (c *counter) services(ctx context.Context) error {
	client := ecs.NewFromConfig(c.config)
	for _, state := range []ecstypes.TaskDefinitionStatus{ecstypes.TaskDefinitionStatusActive, ecstypes.TaskDefinitionStatusInactive} {
		definitions, err := client.ListTaskDefinitions(ctx, &ecs.ListTaskDefinitionsInput{Status: state})
		if err != nil {
			return c.add("task definition", 0, err)
		}
		_ = c.add("task definition", len(definitions.TaskDefinitionArns), nil)
	}
	clusters, err := c.clusters(ctx)
	if err != nil {
		return c.add("service", 0, err)
	}
	for _, cluster := range clusters {
		services, err := client.ListServices(ctx, &ecs.ListServicesInput{Cluster: &cluster, MaxResults: aws.Int32(100)})
		if err != nil {
			return c.add("service", 0, err)
		}
		tasks, err := client.ListTasks(ctx, &ecs.ListTasksInput{Cluster: &cluster})
		if err != nil {
			return c.add("task", 0, err)
		}
		_, _ = c.add("service", len(services.ServiceArns), nil), c.add("task", len(tasks.TaskArns), nil)
	}
	return nil
}

// clusters are the ARNs of those that are not deleted.
func (c *counter) clusters(ctx context.Context) ([]string, error) {
	client := ecs.NewFromConfig(c.config)
	listed, err := client.ListClusters(ctx, nil)
	if err != nil {
		return nil, err
	}
	described, err := client.DescribeClusters(ctx, &ecs.DescribeClustersInput{Clusters: listed.ClusterArns})
	if err != nil {
		return nil, err
	}
	var active []string
	for _, cluster := range described.Clusters {
		if aws.ToString(cluster.Status) == "ACTIVE" {
			active = append(active, aws.ToString(cluster.ClusterArn))
		}
	}
	return active, nil
}

func (c *counter) scaled(ctx context.Context) error {
	client := applicationautoscaling.NewFromConfig(c.config)
	targets, err := client.DescribeScalableTargets(ctx, &applicationautoscaling.DescribeScalableTargetsInput{ServiceNamespace: scalingtypes.ServiceNamespaceEcs})
	if err != nil {
		return c.add("scalable target", 0, err)
	}
	actions, err := client.DescribeScheduledActions(ctx, &applicationautoscaling.DescribeScheduledActionsInput{ServiceNamespace: scalingtypes.ServiceNamespaceEcs})
	if err != nil {
		return c.add("scheduled action", 0, err)
	}
	policies, err := client.DescribeScalingPolicies(ctx, &applicationautoscaling.DescribeScalingPoliciesInput{ServiceNamespace: scalingtypes.ServiceNamespaceEcs})
	if err != nil {
		return c.add("scaling policy", 0, err)
	}
	_, _, _ = c.add("scalable target", len(targets.ScalableTargets), nil), c.add("scheduled action", len(actions.ScheduledActions), nil), c.add("scaling policy", len(policies.ScalingPolicies), nil)
	return nil
}
