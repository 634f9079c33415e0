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

// findScaled describes scalable targets by their resource ids, fifty at a time; with nil those of all
// ECS services.
func findScaled(ctx context.Context, c *clients, ids []string) (map[string]types.ScalableTarget, error) {
	all := map[string]types.ScalableTarget{}
	chunks := slices.Collect(slices.Chunk(ids, 50))
	if ids == nil {
		chunks = [][]string{nil}
	}
	for _, some := range chunks {
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
// policies and its schedules. Registering a target anew sets the number of tasks into the bounds:
// clamped says so.
func (w *slotWork) putScaling(ctx context.Context, of *seat, component string, group string) (clamped bool, err error) {
	id, c := w.scaledID(of.unit(component)), of.Spec.Definition.Components[component]
	b := boundsOf(of.Spec, component, w.target.now())
	has, err := findScaled(ctx, w.clients, []string{id})
	if err != nil {
		return false, err
	}
	t, there := has[id]
	if there && w.resting {
		if err := w.retagScaled(ctx, of, component, t); err != nil {
			return false, err
		}
	}
	if !there || scaledDrift(t, b) != "" {
		if err := w.registerScaled(ctx, of, component, b, has); err != nil {
			return false, err
		}
		clamped = true
	}
	if err := w.putPolicies(ctx, id, c.Scaling, group); err != nil {
		return clamped, err
	}
	return clamped, w.putSchedules(ctx, id, of, component)
}

// scaledDrift says how a scalable target differs from some bounds, "" for not at all.
func scaledDrift(t types.ScalableTarget, b bounds) string {
	least, most := int(aws.ToInt32(t.MinCapacity)), int(aws.ToInt32(t.MaxCapacity))
	var s types.SuspendedState
	if t.SuspendedState != nil {
		s = *t.SuspendedState
	}
	switch {
	case least != b.min || most != b.max:
		return fmt.Sprintf("is scaled between %d and %d tasks, and is to be between %d and %d", least, most, b.min, b.max)
	case aws.ToBool(s.ScheduledScalingSuspended):
		return "has its scheduled scaling suspended"
	case aws.ToBool(s.DynamicScalingOutSuspended):
		return "does not scale out"
	case aws.ToBool(s.DynamicScalingInSuspended) && !b.keep:
		return "does not scale in"
	case !aws.ToBool(s.DynamicScalingInSuspended) && b.keep:
		return "may scale in, and is to keep its size"
	}
	return ""
}

// policies are what a component's number follows, by name.
func (w *slotWork) policies(s target.Scaling, group, balancer string) map[string]*types.TargetTrackingScalingPolicyConfiguration {
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
			CustomizedMetricSpecification: concurrentRequests(group, balancer),
		}
	}
	for _, p := range all {
		p.ScaleOutCooldown, p.ScaleInCooldown = aws.Int32(60), aws.Int32(300)
	}
	return all
}

