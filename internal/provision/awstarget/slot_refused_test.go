package awstarget

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// ECS has no room for a task, and has it later: that one is begun as if it had never been asked for.
func TestATaskWithoutRoomIsBegunLater(t *testing.T) {
	t.Parallel()
	room := false
	n := scripted(t, func(in any) (any, error) {
		switch in.(type) {
		case *ecs.ListTaskDefinitionsInput:
			return &ecs.ListTaskDefinitionsOutput{TaskDefinitionArns: []string{"definition"}}, nil
		case *ecs.RunTaskInput:
			if !room {
				return &ecs.RunTaskOutput{Failures: []types.Failure{{Reason: aws.String("RESOURCE:FARGATE")}}}, nil
			}
			return &ecs.RunTaskOutput{Tasks: []types.Task{{TaskArn: aws.String("cluster/task")}}}, nil
		case *ecs.DeregisterTaskDefinitionInput:
			return new(ecs.DeregisterTaskDefinitionOutput), nil
		case *ecs.DeleteTaskDefinitionsInput:
			return new(ecs.DeleteTaskDefinitionsOutput), nil
		}
		return nil, fmt.Errorf("%T is not expected", in)
	})
	w := &slotWork{noun: n, lease: target.Lease{Token: heldToken}}
	begin := func(ctx context.Context) error {
		return w.beginTask(ctx, target.TaskSpec{Key: "suite", Kind: target.TaskTest})
	}
	if err := begin(t.Context()); !errors.Is(err, target.ErrUnavailable) || len(w.state.Tasks) > 0 {
		t.Errorf("without room: got error %v, and there is %v", err, w.state.Tasks)
	}
	room = true
	if err := begin(t.Context()); err != nil || w.state.Tasks["suite"] == nil || w.state.Tasks["suite"].ARN == "" {
		t.Errorf("with room: got error %v, and there is %v", err, w.state.Tasks)
	}
}
