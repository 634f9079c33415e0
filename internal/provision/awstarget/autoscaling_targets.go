package awstarget

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	scaling "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
)

// lagsOfScaled are what registering a service may be answered that is new, or whose number is just being set.
var lagsOfScaled = []lag{lagOfScalingRole, {"ValidationException", "ECS service doesn't exist"}}

// lagOfScaled is the answer to who sets something of a target that was registered a moment ago
// (RegisterScalableTarget, "eventual consistency").
var lagOfScaled = lag{code: errNoScaled}

// registerScaled sets the bounds of a component's service. Seen are the targets that there are: only what is
// new takes tags. There may be one that is not seen yet, made by a call whose answer was lost: it is tagged
// by itself.
func (w *slotWork) registerScaled(ctx context.Context, of *seat, component string, b bounds, seen map[string]types.ScalableTarget) error {
	p := of.unit(component)
	id, tags := w.scaledID(p), w.placeTags(p.mark(), &of.Spec, component)
	in := &scaling.RegisterScalableTargetInput{
		ServiceNamespace: scaledNamespace, ScalableDimension: scaledDimension, ResourceId: &id,
		MinCapacity: aws.Int32(int32(b.min)), MaxCapacity: aws.Int32(int32(b.max)),
		SuspendedState: &types.SuspendedState{
			DynamicScalingInSuspended: aws.Bool(b.keep), DynamicScalingOutSuspended: aws.Bool(false), ScheduledScalingSuspended: aws.Bool(false),
		},
	}
	_, there := seen[id]
	if !there {
		in.Tags = tags
	}
	return w.target.patiently(ctx, "the scaling of "+p.service(), func(ctx context.Context) error {
		if err := w.fence(ctx); err != nil {
			return err
		}
		w.target.scaled.drop()
		out, err := w.clients.scaling.RegisterScalableTarget(ctx, in)
		if in.Tags != nil && coded(err, "ValidationException") && !lagging(err, lagsOfScaled...) {
			in.Tags = nil
			out, err = w.clients.scaling.RegisterScalableTarget(ctx, in)
		}
		if err == nil && !there && in.Tags == nil {
			err = w.tagScaled(ctx, out.ScalableTargetARN)(tags)
		}
		return failed(err, "set the bounds of %q", id)
	}, lagsOfScaled...)
}

// retagScaled gives a component's scalable target its tags. Nothing is known by these, and reading them is a
// call: they are looked at where the stack is put again, and by no plan.
func (w *slotWork) retagScaled(ctx context.Context, of *seat, component string, t types.ScalableTarget) error {
	what := fmt.Sprintf("scalable target %q", text(t.ResourceId))
	out, err := w.clients.scaling.ListTagsForResource(ctx, &scaling.ListTagsForResourceInput{ResourceARN: t.ScalableTargetARN})
	if err != nil {
		return failed(err, "read the tags of %s", what)
	}
	r := w.retagUnit(of, component, out.Tags)
	if len(r.lacks)+len(r.surplus) == 0 {
		return nil
	}
	if err := w.fence(ctx); err != nil {
		return err
	}
	return r.put(what, w.tagScaled(ctx, t.ScalableTargetARN), func(keys []string) error {
		_, err := w.clients.scaling.UntagResource(ctx, &scaling.UntagResourceInput{ResourceARN: t.ScalableTargetARN, TagKeys: keys})
		return err
	})
}

func (w *slotWork) tagScaled(ctx context.Context, arn *string) func(map[string]string) error {
	return func(tags map[string]string) error {
		_, err := w.clients.scaling.TagResource(ctx, &scaling.TagResourceInput{ResourceARN: arn, Tags: tags})
		return err
	}
}

// removeScaling takes a service away from Application Auto Scaling, with its policies and
// scheduled actions.
func (w *slotWork) removeScaling(ctx context.Context, p unit) error {
	if err := w.fence(ctx); err != nil {
		return err
	}
	id := w.scaledID(p)
	w.target.scaled.drop()
	_, err := w.clients.scaling.DeregisterScalableTarget(ctx, &scaling.DeregisterScalableTargetInput{ServiceNamespace: scaledNamespace, ScalableDimension: scaledDimension, ResourceId: &id})
	return failed(gone(err, errNoScaled), "end the scaling of %q", id)
}
