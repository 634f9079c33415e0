package awstarget

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	scaling "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

const (
	scaledDimension = types.ScalableDimensionECSServiceDesiredCount
	scaledNamespace = types.ServiceNamespaceEcs

	errNoScaled = "ObjectNotFoundException"
)

// bounds are between what Application Auto Scaling keeps the number of a service's tasks.
type bounds struct {
	min, max int
	// keep holds what there is above the fewest: policies may add and not take away.
	keep bool
}

// scaledID is the resource id of a service.
func (w *slotWork) scaledID(p unit) string {
	return "service/" + w.clusterName() + "/" + p.service()
}

// boundsOf are the bounds of a component now. Without a policy nothing but us and the schedules
// sets the number: then there is no room between the two.
func boundsOf(s target.StackSpec, component string, now time.Time) bounds {
	c := s.Definition.Components[component]
	if s.HoldWorkers && c.Worker() {
		return bounds{}
	}
	b := bounds{min: max(s.Capacity[component], c.Scaling.Floor(now)), max: c.Scaling.Max, keep: s.Capacity[component] > 0}
	if !follows(c.Scaling) || b.max < b.min {
		b.max = b.min
	}
	return b
}

// follows says whether a scaling follows a load.
func follows(s target.Scaling) bool { return s.TargetCPUPercent > 0 || s.TargetConcurrentRequests > 0 }

// findScaled describes scalable targets by their resource ids, fifty at a time.
func findScaled(ctx context.Context, c *clients, ids []string) (map[string]types.ScalableTarget, error) {
	all := map[string]types.ScalableTarget{}
	for some := range slices.Chunk(ids, 50) {
		pages := scaling.NewDescribeScalableTargetsPaginator(c.scaling, &scaling.DescribeScalableTargetsInput{ServiceNamespace: scaledNamespace, ResourceIds: some, ScalableDimension: scaledDimension})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, failed(err, "find scalable targets")
			}
			for _, t := range page.ScalableTargets {
				all[text(t.ResourceId)] = t
			}
		}
	}
	return all, nil
}

// putScaling lets Application Auto Scaling keep a component's service in its bounds, with its
// policies and its schedules. Registering a target anew sets the number of tasks into the bounds.
func (w *slotWork) putScaling(ctx context.Context, of *seat, component string, group string) error {
	p, c := of.unit(component), of.Spec.Definition.Components[component]
	id := w.scaledID(p)
	b := boundsOf(of.Spec, component, w.target.now())
	has, err := findScaled(ctx, w.clients, []string{id})
	if err != nil {
		return err
	}
	t, there := has[id]
	same := there && int(aws.ToInt32(t.MinCapacity)) == b.min && int(aws.ToInt32(t.MaxCapacity)) == b.max &&
		t.SuspendedState != nil && aws.ToBool(t.SuspendedState.DynamicScalingInSuspended) == b.keep
	if !same {
		if err := w.registerScaled(ctx, p, b); err != nil {
			return err
		}
	}
	if err := w.putPolicies(ctx, id, c.Scaling, group); err != nil {
		return err
	}
	return w.putSchedules(ctx, id, of, component)
}

// registerScaled sets the bounds of a service. A service that was made a moment ago may not be
// seen yet.
func (w *slotWork) registerScaled(ctx context.Context, p unit, b bounds) error {
	id, tries := w.scaledID(p), 0
	return w.target.until(ctx, "the scaling of "+p.service(), func(ctx context.Context) (status, bool, error) {
		if err := w.fence(ctx); err != nil {
			return "", false, err
		}
		_, err := w.clients.scaling.RegisterScalableTarget(ctx, &scaling.RegisterScalableTargetInput{
			ServiceNamespace: scaledNamespace, ScalableDimension: scaledDimension, ResourceId: &id,
			MinCapacity: aws.Int32(int32(b.min)), MaxCapacity: aws.Int32(int32(b.max)),
			SuspendedState: &types.SuspendedState{
				DynamicScalingInSuspended: aws.Bool(b.keep), DynamicScalingOutSuspended: aws.Bool(false), ScheduledScalingSuspended: aws.Bool(false),
			},
			Tags: w.placeTags(p.mark(), nil, p.component),
		})
		const most = 10
		if tries++; coded(err, "ValidationException", "ConcurrentUpdateException") && tries < most {
			return status(err.Error()), false, nil
		}
		return "set", true, failed(err, "set the bounds of %q", id)
	})
}

// removeScaling takes a service away from Application Auto Scaling, with its policies and
// scheduled actions.
func (w *slotWork) removeScaling(ctx context.Context, p unit) error {
	if err := w.fence(ctx); err != nil {
		return err
	}
	id := w.scaledID(p)
	_, err := w.clients.scaling.DeregisterScalableTarget(ctx, &scaling.DeregisterScalableTargetInput{ServiceNamespace: scaledNamespace, ScalableDimension: scaledDimension, ResourceId: &id})
	return failed(gone(err, errNoScaled), "end the scaling of %q", id)
}

