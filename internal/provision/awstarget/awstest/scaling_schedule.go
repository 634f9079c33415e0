package awstest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	aas "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
)

// scheduled is a scheduled action.
type scheduled struct {
	types.ScheduledAction
	schedule schedule
	next     time.Time // zero for never again
}

// putAction follows PutScheduledAction. A time before the minute that is about to end is refused:
// what AWS does with it is not said anywhere, so that nothing may lean on it.
func (s *scaling) putAction(_ context.Context, c Call) (any, error) {
	var in aas.PutScheduledActionInput
	if err := c.read(&in); err != nil {
		return nil, err
	}
	t := s.target(c.Region, in.ResourceId)
	if t == nil {
		return nil, unregistered(in.ResourceId)
	}
	at := slices.IndexFunc(t.actions, func(a *scheduled) bool {
		return aws.ToString(a.ScheduledActionName) == aws.ToString(in.ScheduledActionName)
	})
	now := time.Now()
	a := &scheduled{ScheduledAction: types.ScheduledAction{
		ScheduledActionName: in.ScheduledActionName, ResourceId: in.ResourceId, ServiceNamespace: in.ServiceNamespace, ScalableDimension: in.ScalableDimension, CreationTime: &now, Timezone: aws.String("UTC"),
		ScheduledActionARN: aws.String(fmt.Sprintf("arn:aws:autoscaling:%s:%s:scheduledAction:%s:resource/ecs/%s:scheduledActionName/%s", c.Region, s.account, identifier(16), *in.ResourceId, *in.ScheduledActionName)),
	}}
	if at >= 0 {
		changed := *t.actions[at]
		a = &changed
	}
	if in.Schedule != nil {
		a.Schedule = in.Schedule
	}
	if in.Timezone != nil {
		a.Timezone = in.Timezone
	}
	if in.ScalableTargetAction != nil {
		a.ScalableTargetAction = in.ScalableTargetAction
	}
	if in.StartTime != nil {
		a.StartTime = in.StartTime
	}
	if in.EndTime != nil {
		a.EndTime = in.EndTime
	}
	if a.Schedule == nil || a.ScalableTargetAction == nil {
		return nil, refuse("ValidationException", "A new scheduled action needs a schedule and an action")
	}
	var err error
	if a.schedule, err = parseSchedule(*a.Schedule, *a.Timezone); err != nil {
		return nil, refuse("ValidationException", "%v", err)
	}
	from := now
	if _, ok := a.schedule.(once); ok {
		from = now.Add(-time.Minute)
	}
	if a.next = a.after(from); a.next.IsZero() {
		return nil, refuse("ValidationException", "The schedule %s has no time to come", *a.Schedule)
	}
	if at >= 0 {
		t.actions[at] = a
		return &aas.PutScheduledActionOutput{}, nil
	}
	if len(t.actions) == 200 {
		return nil, refuse("LimitExceededException", "There are 200 scheduled actions already")
	}
	t.actions = append(t.actions, a)
	return &aas.PutScheduledActionOutput{}, nil
}

// after is when the action comes next, within its start and end.
func (a *scheduled) after(now time.Time) time.Time {
	if a.StartTime != nil && now.Before(*a.StartTime) {
		now = a.StartTime.Add(-time.Second)
	}
	next := a.schedule.after(now)
	if a.EndTime != nil && next.After(*a.EndTime) {
		return time.Time{}
	}
	return next
}

// step does the scheduled actions whose time has come: "How scheduled scaling works". They set
// the target's minimum and maximum and leave them so. One whose time passes while scheduled
// scaling is suspended is lost.
func (s *scaling) step() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	for _, t := range s.targets {
		for _, a := range t.actions {
			if a.next.IsZero() || now.Before(a.next) {
				continue
			}
			a.next = a.after(now)
			if !*t.SuspendedState.ScheduledScalingSuspended {
				s.do(t, a)
			}
		}
	}
}

func (s *scaling) do(t *scalable, a *scheduled) {
	cause := "scheduled action name " + aws.ToString(a.ScheduledActionName) + " was triggered"
	least, most := *t.MinCapacity, *t.MaxCapacity
	set(&least, a.ScalableTargetAction.MinCapacity)
	set(&most, a.ScalableTargetAction.MaxCapacity)
	if a.ScalableTargetAction.MinCapacity == nil {
		least = min(least, most)
	}
	most = max(least, most)
	t.MinCapacity, t.MaxCapacity = &least, &most
	t.note(fmt.Sprintf("Setting min capacity to %d and max capacity to %d", least, most), cause, types.ScalingActivityStatusCodeSuccessful)
	s.clamp(t, cause)
}

func (s *scaling) deleteAction(_ context.Context, c Call) (any, error) {
	var in aas.DeleteScheduledActionInput
	if err := c.read(&in); err != nil {
		return nil, err
	}
	if t := s.target(c.Region, in.ResourceId); t != nil {
		before := len(t.actions)
		t.actions = slices.DeleteFunc(t.actions, func(a *scheduled) bool {
			return aws.ToString(a.ScheduledActionName) == aws.ToString(in.ScheduledActionName)
		})
		if len(t.actions) < before {
			return &aas.DeleteScheduledActionOutput{}, nil
		}
	}
	return nil, refuse("ObjectNotFoundException", "No scheduled action found for %s named %s", aws.ToString(in.ResourceId), aws.ToString(in.ScheduledActionName))
}

func (s *scaling) describeActions(_ context.Context, c Call) (any, error) {
	var in aas.DescribeScheduledActionsInput
	if err := c.read(&in); err != nil {
		return nil, err
	}
	var all []types.ScheduledAction
	for _, t := range s.inRegion(c.Region, in.ResourceId) {
		for _, a := range t.actions {
			if len(in.ScheduledActionNames) == 0 || slices.Contains(in.ScheduledActionNames, aws.ToString(a.ScheduledActionName)) {
				all = append(all, a.ScheduledAction)
			}
		}
	}
	found, next, err := page(all, in.MaxResults, in.NextToken, 50)
	return &aas.DescribeScheduledActionsOutput{ScheduledActions: found, NextToken: next}, err
}
