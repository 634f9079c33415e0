package awstest

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	aas "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
)

// scaling is Application Auto Scaling for ECS services. moto has it for services of its own only,
// and MiniStack has none.
type scaling struct {
	*cloud
	services services
	start    sync.Once

	mu      sync.Mutex
	targets []*scalable
}

// scalable is a scalable target with its policies, scheduled actions and what was done.
type scalable struct {
	types.ScalableTarget
	region string
	tags   map[string]string

	policies   []types.ScalingPolicy
	actions    []*scheduled
	activities []types.ScalingActivity // newest first
}

func newScaling(c *cloud, s services) *scaling { return &scaling{cloud: c, services: s} }

type scalingCall func(s *scaling, ctx context.Context, c Call) (any, error)

var scalingCalls = map[string]scalingCall{
	"RegisterScalableTarget":    (*scaling).register,
	"DeregisterScalableTarget":  (*scaling).deregister,
	"DescribeScalableTargets":   (*scaling).describeTargets,
	"PutScalingPolicy":          (*scaling).putPolicy,
	"DeleteScalingPolicy":       (*scaling).deletePolicy,
	"DescribeScalingPolicies":   (*scaling).describePolicies,
	"PutScheduledAction":        (*scaling).putAction,
	"DeleteScheduledAction":     (*scaling).deleteAction,
	"DescribeScheduledActions":  (*scaling).describeActions,
	"DescribeScalingActivities": (*scaling).describeActivities,
	"ListTagsForResource":       (*scaling).listTags,
	"TagResource":               (*scaling).tag,
	"UntagResource":             (*scaling).untag,
}

func (s *scaling) piece(c Call, _ http.Handler) http.Handler {
	if c.Service != "application-autoscaling" {
		return nil
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.start.Do(func() { s.every(s.step) })
		s.mu.Lock()
		defer s.mu.Unlock()
		call, ok := scalingCalls[c.Operation]
		if !ok {
			c.send(w, nil, refuse("UnknownOperationException", "%s is not played here", c.Operation))
			return
		}
		out, err := call(s, context.WithoutCancel(r.Context()), c)
		c.send(w, out, err)
	})
}

// target finds a scalable target; nil if it was not registered.
func (s *scaling) target(region string, resource *string) *scalable {
	for _, t := range s.targets {
		if t.region == region && aws.ToString(t.ResourceId) == aws.ToString(resource) {
			return t
		}
	}
	return nil
}

func unregistered(resource *string) error {
	return refuse("ObjectNotFoundException", "No scalable target found for service namespace: ecs, resource ID: %s, scalable dimension: ecs:service:DesiredCount", aws.ToString(resource))
}

// ecsResource refuses what is not an ECS service.
func ecsResource(namespace types.ServiceNamespace, dimension types.ScalableDimension, resource *string) error {
	parts := strings.Split(aws.ToString(resource), "/")
	if namespace != types.ServiceNamespaceEcs || dimension != types.ScalableDimensionECSServiceDesiredCount || len(parts) != 3 || parts[0] != "service" {
		return refuse("ValidationException", "Unsupported service namespace, resource type or scalable dimension")
	}
	return nil
}