// policies are what a component's number follows, by name.
func (w *slotWork) policies(s target.Scaling, group string) map[string]*types.TargetTrackingScalingPolicyConfiguration {
	all := map[string]*types.TargetTrackingScalingPolicyConfiguration{}
	if s.TargetCPUPercent > 0 {
		all["cpu"] = &types.TargetTrackingScalingPolicyConfiguration{
			TargetValue:                   aws.Float64(float64(s.TargetCPUPercent)),
			PredefinedMetricSpecification: &types.PredefinedMetricSpecification{PredefinedMetricType: types.MetricTypeECSServiceAverageCPUUtilization},
		}
	}
	if s.TargetConcurrentRequests > 0 {
		all["requests"] = &types.TargetTrackingScalingPolicyConfiguration{
			TargetValue:                   aws.Float64(float64(s.TargetConcurrentRequests)),
			CustomizedMetricSpecification: concurrentRequests(group),
		}
	}
	for _, p := range all {
		p.ScaleOutCooldown, p.ScaleInCooldown = aws.Int32(60), aws.Int32(300)
	}
	return all
}

// concurrentRequests is how many requests a target answers at a time, which no metric of AWS is:
// the number of requests that come in a second times the seconds that one takes (Little's law).
func concurrentRequests(group string) *types.CustomizedMetricSpecification {
	metric := func(id, name, statistic string) types.TargetTrackingMetricDataQuery {
		return types.TargetTrackingMetricDataQuery{Id: &id, ReturnData: aws.Bool(false), MetricStat: &types.TargetTrackingMetricStat{
			Stat: &statistic, Metric: &types.TargetTrackingMetric{
				Namespace: aws.String("AWS/ApplicationELB"), MetricName: &name,
				Dimensions: []types.TargetTrackingMetricDimension{{Name: aws.String("TargetGroup"), Value: aws.String(groupDimension(group))}},
			},
		}}
	}
	return &types.CustomizedMetricSpecification{Metrics: []types.TargetTrackingMetricDataQuery{
		metric("per_minute", "RequestCountPerTarget", "Sum"),
		metric("seconds", "TargetResponseTime", "Average"),
		{Id: aws.String("concurrent"), Expression: aws.String("per_minute / 60 * seconds"), ReturnData: aws.Bool(true), Label: aws.String("Requests at a time for each target")},
	}}
}

// groupDimension is how CloudWatch names a target group: the end of its ARN.
func groupDimension(arn string) string { return arn[strings.LastIndex(arn, ":")+1:] }

// balancerDimension is how CloudWatch names a load balancer: "app/name/id".
func balancerDimension(arn string) string {
	_, name, _ := strings.Cut(arn, ":loadbalancer/")
	return name
}

// putPolicies makes the policies and removes those that are not asked for any more. A policy that
// is put again is replaced.
func (w *slotWork) putPolicies(ctx context.Context, id string, s target.Scaling, group string) error {
	has := map[string]types.ScalingPolicy{}
	pages := scaling.NewDescribeScalingPoliciesPaginator(w.clients.scaling, &scaling.DescribeScalingPoliciesInput{ServiceNamespace: scaledNamespace, ResourceId: &id, ScalableDimension: scaledDimension})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return failed(err, "find the scaling policies of %q", id)
		}
		for _, p := range page.ScalingPolicies {
			has[text(p.PolicyName)] = p
		}
	}
	want := w.policies(s, group)
	for _, name := range target.SortedKeys(want) {
		now := has[name].TargetTrackingScalingPolicyConfiguration
		if now != nil && aws.ToFloat64(now.TargetValue) == aws.ToFloat64(want[name].TargetValue) {
			continue
		}
		if err := w.fence(ctx); err != nil {
			return err
		}
		_, err := w.clients.scaling.PutScalingPolicy(ctx, &scaling.PutScalingPolicyInput{
			ServiceNamespace: scaledNamespace, ScalableDimension: scaledDimension, ResourceId: &id, PolicyName: aws.String(name),
			PolicyType: types.PolicyTypeTargetTrackingScaling, TargetTrackingScalingPolicyConfiguration: want[name],
		})
		if err != nil {
			return failed(err, "set scaling policy %q of %q", name, id)
		}
	}
	for _, name := range target.SortedKeys(has) {
		if want[name] != nil {
			continue
		}
		if err := w.fence(ctx); err != nil {
			return err
		}
		_, err := w.clients.scaling.DeleteScalingPolicy(ctx, &scaling.DeleteScalingPolicyInput{ServiceNamespace: scaledNamespace, ScalableDimension: scaledDimension, ResourceId: &id, PolicyName: aws.String(name)})
		if gone(err, errNoScaled) != nil {
			return failed(err, "remove scaling policy %q of %q", name, id)
		}
	}
	return nil
}

// retirementName is that of the scheduled action which retires a component's service.
func retirementName(generation int) string { return fmt.Sprintf("%s%d", retirementPrefix, generation) }

const retirementPrefix = "retire-"

// abandonment is the name of the action that ends a candidate which nobody looks after.
const abandonment = "abandon"

// final says whether a scheduled action scales a stack to nothing.
func final(name string) bool { return name == abandonment || strings.HasPrefix(name, retirementPrefix) }
