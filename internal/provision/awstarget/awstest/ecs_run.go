package awstest

import (
	"context"
	"reflect"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// ran is what a token of RunTask stands for.
type ran struct {
	in    ecs.RunTaskInput
	tasks []*task
}

// runTask follows RunTask and "Ensuring idempotency": the same token with the same parameters
// answers with the tasks that it started, with others it is a ConflictException.
func (f *fleet) runTask(ctx context.Context, c Call) (any, error) {
	var in ecs.RunTaskInput
	if err := c.read(&in); err != nil {
		return nil, err
	}
	cluster, err := f.cluster(ctx, c.Region, in.Cluster)
	if err != nil {
		return nil, err
	}
	at := place{c.Region, aws.ToString(cluster.ClusterName)}
	token := aws.ToString(cluster.ClusterArn) + " " + aws.ToString(in.ClientToken)
	before, known := f.ran[token]
	switch {
	case in.ClientToken != nil && known && reflect.DeepEqual(before.in, in):
		return runOutput(before.tasks), nil
	case in.ClientToken != nil && known:
		return nil, refuse("ConflictException", "The client token was used with other parameters.")
	}
	d, err := f.definition(ctx, c.Region, in.TaskDefinition)
	if err != nil {
		return nil, err
	}
	n, err := f.network(ctx, c.Region, in.NetworkConfiguration)
	if err != nil {
		return nil, err
	}
	var tasks []*task
	for range max(1, aws.ToInt32(in.Count)) {
		t := f.newTask(at, d, n)
		t.StartedBy, t.Tags, t.Overrides = in.StartedBy, in.Tags, in.Overrides
		if t.Group = in.Group; t.Group == nil {
			t.Group = aws.String("family:" + aws.ToString(d.Family))
		}
		if in.LaunchType == "" && len(in.CapacityProviderStrategy) > 0 {
			t.LaunchType, t.CapacityProviderName = "", in.CapacityProviderStrategy[0].CapacityProvider
		}
		t.override(in.Overrides)
		tasks = append(tasks, t)
	}
	if in.ClientToken != nil {
		f.ran[token] = ran{in, tasks}
	}
	return runOutput(tasks), nil
}

func runOutput(tasks []*task) *ecs.RunTaskOutput {
	out := &ecs.RunTaskOutput{}
	for _, t := range tasks {
		out.Tasks = append(out.Tasks, t.Task)
	}
	return out
}

// override changes what a task runs.
func (t *task) override(o *types.TaskOverride) {
	if o == nil {
		return
	}
	set(t.Cpu, o.Cpu)
	for _, c := range o.ContainerOverrides {
		if aws.ToString(c.Name) != aws.ToString(t.definition.Name) {
			continue
		}
		if c.Command != nil {
			t.container.Command = slices.Concat(t.definition.EntryPoint, c.Command)
		}
		for _, v := range c.Environment {
			t.container.Environment[aws.ToString(v.Name)] = aws.ToString(v.Value)
		}
	}
}

// stopTask follows StopTask.
func (f *fleet) stopTask(_ context.Context, c Call) (any, error) {
	var in ecs.StopTaskInput
	if err := c.read(&in); err != nil {
		return nil, err
	}
	t := f.task(place{c.Region, nameOfCluster(in.Cluster)}, aws.ToString(in.Task))
	if t == nil {
		return nil, refuse("InvalidParameterException", "The referenced task was not found.")
	}
	reason := aws.ToString(in.Reason)
	if reason == "" {
		reason = "Task stopped by user"
	}
	t.stop(types.TaskStopCodeUserInitiated, reason)
	return &ecs.StopTaskOutput{Task: &t.Task}, nil
}

// stop begins the end of a task.
func (t *task) stop(code types.TaskStopCode, reason string) {
	if !t.wanted() {
		return
	}
	now := time.Now()
	t.DesiredStatus, t.StoppingAt = aws.String(stopped), &now
	t.StopCode, t.StoppedReason = code, &reason
}