// register follows RegisterScalableTarget: each call brings the service's count between
// minimum and maximum, whatever else it was made for.
func (s *scaling) register(_ context.Context, c Call) (any, error) {
	var in aas.RegisterScalableTargetInput
	if err := c.read(&in); err != nil {
		return nil, err
	}
	if err := ecsResource(in.ServiceNamespace, in.ScalableDimension, in.ResourceId); err != nil {
		return nil, err
	}
	if !s.services.alive(c.Region, *in.ResourceId) {
		return nil, refuse("ValidationException", "ECS service doesn't exist: %s", *in.ResourceId)
	}
	t := s.target(c.Region, in.ResourceId)
	isNew := t == nil
	if !isNew && len(in.Tags) > 0 {
		return nil, refuse("ValidationException", "The scalable target that you tried to tag already exists. To update tags on an existing scalable target, use the TagResource API.")
	}
	if isNew {
		now := time.Now()
		t = &scalable{region: c.Region, tags: in.Tags, ScalableTarget: types.ScalableTarget{
			ResourceId: in.ResourceId, ServiceNamespace: in.ServiceNamespace, ScalableDimension: in.ScalableDimension, CreationTime: &now,
			ScalableTargetARN: aws.String(fmt.Sprintf("arn:aws:application-autoscaling:%s:%s:scalable-target/%s", c.Region, s.account, identifier(12))),
			RoleARN:           aws.String("arn:aws:iam::" + s.account + ":role/aws-service-role/ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService"),
			SuspendedState:    &types.SuspendedState{DynamicScalingInSuspended: aws.Bool(false), DynamicScalingOutSuspended: aws.Bool(false), ScheduledScalingSuspended: aws.Bool(false)},
		}}
	}
	least, most := t.MinCapacity, t.MaxCapacity
	if in.MinCapacity != nil {
		least = in.MinCapacity
	}
	if in.MaxCapacity != nil {
		most = in.MaxCapacity
	}
	if least == nil || most == nil || *least > *most || *least < 0 {
		return nil, refuse("ValidationException", "Both minimum and maximum capacity must be there, the minimum not above the maximum")
	}
	t.MinCapacity, t.MaxCapacity = least, most
	if p := in.SuspendedState; p != nil {
		set(t.SuspendedState.DynamicScalingInSuspended, p.DynamicScalingInSuspended)
		set(t.SuspendedState.DynamicScalingOutSuspended, p.DynamicScalingOutSuspended)
		set(t.SuspendedState.ScheduledScalingSuspended, p.ScheduledScalingSuspended)
	}
	if isNew {
		s.targets = append(s.targets, t)
	}
	s.clamp(t, "minimum and maximum capacity were set")
	return &aas.RegisterScalableTargetOutput{ScalableTargetARN: t.ScalableTargetARN}, nil
}

// clamp brings the service's desired count between minimum and maximum.
func (s *scaling) clamp(t *scalable, cause string) {
	s.scale(t, cause, func(int32) int32 { return -1 })
}

// scale changes the service's desired count within minimum and maximum; a negative one leaves
// it but for these.
func (s *scaling) scale(t *scalable, cause string, to func(now int32) int32) {
	desired, was, ok := s.services.scale(t.region, *t.ResourceId, func(now int32) int32 {
		wanted := to(now)
		if wanted < 0 {
			wanted = now
		}
		return min(max(wanted, *t.MinCapacity), *t.MaxCapacity)
	})
	switch {
	case !ok:
		t.note(fmt.Sprintf("Setting desired count to %d.", desired), cause, types.ScalingActivityStatusCodeFailed)
	case desired != was:
		t.note(fmt.Sprintf("Setting desired count to %d.", desired), cause, types.ScalingActivityStatusCodeSuccessful)
	}
}

// note adds an activity.
func (t *scalable) note(description, cause string, code types.ScalingActivityStatusCode) {
	now := time.Now()
	t.activities = slices.Insert(t.activities, 0, types.ScalingActivity{
		ActivityId: aws.String(identifier(16)), Description: &description, Cause: &cause, StatusCode: code, StartTime: &now, EndTime: &now,
		ResourceId: t.ResourceId, ServiceNamespace: t.ServiceNamespace, ScalableDimension: t.ScalableDimension,
	})
}

// deregister removes a target with its policies and scheduled actions.
func (s *scaling) deregister(_ context.Context, c Call) (any, error) {
	var in aas.DeregisterScalableTargetInput
	if err := c.read(&in); err != nil {
		return nil, err
	}
	t := s.target(c.Region, in.ResourceId)
	if t == nil {
		return nil, unregistered(in.ResourceId)
	}
	s.targets = slices.DeleteFunc(s.targets, func(o *scalable) bool { return o == t })
	return &aas.DeregisterScalableTargetOutput{}, nil
}
