package awstest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	aas "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
)

// putPolicy follows PutScalingPolicy. Nothing comes of a policy by itself here: Account.Scale
// plays its alarm.
func (s *scaling) putPolicy(_ context.Context, c Call) (any, error) {
	var in aas.PutScalingPolicyInput
	if err := c.read(&in); err != nil {
		return nil, err
	}
	t := s.target(c.Region, in.ResourceId)
	if t == nil {
		return nil, unregistered(in.ResourceId)
	}
	tracking := in.TargetTrackingScalingPolicyConfiguration
	if in.PolicyType == types.PolicyTypeTargetTrackingScaling {
		if tracking == nil || tracking.TargetValue == nil {
			return nil, refuse("ValidationException", "A target tracking policy needs its configuration")
		}
		if m := tracking.PredefinedMetricSpecification; m != nil && m.PredefinedMetricType == types.MetricTypeALBRequestCountPerTarget {
			// app/NAME/ID/targetgroup/NAME/ID
			if p := strings.Split(aws.ToString(m.ResourceLabel), "/"); len(p) != 6 || p[0] != "app" || p[3] != "targetgroup" {
				return nil, refuse("ValidationException", "The resource label %q is not one of a target group of a load balancer", aws.ToString(m.ResourceLabel))
			}
		}
	}
	if tracking != nil {
		if err := fed(tracking.CustomizedMetricSpecification); err != nil {
			return nil, err
		}
	}
	at := slices.IndexFunc(t.policies, func(p types.ScalingPolicy) bool { return aws.ToString(p.PolicyName) == aws.ToString(in.PolicyName) })
	if at < 0 {
		if len(t.policies) == 50 {
			return nil, refuse("LimitExceededException", "There are 50 policies already")
		}
		now := time.Now()
		arn := fmt.Sprintf("arn:aws:autoscaling:%s:%s:scalingPolicy:%s:resource/ecs/%s:policyName/%s", c.Region, s.account, identifier(16), *in.ResourceId, *in.PolicyName)
		t.policies = append(t.policies, types.ScalingPolicy{PolicyName: in.PolicyName, PolicyARN: &arn, CreationTime: &now, ResourceId: in.ResourceId, ServiceNamespace: in.ServiceNamespace, ScalableDimension: in.ScalableDimension})
		at = len(t.policies) - 1
	}
	p := &t.policies[at]
	p.PolicyType, p.TargetTrackingScalingPolicyConfiguration, p.StepScalingPolicyConfiguration = in.PolicyType, tracking, in.StepScalingPolicyConfiguration
	if in.PolicyType == types.PolicyTypeTargetTrackingScaling && p.Alarms == nil {
		for _, kind := range []string{"AlarmHigh", "AlarmLow"} {
			name := "TargetTracking-" + *in.ResourceId + "-" + kind + "-" + identifier(16)
			p.Alarms = append(p.Alarms, types.Alarm{AlarmName: &name, AlarmARN: aws.String(fmt.Sprintf("arn:aws:cloudwatch:%s:%s:alarm:%s", c.Region, s.account, name))})
		}
	}
	return &aas.PutScalingPolicyOutput{PolicyARN: p.PolicyARN, Alarms: p.Alarms}, nil
}

// fed refuses what AWS takes without a word, and never does anything by: a metric of dimensions that it is
// not reported by.
func fed(m *types.CustomizedMetricSpecification) error {
	if m == nil {
		return nil
	}
	for _, q := range m.Metrics {
		if q.MetricStat == nil || q.MetricStat.Metric == nil {
			continue
		}
		metric, by := q.MetricStat.Metric, []string{}
		for _, d := range metric.Dimensions {
			by = append(by, aws.ToString(d.Name))
		}
		if !reported(aws.ToString(metric.Namespace), aws.ToString(metric.MetricName), by) {
			return refuse("ValidationException", "%s is not reported by %v: the policy would never scale", aws.ToString(metric.MetricName), by)
		}
	}
	return nil
}

func (s *scaling) deletePolicy(_ context.Context, c Call) (any, error) {
	var in aas.DeleteScalingPolicyInput
	if err := c.read(&in); err != nil {
		return nil, err
	}
	if t := s.target(c.Region, in.ResourceId); t != nil {
		before := len(t.policies)
		t.policies = slices.DeleteFunc(t.policies, func(p types.ScalingPolicy) bool { return aws.ToString(p.PolicyName) == aws.ToString(in.PolicyName) })
		if len(t.policies) < before {
			return &aas.DeleteScalingPolicyOutput{}, nil
		}
	}
	return nil, refuse("ObjectNotFoundException", "No scaling policy found for %s named %s", aws.ToString(in.ResourceId), aws.ToString(in.PolicyName))
}

func (s *scaling) describePolicies(_ context.Context, c Call) (any, error) {
	var in aas.DescribeScalingPoliciesInput
	if err := c.read(&in); err != nil {
		return nil, err
	}
	var all []types.ScalingPolicy
	for _, t := range s.inRegion(c.Region, in.ResourceId) {
		for _, p := range t.policies {
			if len(in.PolicyNames) == 0 || slices.Contains(in.PolicyNames, aws.ToString(p.PolicyName)) {
				all = append(all, p)
			}
		}
	}
	found, next, err := page(all, in.MaxResults, in.NextToken, 10)
	return &aas.DescribeScalingPoliciesOutput{ScalingPolicies: found, NextToken: next}, err
}

// Scale plays the alarm of a scaling policy: the service, "service/CLUSTER/NAME", gets as many
// tasks as wanted, within its minimum and maximum and unless scaling that way is suspended.
func (a *Account) Scale(region, resource string, wanted int32) {
	s := a.scaling
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.target(region, &resource)
	if t == nil || len(t.policies) == 0 {
		return
	}
	s.scale(t, "monitor alarm in state ALARM triggered policy "+aws.ToString(t.policies[0].PolicyName), func(now int32) int32 {
		if wanted < now && *t.SuspendedState.DynamicScalingInSuspended || wanted > now && *t.SuspendedState.DynamicScalingOutSuspended {
			return now
		}
		return wanted
	})
}
