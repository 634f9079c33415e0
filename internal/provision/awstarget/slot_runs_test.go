package awstarget

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// The answer to the start of a task was lost: ECS lists the run late, or there is none.
func TestARunWhoseAnswerWasLostIsLookedFor(t *testing.T) {
	t.Parallel()
	const suite, never, long = "suite", 1000 * time.Hour, 25 * time.Hour
	start := func(w *slotWork, ctx context.Context) error {
		_, err := w.startTask(ctx, suite)
		return err
	}
	remove := func(w *slotWork, ctx context.Context) error { return w.removeTask(ctx, suite) }
	look := func(w *slotWork, ctx context.Context) error { return w.observeTasks(ctx, new(target.Observation)) }
	for _, c := range []struct {
		name         string
		do           func(*slotWork, context.Context) error
		age          time.Duration // since it was to be started
		unregistered bool
		listed       time.Duration // from now
		least        time.Duration // that is waited, and at most 20 seconds more
		want         []string      // what ECS is asked to do
		state        string
		err          error
	}{
		{"removed, listed late", remove, time.Minute, false, 40 * time.Second, 35 * time.Second, []string{"stop"}, "", nil},
		{"removed, never listed", remove, time.Minute, false, never, taskLag, nil, "", nil},
		{"removed, never registered", remove, time.Minute, true, never, 0, nil, "", nil},
		{"looked at, listed late", look, time.Minute, false, 40 * time.Second, 35 * time.Second, nil, "runs", nil},
		{"looked at long after, listed late", look, long, false, 40 * time.Second, 35 * time.Second, nil, "runs", nil},
		{"looked at, never listed", look, time.Minute, false, never, taskLag, nil, "ended", nil},
		{"looked at, never registered", look, time.Minute, true, never, 0, nil, "ended", nil},
		{"started again, listed late", start, time.Minute, false, 40 * time.Second, 35 * time.Second, []string{"run"}, "runs", nil},
		{"started again, never listed", start, time.Minute, false, never, taskLag, []string{"run"}, "", target.ErrUnavailable},
		{"started again long after, listed late", start, long, false, 40 * time.Second, 35 * time.Second, nil, "runs", nil},
		{"started again long after, never listed", start, long, false, never, taskLag, nil, "ended", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var did []string
			var n *noun
			var began time.Time
			n = scripted(t, func(in any) (any, error) {
				switch in.(type) {
				case *ecs.ListTaskDefinitionsInput:
					if c.unregistered {
						return new(ecs.ListTaskDefinitionsOutput), nil
					}
					return &ecs.ListTaskDefinitionsOutput{TaskDefinitionArns: []string{"definition"}}, nil
				case *ecs.ListTasksInput:
					if n.target.now().Sub(began) < c.listed {
						return new(ecs.ListTasksOutput), nil
					}
					return &ecs.ListTasksOutput{TaskArns: []string{"cluster/task"}}, nil
				case *ecs.DescribeTasksInput: // which knows it later
					return new(ecs.DescribeTasksOutput), nil
				case *ecs.RunTaskInput:
					did = append(did, "run")
					return nil, refused("ConflictException")
				case *ecs.StopTaskInput:
					did = append(did, "stop")
					return new(ecs.StopTaskOutput), nil
				case *ecs.DeregisterTaskDefinitionInput:
					return new(ecs.DeregisterTaskDefinitionOutput), nil
				case *ecs.DeleteTaskDefinitionsInput:
					return new(ecs.DeleteTaskDefinitionsOutput), nil
				}
				return nil, fmt.Errorf("%T is not expected", in)
			})
			began = n.target.now()
			k := &oneTask{Spec: target.TaskSpec{Key: suite, Kind: target.TaskTest}, Nonce: "1", StartedAt: began.Add(-c.age)}
			w := &slotWork{noun: n, lease: target.Lease{Token: heldToken}, state: slotState{Tasks: map[string]*oneTask{suite: k}}}
			if err := c.do(w, t.Context()); !errors.Is(err, c.err) {
				t.Errorf("got error %v", err)
			}
			if waited := n.target.now().Sub(began); waited < c.least || waited > c.least+20*time.Second {
				t.Errorf("waited for %s", waited)
			}
			if diff := cmp.Diff(c.want, slices.Compact(did)); diff != "" {
				t.Errorf("ECS was asked to (-want +got):\n%s", diff)
			}
			state := ""
			switch k := w.state.Tasks[suite]; {
			case k == nil:
			case k.Ended != nil && k.Ended.Problem != "":
				state = "ended"
			case k.Ended == nil && k.ARN != "":
				state = "runs"
			}
			if state != c.state {
				t.Errorf("it is %q, want %q: %+v", state, c.state, w.state.Tasks[suite])
			}
		})
	}
}
