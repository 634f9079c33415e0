package awstarget

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	scaling "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// action is a scheduled action of a service.
type action struct {
	schedule, zone string
	min, max       int
}

// zoned is a time zone as it is compared and asked for: UTC is that of an action without one.
func zoned(zone string) string { return cmp.Or(zone, "UTC") }

// findActions lists the scheduled actions of a service by name.
func (w *slotWork) findActions(ctx context.Context, id string) (map[string]action, error) {
	all, err := findActions(ctx, w.clients, id)
	return all[id], err
}

// findActions lists scheduled actions by resource and name: those of one resource, or of all ECS
// services with "".
func findActions(ctx context.Context, c *clients, id string) (map[string]map[string]action, error) {
	all := map[string]map[string]action{}
	in := &scaling.DescribeScheduledActionsInput{ServiceNamespace: scaledNamespace}
	if id != "" {
		in.ResourceId, in.ScalableDimension = &id, scaledDimension
	}
	pages := scaling.NewDescribeScheduledActionsPaginator(c.scaling, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, failed(err, "find the scheduled actions of %q", id)
		}
		for _, a := range page.ScheduledActions {
			v := action{schedule: text(a.Schedule), zone: zoned(text(a.Timezone))}
			if a.ScalableTargetAction != nil {
				v.min, v.max = int(aws.ToInt32(a.ScalableTargetAction.MinCapacity)), int(aws.ToInt32(a.ScalableTargetAction.MaxCapacity))
			}
			of := text(a.ResourceId)
			if all[of] == nil {
				all[of] = map[string]action{}
			}
			all[of][text(a.ScheduledActionName)] = v
		}
	}
	return all, nil
}

// schedules are the actions that follow a component's schedules, by name.
func schedules(s target.StackSpec, component string) map[string]action {
	c := s.Definition.Components[component]
	all := map[string]action{}
	if s.HoldWorkers && c.Worker() {
		return all
	}
	for n, v := range timedFloors(c.Scaling) {
		a := action{schedule: v.expression, zone: zoned(v.zone), min: max(v.min, s.Capacity[component]), max: c.Scaling.Max}
		if !follows(c.Scaling) || a.max < a.min {
			a.max = a.min
		}
		all[fmt.Sprintf("floor-%d", n+1)] = a
	}
	return all
}

// schedules are the actions of a component's schedules that a stack has as it is.
func (s *seat) schedules(component string) map[string]action {
	if s.RetireAt != nil || !s.Carried {
		return nil
	}
	return schedules(s.Spec, component)
}

// retires says that scheduled actions are there to end a stack.
func (s *seat) retires(now time.Time) bool {
	return s.RetireAt != nil && !s.Arming && now.Before(*s.RetireAt)
}

// ends says whether an action ends a stack at a time, or a little later, as is exact.
func (t *Target) ends(a action, at time.Time) bool {
	when, err := time.Parse(onceLayout, a.schedule)
	return err == nil && a.min == 0 && a.max == 0 && !when.Before(at.Add(-time.Second)) && when.Before(at.Add(2*t.lead+time.Second))
}

// putSchedules makes the actions of the schedules and removes those that are not asked for any
// more. Those that scale a stack to nothing are made again where they are gone, else left alone, and
// while there is one there are no others, which would bring it back.
func (w *slotWork) putSchedules(ctx context.Context, id string, of *seat, component string) error {
	has, err := w.findActions(ctx, id)
	if err != nil {
		return err
	}
	now := w.target.now()
	if of.retires(now) && !w.target.ends(has[retirementName(of.Retirement)], *of.RetireAt) {
		if err := w.putAction(ctx, id, retirementName(of.Retirement), action{schedule: once(w.target.due(*of.RetireAt, now))}); err != nil {
			return err
		}
	}
	want := of.schedules(component)
	for _, name := range target.SortedKeys(want) {
		if has[name] != want[name] {
			if err := w.putAction(ctx, id, name, want[name]); err != nil {
				return err
			}
		}
	}
	for _, name := range target.SortedKeys(has) {
		if _, ok := want[name]; !ok && !final(name) {
			if err := w.deleteAction(ctx, id, name); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *slotWork) putAction(ctx context.Context, id, name string, a action) error {
	in := &scaling.PutScheduledActionInput{
		ServiceNamespace: scaledNamespace, ScalableDimension: scaledDimension, ResourceId: &id, ScheduledActionName: &name, Schedule: &a.schedule,
		Timezone:             aws.String(zoned(a.zone)), // what is left out stays as it was
		ScalableTargetAction: &types.ScalableTargetAction{MinCapacity: aws.Int32(int32(a.min)), MaxCapacity: aws.Int32(int32(a.max))},
	}
	return w.target.patiently(ctx, fmt.Sprintf("scheduled action %q", name), func(ctx context.Context) error {
		if err := w.fence(ctx); err != nil {
			return err
		}
		w.target.scaled.drop()
		_, err := w.clients.scaling.PutScheduledAction(ctx, in)
		return failed(err, "set scheduled action %q of %q", name, id)
	}, lagOfScaled)
}

func (w *slotWork) deleteAction(ctx context.Context, id, name string) error {
	if err := w.fence(ctx); err != nil {
		return err
	}
	w.target.scaled.drop()
	_, err := w.clients.scaling.DeleteScheduledAction(ctx, &scaling.DeleteScheduledActionInput{ServiceNamespace: scaledNamespace, ScalableDimension: scaledDimension, ResourceId: &id, ScheduledActionName: &name})
	return failed(gone(err, errNoScaled), "remove scheduled action %q of %q", name, id)
}

// once is the schedule of one moment, in UTC ("Schedule one-time scaling").
func once(at time.Time) string { return at.UTC().Format(onceLayout) }

const onceLayout = "at(2006-01-02T15:04:05)"