// concurrentRequests is how many requests a target answers at a time, which no metric of AWS is:
// the number of requests that come in a second times the seconds that one takes (Little's law). A metric
// is there by just the dimensions that it is reported by, the time by group and load balancer only
// ("CloudWatch metrics for your Application Load Balancer"). Of a minute without requests there is no
// time. The requests of a minute are not filled in: they come late, and the newest minute would always
// be without any, so that nothing would ever scale out ("Using metric math": FILL in alarms).
func concurrentRequests(group, balancer string) *types.CustomizedMetricSpecification {
	metric := func(id, name, statistic string) types.TargetTrackingMetricDataQuery {
		return types.TargetTrackingMetricDataQuery{Id: &id, ReturnData: aws.Bool(false), MetricStat: &types.TargetTrackingMetricStat{
			Stat: &statistic, Metric: &types.TargetTrackingMetric{
				Namespace: aws.String("AWS/ApplicationELB"), MetricName: &name,
				Dimensions: []types.TargetTrackingMetricDimension{
					{Name: aws.String("TargetGroup"), Value: aws.String(groupDimension(group))},
					{Name: aws.String("LoadBalancer"), Value: aws.String(balancerDimension(balancer))},
				},
			},
		}}
	}
	return &types.CustomizedMetricSpecification{Metrics: []types.TargetTrackingMetricDataQuery{
		metric("per_minute", "RequestCountPerTarget", "Sum"),
		metric("seconds", "TargetResponseTime", "Average"),
		{Id: aws.String("concurrent"), Expression: aws.String("per_minute / 60 * FILL(seconds, 0)"), ReturnData: aws.Bool(true), Label: aws.String("Requests at a time for each target")},
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
	all, err := findPolicies(ctx, w.clients, id)
	if err != nil {
		return err
	}
	balancer := ""
	if s.TargetConcurrentRequests > 0 {
		e, err := w.entrances(ctx)
		if err != nil {
			return err
		}
		balancer = text(e.balancer.LoadBalancerArn)
	}
	has, want := all[id], w.policies(s, group, balancer)
	for _, name := range target.SortedKeys(want) {
		if samePolicy(has[name].TargetTrackingScalingPolicyConfiguration, want[name]) {
			continue
		}
		err := w.target.patiently(ctx, fmt.Sprintf("scaling policy %q", name), func(ctx context.Context) error {
			if err := w.fence(ctx); err != nil {
				return err
			}
			w.target.scaled.drop()
			_, err := w.clients.scaling.PutScalingPolicy(ctx, &scaling.PutScalingPolicyInput{
				ServiceNamespace: scaledNamespace, ScalableDimension: scaledDimension, ResourceId: &id, PolicyName: aws.String(name),
				PolicyType: types.PolicyTypeTargetTrackingScaling, TargetTrackingScalingPolicyConfiguration: want[name],
			})
			return failed(err, "set scaling policy %q of %q", name, id)
		}, lagOfScaled)
		if err != nil {
			return err
		}
	}
	for _, name := range target.SortedKeys(has) {
		if want[name] != nil {
			continue
		}
		if err := w.fence(ctx); err != nil {
			return err
		}
		w.target.scaled.drop()
		_, err := w.clients.scaling.DeleteScalingPolicy(ctx, &scaling.DeleteScalingPolicyInput{ServiceNamespace: scaledNamespace, ScalableDimension: scaledDimension, ResourceId: &id, PolicyName: aws.String(name)})
		if gone(err, errNoScaled) != nil {
			return failed(err, "remove scaling policy %q of %q", name, id)
		}
	}
	return nil
}

// findPolicies lists scaling policies by resource and name: those of one resource, or of all ECS
// services with "".
func findPolicies(ctx context.Context, c *clients, id string) (map[string]map[string]types.ScalingPolicy, error) {
	all := map[string]map[string]types.ScalingPolicy{}
	in := &scaling.DescribeScalingPoliciesInput{ServiceNamespace: scaledNamespace}
	if id != "" {
		in.ResourceId, in.ScalableDimension = &id, scaledDimension
	}
	pages := scaling.NewDescribeScalingPoliciesPaginator(c.scaling, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, failed(err, "find the scaling policies of %q", id)
		}
		for _, p := range page.ScalingPolicies {
			of := text(p.ResourceId)
			if all[of] == nil {
				all[of] = map[string]types.ScalingPolicy{}
			}
			all[of][text(p.PolicyName)] = p
		}
	}
	return all, nil
}

// samePolicy says whether a policy follows what it is to follow. Of a metric of our own its parts
// are compared, not what AWS may add to them.
func samePolicy(a, b *types.TargetTrackingScalingPolicyConfiguration) bool {
	if a == nil || b == nil {
		return a == b
	}
	metric := func(p *types.TargetTrackingScalingPolicyConfiguration) string {
		var all []string
		if m := p.PredefinedMetricSpecification; m != nil {
			all = append(all, string(m.PredefinedMetricType))
		}
		if m := p.CustomizedMetricSpecification; m != nil {
			for _, q := range m.Metrics {
				all = append(all, text(q.Id), text(q.Expression))
				if s := q.MetricStat; s != nil && s.Metric != nil {
					all = append(all, text(s.Stat), text(s.Metric.Namespace), text(s.Metric.MetricName))
					var by []string
					for _, d := range s.Metric.Dimensions {
						by = append(by, text(d.Name)+"="+text(d.Value))
					}
					slices.Sort(by)
					all = append(all, by...)
				}
			}
		}
		return strings.Join(all, " ")
	}
	return aws.ToFloat64(a.TargetValue) == aws.ToFloat64(b.TargetValue) && aws.ToBool(a.DisableScaleIn) == aws.ToBool(b.DisableScaleIn) &&
		aws.ToInt32(a.ScaleInCooldown) == aws.ToInt32(b.ScaleInCooldown) && aws.ToInt32(a.ScaleOutCooldown) == aws.ToInt32(b.ScaleOutCooldown) && metric(a) == metric(b)
}

// retirementName is that of the scheduled action which retires a component's service.
func retirementName(generation int) string { return fmt.Sprintf("%s%d", retirementPrefix, generation) }

const retirementPrefix = "retire-"

// abandonment is the name of the action that ends a candidate which nobody looks after.
const abandonment = "abandon"

// final says whether a scheduled action scales a stack to nothing.
func final(name string) bool { return name == abandonment || strings.HasPrefix(name, retirementPrefix) }
