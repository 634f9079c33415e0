package awstest

import (
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// stepService lets a service's scheduler look once: it replaces what stopped or is not healthy,
// starts what lacks and stops what is too many ("Service scheduler concepts").
func (f *fleet) stepService(s *ecsService, now time.Time) {
	if aws.ToString(s.Status) == inactive {
		return
	}
	ours := f.tasksOf(s)
	for _, t := range ours {
		if !t.wanted() || !t.is(running) {
			continue
		}
		if why := f.unhealthy(s, t, now); why != "" {
			s.Deployments[0].FailedTasks++
			s.tell("(task %s) %s", t.id(), why)
			t.stop(types.TaskStopCodeServiceSchedulerInitiated, "Task "+why)
		}
	}
	newest := &s.Deployments[0]
	current, older := split(ours, *newest.Id)
	newest.DesiredCount = s.DesiredCount
	f.startTasks(s, int(s.DesiredCount)-len(current), now)
	f.stopTasks(s, current, int(s.DesiredCount))
	f.count(s, now)
	if newest.RunningCount == newest.DesiredCount && f.allReady(s, current) {
		f.stopTasks(s, older, 0)
		f.settle(s, len(f.tasksOf(s)) > len(current), now)
	}
	if aws.ToString(s.Status) == draining && len(f.tasksOf(s)) == 0 {
		s.Status, s.Deployments = aws.String(inactive), nil
	}
}

// tasksOf are the tasks of a service that have not stopped; those that have are counted once.
func (f *fleet) tasksOf(s *ecsService) []*task {
	var all []*task
	for _, t := range f.tasks {
		switch {
		case t.service != s:
		case !t.stopped():
			all = append(all, t)
		case !t.noted:
			t.noted = true
			s.note(t)
		}
	}
	return all
}

// note counts a task that stopped. One that never ran puts the next one off, by "Service
// throttle logic"; only such a one, or one with a failed check, is a failed task of the
// deployment (Deployment, failedTasks).
func (s *ecsService) note(t *task) {
	pause := faster(15)
	switch t.StopCode {
	case types.TaskStopCodeTaskFailedToStart:
		s.failures++
		pause <<= min(s.failures, 3)
		if len(s.Deployments) > 0 {
			s.Deployments[0].FailedTasks++
		}
		if s.failures%5 == 0 {
			s.tell("is unable to consistently start tasks successfully. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.")
		}
	case types.TaskStopCodeEssentialContainerExited:
	default:
		return
	}
	s.next = time.Now().Add(pause)
}

// split tells the wanted tasks of a deployment from those of older ones.
func split(all []*task, deployment string) (current, older []*task) {
	for _, t := range all {
		switch {
		case !t.wanted():
		case aws.ToString(t.StartedBy) == deployment:
			current = append(current, t)
		default:
			older = append(older, t)
		}
	}
	return current, older
}

// unhealthy says what a task failed, after the grace period.
func (f *fleet) unhealthy(s *ecsService, t *task, now time.Time) string {
	if now.Before(t.StartedAt.Add(faster(aws.ToInt32(s.HealthCheckGracePeriodSeconds)))) {
		return ""
	}
	if t.HealthStatus == types.HealthStatusUnhealthy {
		return "failed container health checks"
	}
	for _, k := range t.targets {
		if f.balancing.state(k) == unhealthyTarget {
			return "failed ELB health checks in (target-group " + k.group + ")"
		}
	}
	return ""
}

func (f *fleet) startTasks(s *ecsService, n int, now time.Time) {
	if n <= 0 || now.Before(s.next) || aws.ToString(s.Status) != active {
		return
	}
	d := s.definitions[*s.TaskDefinition]
	var ids []string
	for range n {
		t := f.newTask(s.place, d, s.network)
		t.service, t.StartedBy, t.Group = s, s.Deployments[0].Id, aws.String("service:"+*s.ServiceName)
		if s.PropagateTags == types.PropagateTagsService {
			t.Tags = slices.Clone(s.Tags)
		}
		if s.LaunchType == "" && len(s.CapacityProviderStrategy) > 0 {
			t.LaunchType, t.CapacityProviderName = "", s.CapacityProviderStrategy[0].CapacityProvider
		}
		ids = append(ids, "(task "+t.id()+")")
	}
	s.steady = false
	s.tell("has started %d tasks: %s.", len(ids), strings.Join(ids, " "))
}

// stopTasks stops the newest of those that are too many. Which ones AWS would stop is not said
// anywhere.
func (f *fleet) stopTasks(s *ecsService, tasks []*task, keep int) {
	var ids []string
	for i := keep; i < len(tasks); i++ {
		tasks[i].stop(types.TaskStopCodeServiceSchedulerInitiated, "Scaling activity initiated by (deployment "+aws.ToString(s.Deployments[0].Id)+")")
		ids = append(ids, "(task "+tasks[i].id()+")")
	}
	if len(ids) > 0 {
		s.steady = false
		s.tell("has stopped %d running tasks: %s.", len(ids), strings.Join(ids, " "))
	}
}

// count counts the tasks of a service and of each of its deployments.
func (f *fleet) count(s *ecsService, now time.Time) {
	s.RunningCount, s.PendingCount = 0, 0
	for i := range s.Deployments {
		d := &s.Deployments[i]
		d.RunningCount, d.PendingCount = 0, 0
		for _, t := range f.tasksOf(s) {
			if aws.ToString(t.StartedBy) != *d.Id || !t.wanted() {
				continue
			}
			if t.is(running) {
				d.RunningCount++
			} else {
				d.PendingCount++
			}
		}
		s.RunningCount, s.PendingCount, d.UpdatedAt = s.RunningCount+d.RunningCount, s.PendingCount+d.PendingCount, &now
	}
}

// allReady says whether tasks run and pass their checks.
func (f *fleet) allReady(s *ecsService, tasks []*task) bool {
	for _, t := range tasks {
		if t.definition.HealthCheck != nil && t.HealthStatus != types.HealthStatusHealthy {
			return false
		}
		for _, k := range t.targets {
			if f.balancing.state(k) != healthyTarget {
				return false
			}
		}
	}
	return s.next.IsZero() || time.Now().After(s.next)
}

// settle ends the deployments before the newest, and that one's rollout.
func (f *fleet) settle(s *ecsService, stopping bool, now time.Time) {
	if stopping || s.steady {
		return
	}
	s.steady, s.failures = true, 0
	s.Deployments = s.Deployments[:1]
	d := &s.Deployments[0]
	if d.RolloutState == types.DeploymentRolloutStateInProgress {
		d.RolloutState, d.RolloutStateReason, d.UpdatedAt = types.DeploymentRolloutStateCompleted, aws.String("ECS deployment "+*d.Id+" completed."), &now
	}
	if aws.ToString(s.Status) == active {
		s.tell("has reached a steady state.")
	}
}
