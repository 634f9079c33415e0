package awstarget

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

const (
	taskRunning        = "RUNNING"
	taskDeprovisioning = "DEPROVISIONING"
	taskStopped        = "STOPPED"
)

// tasksOf are all tasks of a cluster, or those of one service, or of one family of task definitions.
type tasksOf struct{ service, family string }

// listTasks lists the ARNs of tasks, with those that stopped within the last hour.
func listTasks(ctx context.Context, c *clients, cluster string, of tasksOf) ([]string, error) {
	var all []string
	for _, state := range []types.DesiredStatus{types.DesiredStatusRunning, types.DesiredStatusStopped} {
		in := &ecs.ListTasksInput{Cluster: &cluster, DesiredStatus: state}
		if of.service != "" {
			in.ServiceName = &of.service
		}
		if of.family != "" {
			in.Family = &of.family
		}
		pages := ecs.NewListTasksPaginator(c.ecs, in)
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, failed(gone(err, errNoService, errServiceEnds), "list the tasks of %q", of.service+of.family)
			}
			all = append(all, page.TaskArns...)
		}
	}
	return all, nil
}

// findTasks describes tasks, a hundred at a time. Those that ECS has forgotten are left out.
func findTasks(ctx context.Context, c *clients, cluster string, arns []string) ([]types.Task, error) {
	var all []types.Task
	for some := range slices.Chunk(arns, 100) {
		out, err := c.ecs.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: &cluster, Tasks: some})
		if err != nil {
			return nil, failed(absent(err, errNoCluster), "find tasks of cluster %q", cluster)
		}
		all = append(all, out.Tasks...)
	}
	return all, nil
}

// ofService are the tasks of a service among those that ECS lists by its name: it lists what stopped within
// the last hour, also of one of that name that was removed. What that one failed at is not this one's fault.
func ofService(all []types.Task, s types.Service) []types.Task {
	return slices.DeleteFunc(slices.Clone(all), func(t types.Task) bool {
		return t.CreatedAt != nil && t.CreatedAt.Before(aws.ToTime(s.CreatedAt))
	})
}

// taskID is the end of a task's ARN.
func taskID(arn string) string { return arn[strings.LastIndex(arn, "/")+1:] }

// address is that of a task in its subnet.
func address(t types.Task) string {
	for _, a := range t.Attachments {
		for _, d := range a.Details {
			if text(d.Name) == "privateIPv4Address" {
				return text(d.Value)
			}
		}
	}
	return ""
}

// alive says whether a task runs, or is to run.
func alive(t types.Task) bool {
	return text(t.LastStatus) != taskStopped && text(t.DesiredStatus) != taskStopped
}

// mayRun says whether a task's program may run. That it is to stop does not rule it out: it may take its
// time for that ("Amazon ECS task lifecycle").
func mayRun(t types.Task) bool {
	state := text(t.LastStatus)
	return state != taskDeprovisioning && state != taskStopped && !failedTask(t)
}

// failedTask says whether a task ended by itself or could not be started. What ECS stopped it
// did on purpose.
func failedTask(t types.Task) bool {
	return t.StopCode == types.TaskStopCodeEssentialContainerExited || t.StopCode == types.TaskStopCodeTaskFailedToStart
}

// stoppedAt is when a task ended, or began to.
func stoppedAt(t types.Task) time.Time {
	for _, at := range []*time.Time{t.StoppedAt, t.ExecutionStoppedAt, t.StoppingAt} {
		if at != nil {
			return at.UTC()
		}
	}
	return time.Time{}
}

// trouble is why a task ended.
type trouble struct {
	// code is ECS's own for what keeps a container from starting ("Stopped tasks error
	// messages"), exit that of the program where it ended.
	code string
	exit *int
	text string
}

func troubleOf(t types.Task) trouble {
	out := trouble{text: text(t.StoppedReason)}
	if len(t.Containers) > 0 {
		c := t.Containers[0]
		if c.ExitCode != nil && t.StopCode == types.TaskStopCodeEssentialContainerExited {
			out.exit = aws.Int(int(*c.ExitCode))
		}
		if r := text(c.Reason); r != "" {
			out.text = r
		}
	}
	out.code, _, _ = strings.Cut(out.text, ":")
	switch {
	case out.code == codeOutOfMemory:
		out.exit = nil // it was killed
	case out.exit != nil:
		out.text = fmt.Sprintf("exited with code %d", *out.exit)
	}
	return out
}

// Codes of containers that did not start, or were killed.
const (
	codeOutOfMemory  = "OutOfMemoryError"
	codeCannotPull   = "CannotPullContainerError"
	codeCannotStart  = "CannotStartContainerError"
	codeCannotCreate = "CannotCreateContainerError"
)

// neverStarts says whether to try again can't help: the program is not in the image. An image that
// can't be had is given a few tries, for the registry may be at fault.
func (t trouble) neverStarts(tries int) bool {
	const enough = 3
	return t.code == codeCannotStart || t.code == codeCannotCreate || t.code == codeCannotPull && tries >= enough
}

// lookings is how often ECS is asked for a task before what it says counts: it may not know yet what it
// began a moment ago. On AWS they take some 13 seconds.
const lookings = 6

// stopTask stops a task. One that is gone needs no stop.
func (w *slotWork) stopTask(ctx context.Context, arn, reason string) error {
	tries := 0
	return w.target.until(ctx, fmt.Sprintf("the end of task %q", taskID(arn)), func(ctx context.Context) (status, bool, error) {
		if err := w.fence(ctx); err != nil {
			return "", false, err
		}
		_, err := w.clients.ecs.StopTask(ctx, &ecs.StopTaskInput{Cluster: aws.String(w.clusterName()), Task: &arn, Reason: &reason})
		if coded(err, "InvalidParameterException") { // it was not found
			tries++
			return "not known to ECS", tries == lookings, nil
		}
		return "stopped", true, failed(gone(err, errNoCluster), "stop task %q", taskID(arn))
	})
}
