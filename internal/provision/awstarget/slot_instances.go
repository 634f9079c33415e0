package awstarget

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// seen is what was asked of AWS about a component.
type seen struct {
	component string
	target.Component
	// count is how many tasks its service wants.
	count int
	tasks []types.Task
	// event is the last that its service told, "" for none.
	event string
	// targets is what the load balancer says, by address; nil for a worker.
	targets map[string]targetHealth
	// unasked says that the load balancer was not asked. ECS takes away what it finds unhealthy, so
	// that what runs and was not noted as unhealthy is taken for healthy.
	unasked bool
	// noted is since when tasks are what they are, by id.
	noted map[string]health
	now   time.Time
}

// instance is one instance over the tasks that it was: each took the place of one that failed.
type instance struct {
	tasks []types.Task
}

func (i instance) last() types.Task { return i.tasks[len(i.tasks)-1] }

// instances are the tasks of a component as instances: those that run in the order in which the
// first of each began, then those whose task failed and that ECS will start again.
func (s seen) instances() []instance {
	tasks := slices.Clone(s.tasks)
	slices.SortFunc(tasks, func(a, b types.Task) int {
		return cmp.Or(aws.ToTime(a.CreatedAt).Compare(aws.ToTime(b.CreatedAt)), cmp.Compare(text(a.TaskArn), text(b.TaskArn)))
	})
	var all []instance
	for _, t := range tasks {
		at := slices.IndexFunc(all, func(i instance) bool {
			return failedTask(i.last()) && !stoppedAt(i.last()).After(aws.ToTime(t.CreatedAt))
		})
		if at < 0 {
			all = append(all, instance{})
			at = len(all) - 1
		}
		all[at].tasks = append(all[at].tasks, t)
	}
	all = slices.DeleteFunc(all, func(i instance) bool { return !alive(i.last()) && !failedTask(i.last()) })
	living := 0
	for _, i := range all {
		if alive(i.last()) {
			living++
		}
	}
	// Of those that failed only so many are started again as lack.
	room := max(0, s.count-living)
	return slices.DeleteFunc(all, func(i instance) bool {
		if alive(i.last()) {
			return false
		}
		room--
		return room < 0
	})
}

// statuses are the instances as they are observed, and since when each running task is healthy or
// not any more.
func (s seen) statuses() ([]target.InstanceStatus, map[string]health) {
	var all []target.InstanceStatus
	noted := map[string]health{}
	for _, t := range s.tasks {
		if was, known := s.noted[taskID(text(t.TaskArn))]; known && !alive(t) {
			noted[taskID(text(t.TaskArn))] = was
		}
	}
	for n, i := range s.instances() {
		st := s.status(i, noted)
		st.Running = st.Running || s.leaves(i.last())
		st.Component, st.Index = s.component, n+1
		all = append(all, st)
	}
	for _, t := range s.tasks {
		if !alive(t) && s.leaves(t) {
			at := s.now
			all = append(all, target.InstanceStatus{Component: s.component, Index: len(all) + 1, Running: true, UnhealthySince: &at, Problem: "it is being stopped"})
		}
	}
	for len(all) < s.count { // not begun yet
		at := s.now
		all = append(all, target.InstanceStatus{Component: s.component, Index: len(all) + 1, UnhealthySince: &at, Problem: s.notBegun()})
	}
	return all, noted
}

// leaves says whether a task is one of a worker that is to have none, and may still take jobs.
func (s seen) leaves(t types.Task) bool { return s.Worker() && s.count == 0 && mayRun(t) }

// notBegun is why an instance has no task yet, as far as ECS tells.
func (s seen) notBegun() string {
	if s.event == "" {
		return ""
	}
	return "no task yet; the last that ECS said is: " + s.event
}

// status is one instance as it is observed.
func (s seen) status(i instance, noted map[string]health) target.InstanceStatus {
	t := i.last()
	st := target.InstanceStatus{Running: alive(t) && text(t.LastStatus) == taskRunning, Restarts: len(i.tasks) - 1}
	if !alive(t) {
		st.Restarts++ // ECS is about to
	}
	var passes bool
	passes, st.LastProbe = s.check(t)
	id, since := taskID(text(t.TaskArn)), s.unhealthySince(i)
	was, known := s.noted[id]
	switch {
	case passes && st.Running:
		if !known || !was.Healthy {
			was = health{true, s.now}
			if s.unasked {
				was.Since = aws.ToTime(t.StartedAt).UTC()
			}
		}
		noted[id] = was
		st.HealthySince, st.Passes = &was.Since, 1
		if s.HealthCheck != nil {
			st.Passes += int(s.now.Sub(was.Since) / (time.Duration(s.interval()) * time.Second))
		}
		st.Healthy = s.HealthCheck == nil || st.Passes >= s.HealthCheck.HealthyThreshold
	case alive(t) && known:
		if was.Healthy {
			was = health{false, s.now}
		}
		noted[id], since = was, was.Since
	}
	if !st.Healthy {
		st.UnhealthySince = &since
	}
	if bad := i.lastFailed(); bad != nil {
		why := troubleOf(*bad)
		st.LastEnd = why.text
		if !st.Running {
			st.Problem, st.Permanent = why.text, why.neverStarts(len(i.tasks))
		}
	}
	if st.Running && !st.Healthy {
		st.Problem = s.unchecked(t)
	}
	return st
}

// unchecked is why a task that runs behind the load balancer is not checked by it, as far as AWS
// tells.
func (s seen) unchecked(t types.Task) string {
	if s.HealthCheck == nil || s.Worker() || s.unasked {
		return ""
	}
	why := s.targets[address(t)].unchecked()
	if why != "" && s.event != "" {
		why += "; the last that ECS said is: " + s.event
	}
	return why
}

// interval is how often an instance is checked on AWS, in seconds.
func (s seen) interval() int { return checks(*s.HealthCheck).IntervalSeconds }

// check says whether a task passes its check, and what is known of the last one in words.
func (s seen) check(t types.Task) (passes bool, probe string) {
	switch {
	case s.HealthCheck == nil:
		return true, ""
	case s.Worker():
		switch t.HealthStatus {
		case types.HealthStatusHealthy:
			return true, fmt.Sprintf("GET %s passes", s.HealthCheck.Path)
		case types.HealthStatusUnhealthy:
			return false, fmt.Sprintf("GET %s fails", s.HealthCheck.Path)
		}
		return false, ""
	case s.unasked:
		was, known := s.noted[taskID(text(t.TaskArn))]
		return !known || was.Healthy, ""
	}
	h := s.targets[address(t)]
	switch h.state {
	case elbtypes.TargetHealthStateEnumHealthy:
		return true, fmt.Sprintf("GET %s passes", s.HealthCheck.Path)
	case elbtypes.TargetHealthStateEnumUnhealthy:
		return false, fmt.Sprintf("GET %s: %s", s.HealthCheck.Path, h.reason)
	}
	return false, ""
}

// unhealthySince is when an instance that is not healthy was last, or when it began.
func (s seen) unhealthySince(i instance) time.Time {
	since := aws.ToTime(i.tasks[0].CreatedAt).UTC()
	for _, t := range i.tasks {
		if was, known := s.noted[taskID(text(t.TaskArn))]; known && was.Healthy && !alive(t) {
			since = stoppedAt(t)
		}
	}
	return since
}

// lastFailed is the last task of an instance that failed, nil if none did.
func (i instance) lastFailed() *types.Task {
	for _, t := range slices.Backward(i.tasks) {
		if failedTask(t) {
			return &t
		}
	}
	return nil
}
