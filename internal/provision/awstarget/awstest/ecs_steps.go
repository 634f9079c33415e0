package awstest

import (
	"context"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// stepTask lets a task go one state on: "Amazon ECS task lifecycle". Before its container is
// told to stop its targets have drained: "Optimize load balancer connection draining".
func (f *fleet) stepTask(t *task, now time.Time) {
	if t.stopped() {
		return
	}
	switch state := aws.ToString(t.LastStatus); {
	case t.process == nil && !t.wanted():
		t.end(now, nil)
	case state == "PROVISIONING":
		t.LastStatus = aws.String("PENDING")
	case state == "PENDING" && t.process == nil:
		f.launch(t)
	case state == "PENDING":
		f.begin(t, now)
	case closed(t.process.ended):
		t.stop(types.TaskStopCodeEssentialContainerExited, "Essential container in task exited")
		f.deregister(t, now)
		t.end(now, aws.Int32(int32(t.process.code)))
	case t.wanted():
		t.check(now)
	case state == running:
		t.LastStatus = aws.String("DEACTIVATING")
		f.deregister(t, now)
	case state == "DEACTIVATING" && f.balancing.gone(t.targets):
		t.LastStatus = aws.String("STOPPING")
		timeout := int32(30)
		set(&timeout, t.definition.StopTimeout)
		t.killAt = now.Add(faster(timeout))
		t.process.terminate()
	case state == "STOPPING" && now.After(t.killAt):
		t.end(now, aws.Int32(137))
	}
}

// launch starts a task's container, or says why it can't be: "Stopped tasks error messages".
func (f *fleet) launch(t *task) {
	image := t.container.Image
	run, known := f.programs[imageName(image)]
	switch command := t.container.Command; {
	case !known:
		t.stop(types.TaskStopCodeTaskFailedToStart, fmt.Sprintf("CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref %s: not found", image))
	case len(command) > 0 && strings.HasPrefix(path.Base(command[0]), "missing"):
		t.stop(types.TaskStopCodeTaskFailedToStart, fmt.Sprintf("CannotStartContainerError: failed to create task: OCI runtime create failed: exec: %q: executable file not found in $PATH", command[0]))
	default:
		t.process = f.startProcess(t.container, run, func(ctx context.Context, p *process) error { return f.ready(ctx, t, p) })
	}
}

// begin notes that a container runs, or that it did not start.
func (f *fleet) begin(t *task, now time.Time) {
	switch {
	case closed(t.process.begun):
		t.StartedAt, t.LastStatus = &now, aws.String(running)
		t.Containers[0].LastStatus, t.Containers[0].RuntimeId = aws.String(running), aws.String(t.id()+"-1")
		f.register(t)
	case closed(t.process.ended):
		t.stop(types.TaskStopCodeTaskFailedToStart, t.process.problem.Error())
		t.end(now, nil)
	}
}

// check runs the check of the container's definition. In its start period only one that passes counts; then
// those count that fail as well.
func (t *task) check(now time.Time) {
	h := t.definition.HealthCheck
	if h == nil {
		return
	}
	status := types.HealthStatusHealthy
	if t.process.sick.Load() {
		status = types.HealthStatusUnhealthy
		if t.HealthStatus == types.HealthStatusUnknown && now.Before(t.StartedAt.Add(faster(aws.ToInt32(h.StartPeriod)))) {
			return
		}
	}
	t.HealthStatus, t.Containers[0].HealthStatus = status, status
}

// end notes that a task has stopped.
func (t *task) end(now time.Time, code *int32) {
	t.LastStatus, t.StoppedAt, t.ExecutionStoppedAt = aws.String(stopped), &now, &now
	for i := range t.Containers {
		t.Containers[i].LastStatus = aws.String(stopped)
	}
	t.Containers[0].ExitCode = code
	if t.StopCode == types.TaskStopCodeTaskFailedToStart {
		t.Containers[0].Reason = t.StoppedReason
	}
}

// register makes a task a target of its service's target groups.
func (f *fleet) register(t *task) {
	if t.service == nil {
		return
	}
	for _, b := range t.service.LoadBalancers {
		k := targetKey{aws.ToString(b.TargetGroupArn), t.address, aws.ToInt32(b.ContainerPort)}
		f.balancing.register(t.place.region, k, aws.ToString(t.AvailabilityZone), t.process.address)
		t.targets = append(t.targets, k)
		t.service.tell("registered 1 targets in (target-group %s)", k.group)
	}
}

func (f *fleet) deregister(t *task, now time.Time) {
	for _, k := range t.targets {
		if f.balancing.deregister(k, now) {
			t.service.tell("deregistered 1 targets in (target-group %s)", k.group)
		}
	}
}
