package awstarget

import (
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

// findActions lists the scheduled actions of a service by name.
func (w *slotWork) findActions(ctx context.Context, id string) (map[string]action, error) {
	all := map[string]action{}
	pages := scaling.NewDescribeScheduledActionsPaginator(w.clients.scaling, &scaling.DescribeScheduledActionsInput{ServiceNamespace: scaledNamespace, ResourceId: &id, ScalableDimension: scaledDimension})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, failed(err, "find the scheduled actions of %q", id)
		}
		for _, a := range page.ScheduledActions {
			v := action{schedule: text(a.Schedule), zone: text(a.Timezone)}
			if a.ScalableTargetAction != nil {
				v.min, v.max = int(aws.ToInt32(a.ScalableTargetAction.MinCapacity)), int(aws.ToInt32(a.ScalableTargetAction.MaxCapacity))
			}
			all[text(a.ScheduledActionName)] = v
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
		a := action{schedule: v.expression, zone: v.zone, min: max(v.min, s.Capacity[component]), max: c.Scaling.Max}
		if !follows(c.Scaling) || a.max < a.min {
			a.max = a.min
		}
		all[fmt.Sprintf("floor-%d", n+1)] = a
	}
	return all
}

// putSchedules makes the actions of the schedules and removes those that are not asked for any
// more. Those that scale a stack to nothing are left alone, and while there is one there are no
// others, which would bring it back.
func (w *slotWork) putSchedules(ctx context.Context, id string, of *seat, component string) error {
	has, err := w.findActions(ctx, id)
	if err != nil {
		return err
	}
	want := schedules(of.Spec, component)
	if of.RetireAt != nil || !of.Carried {
		want = nil
	}
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
	if err := w.fence(ctx); err != nil {
		return err
	}
	in := &scaling.PutScheduledActionInput{
		ServiceNamespace: scaledNamespace, ScalableDimension: scaledDimension, ResourceId: &id, ScheduledActionName: &name, Schedule: &a.schedule,
		ScalableTargetAction: &types.ScalableTargetAction{MinCapacity: aws.Int32(int32(a.min)), MaxCapacity: aws.Int32(int32(a.max))},
	}
	if a.zone != "" {
		in.Timezone = &a.zone
	}
	_, err := w.clients.scaling.PutScheduledAction(ctx, in)
	return failed(err, "set scheduled action %q of %q", name, id)
}

func (w *slotWork) deleteAction(ctx context.Context, id, name string) error {
	if err := w.fence(ctx); err != nil {
		return err
	}
	_, err := w.clients.scaling.DeleteScheduledAction(ctx, &scaling.DeleteScheduledActionInput{ServiceNamespace: scaledNamespace, ScalableDimension: scaledDimension, ResourceId: &id, ScheduledActionName: &name})
	return failed(gone(err, errNoScaled), "remove scheduled action %q of %q", name, id)
}

// once is the schedule of one moment, in UTC ("Schedule one-time scaling").
func once(at time.Time) string { return "at(" + at.UTC().Format("2006-01-02T15:04:05") + ")" }
