package awstarget

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

var noon = time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)

// second is so many seconds after noon.
func second(n int) time.Time { return noon.Add(time.Duration(n) * time.Second) }

// runs is a task that was made at a second and runs.
func runs(id string, at int) types.Task {
	return types.Task{
		TaskArn: aws.String("arn:aws:ecs:eu-central-1:1:task/cluster/" + id), CreatedAt: aws.Time(second(at)),
		LastStatus: aws.String(taskRunning), DesiredStatus: aws.String(taskRunning),
		Attachments: []types.Attachment{{Details: []types.KeyValuePair{{Name: aws.String("privateIPv4Address"), Value: aws.String(id)}}}},
	}
}

// over is a task that has stopped for a reason.
func over(id string, at, end int, code types.TaskStopCode, reason string, exit *int32) types.Task {
	t := runs(id, at)
	t.LastStatus, t.DesiredStatus, t.StoppedAt = aws.String(taskStopped), aws.String(taskStopped), aws.Time(second(end))
	t.StopCode, t.StoppedReason = code, aws.String(reason)
	t.Containers = []types.Container{{ExitCode: exit}}
	return t
}

func crashed(id string, at, end int) types.Task {
	return over(id, at, end, types.TaskStopCodeEssentialContainerExited, "Essential container in task exited", aws.Int32(1))
}

func TestTasksAreInstances(t *testing.T) {
	t.Parallel()
	scaledIn := over("c", 2, 50, types.TaskStopCodeServiceSchedulerInitiated, "Scaling activity", aws.Int32(0))
	unstarted := func(id string, at int, reason string) types.Task {
		return over(id, at, at+1, types.TaskStopCodeTaskFailedToStart, reason, nil)
	}
	for _, c := range []struct {
		name  string
		count int
		tasks []types.Task
		well  string // the addresses of the targets that are healthy
		want  []string
	}{
		{"none yet", 2, nil, "", []string{"1 waits, 0 restarts", "2 waits, 0 restarts"}},
		{"two that run, the older one first", 2, []types.Task{runs("b", 2), runs("a", 1)}, "a b", []string{"1 healthy, 0 restarts", "2 healthy, 0 restarts"}},
		{"one that is not healthy yet", 1, []types.Task{runs("a", 1)}, "", []string{"1 runs, 0 restarts it is no target of the load balancer yet"}},
		{"what was scaled in is gone", 1, []types.Task{runs("a", 1), scaledIn}, "a", []string{"1 healthy, 0 restarts"}},
		{"one that crashed and came again", 2, []types.Task{crashed("a", 1, 5), runs("b", 2), runs("c", 6)}, "b c", []string{"1 healthy, 1 restarts, last exited with code 1", "2 healthy, 0 restarts"}},
		{"one that crashes all the time", 1, []types.Task{crashed("a", 1, 2), crashed("b", 3, 4), crashed("c", 5, 6)}, "", []string{"1 waits, 3 restarts exited with code 1"}},
		{"one whose program is not there", 1, []types.Task{unstarted("a", 1, "CannotStartContainerError: no such file")}, "", []string{"1 waits, 1 restarts CannotStartContainerError: no such file permanent"}},
		{"an image is asked for again", 1, []types.Task{unstarted("a", 1, "CannotPullContainerError: not found")}, "", []string{"1 waits, 1 restarts CannotPullContainerError: not found"}},
		{"and again, and then given up", 1, []types.Task{
			unstarted("a", 1, "CannotPullContainerError: not found"), unstarted("b", 3, "CannotPullContainerError: not found"), unstarted("c", 5, "CannotPullContainerError: not found"),
		}, "", []string{"1 waits, 3 restarts CannotPullContainerError: not found permanent"}},
		{"one that was killed has no exit code", 1, []types.Task{
			over("a", 1, 5, types.TaskStopCodeEssentialContainerExited, "OutOfMemoryError: Container killed due to memory usage", aws.Int32(137)),
		}, "", []string{"1 waits, 1 restarts OutOfMemoryError: Container killed due to memory usage"}},
		{"of those that failed only as many come again as lack", 1, []types.Task{crashed("a", 1, 5), crashed("b", 2, 6), runs("c", 9)}, "c", []string{"1 healthy, 1 restarts, last exited with code 1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := seen{
				component: "web", count: c.count, tasks: c.tasks, now: second(60), targets: map[string]targetHealth{},
				Component: target.Component{Routes: []target.Route{{PathPrefix: "/"}}, HealthCheck: &target.HealthCheck{Path: "/", IntervalSeconds: 5, TimeoutSeconds: 2, HealthyThreshold: 1, UnhealthyThreshold: 2}},
			}
			for _, address := range strings.Fields(c.well) {
				s.targets[address] = targetHealth{state: elbtypes.TargetHealthStateEnumHealthy}
			}
			all, _ := s.statuses()
			var got []string
			for _, i := range all {
				state := "waits"
				if i.Running {
					state = "runs"
				}
				if i.Healthy {
					state = "healthy"
				}
				line := strings.TrimSpace(fmt.Sprintf("%d %s, %d restarts %s", i.Index, state, i.Restarts, i.Problem))
				if i.Permanent {
					line += " permanent"
				}
				if i.LastEnd != i.Problem && i.LastEnd != "" {
					line += ", last " + i.LastEnd
				}
				got = append(got, line)
				if i.Healthy == (i.UnhealthySince != nil) {
					t.Errorf("instance %d is healthy: %t, and is not since %v", i.Index, i.Healthy, i.UnhealthySince)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("instances (-want +got):\n%s", diff)
			}
		})
	}
}

// TestAWorkerRunsUntilItHasEnded looks at a worker that is to have no task, or one, while a task of it is in
// some state.
func TestAWorkerRunsUntilItHasEnded(t *testing.T) {
	t.Parallel()
	in := func(last string, change ...func(*types.Task)) types.Task {
		task := runs("a", 1)
		task.LastStatus, task.DesiredStatus = aws.String(last), aws.String(taskStopped)
		for _, c := range change {
			c(&task)
		}
		return task
	}
	wanted := func(t *types.Task) { t.DesiredStatus = aws.String(taskRunning) }
	crashed := func(t *types.Task) { t.StopCode = types.TaskStopCodeEssentialContainerExited }
	for _, c := range []struct {
		name  string
		count int
		task  types.Task
		want  bool // that it is seen to run
	}{
		{"it has not heard of it yet", 0, in("RUNNING"), true},
		{"it is about to be told", 0, in("DEACTIVATING"), true},
		{"it was told", 0, in("STOPPING"), true},
		{"it has ended", 0, in("DEPROVISIONING"), false},
		{"it is gone", 0, in("STOPPED"), false},
		{"it ended by itself", 0, in("STOPPING", crashed), false},
		{"it is just starting", 0, in("PENDING", wanted), true},
		{"it is one that is too many", 1, in("STOPPING"), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := seen{component: "worker", count: c.count, tasks: []types.Task{c.task}, now: second(60)}
			all, _ := s.statuses()
			if got := len(all) > 0 && all[0].Running; got != c.want || len(all) > 1 {
				t.Errorf("it runs: %t, want %t: %+v", got, c.want, all)
			}
			for _, i := range all {
				if i.Healthy || i.UnhealthySince == nil || i.Restarts > 0 {
					t.Errorf("it counts as one that works: %+v", i)
				}
			}
		})
	}
}

func TestHealthIsCountedFromWhenItWasSeen(t *testing.T) {
	t.Parallel()
	s := seen{
		component: "web", count: 1, tasks: []types.Task{runs("a", 1)}, now: second(60),
		targets:   map[string]targetHealth{"a": {state: elbtypes.TargetHealthStateEnumHealthy}},
		Component: target.Component{Routes: []target.Route{{PathPrefix: "/"}}, HealthCheck: &target.HealthCheck{Path: "/", IntervalSeconds: 1, HealthyThreshold: 3}},
	}
	look := func(at int) target.InstanceStatus {
		s.now = second(at)
		all, noted := s.statuses()
		s.noted = noted
		return all[0]
	}
	// A load balancer checks every five seconds at most, whatever was asked for.
	for _, c := range []struct {
		at, passes int
		healthy    bool
	}{{60, 1, false}, {64, 1, false}, {65, 2, false}, {70, 3, true}, {75, 4, true}} {
		i := look(c.at)
		if i.Passes != c.passes || i.Healthy != c.healthy || !i.HealthySince.Equal(second(60)) {
			t.Errorf("at second %d: %d passes since %s, healthy %t; want %d and %t", c.at, i.Passes, i.HealthySince, i.Healthy, c.passes, c.healthy)
		}
	}
	s.targets["a"] = targetHealth{state: elbtypes.TargetHealthStateEnumUnhealthy, reason: "Health checks failed with these codes: [503]"}
	for _, at := range []int{80, 85} {
		if i := look(at); i.Healthy || i.UnhealthySince == nil || !i.UnhealthySince.Equal(second(80)) || i.Passes != 0 || !strings.Contains(i.LastProbe, "503") {
			t.Errorf("at second %d: %+v", at, i)
		}
	}
	s.targets["a"] = targetHealth{state: elbtypes.TargetHealthStateEnumHealthy}
	if i := look(90); i.Passes != 1 || !i.HealthySince.Equal(second(90)) {
		t.Errorf("healthy again: %+v", i)
	}
}

func TestTasksOfAServiceThatWasRemovedAreNotThoseOfTheNext(t *testing.T) {
	t.Parallel()
	all := []types.Task{crashed("a", 1, 2), crashed("b", 3, 4), runs("c", 5), runs("d", 9)}
	for made, want := range map[int]int{0: 4, 3: 3, 5: 2} {
		if got := ofService(all, types.Service{CreatedAt: aws.Time(second(made))}); len(got) != want || len(got) > 0 && !got[0].CreatedAt.Equal(*all[4-want].CreatedAt) {
			t.Errorf("of a service that was made at second %d there are %d tasks, want the last %d", made, len(got), want)
		}
	}
	if got := ofService(all, types.Service{}); len(got) != 4 {
		t.Errorf("of a service that was made nobody knows when there are %d tasks, want 4", len(got))
	}
}

func TestAStackDrainsUntilWhatItWasAskedHasEnded(t *testing.T) {
	t.Parallel()
	s := slotState{Seats: map[target.Color]*seat{target.Blue: {Carried: true}, target.Green: {}}}
	for _, c := range []struct {
		name        string
		to          target.Traffic
		at          int
		blue, green bool
	}{
		{"what serves", target.Traffic{Color: target.Blue}, 0, true, false},
		{"two that share", target.Traffic{Color: target.Blue, Percent: 5}, 10, true, true},
		{"what has lost its traffic", target.Traffic{Color: target.Green}, 20, true, true},
		{"for so long", target.Traffic{Color: target.Green}, 49, true, true},
		{"and no longer", target.Traffic{Color: target.Green}, 50, false, true},
		{"what has it again", target.Traffic{Color: target.Blue}, 60, true, true},
		{"and the other one", target.Traffic{Color: target.Blue}, 90, true, false},
	} {
		if carries(c.to, target.Green) {
			s.Seats[target.Green].Carried = true
		}
		s.divide(c.to, second(c.at+30))
		if blue, green := s.Seats[target.Blue].drains(second(c.at)), s.Seats[target.Green].drains(second(c.at)); blue != c.blue || green != c.green {
			t.Errorf("%s: blue drains: %t, green: %t; want %t and %t", c.name, blue, green, c.blue, c.green)
		}
	}
}

func TestATaskThatIsNotCheckedTellsWhy(t *testing.T) {
	t.Parallel()
	const event = "service web was unable to register targets"
	for state, want := range map[elbtypes.TargetHealthStateEnum]string{
		"":                                      "it is no target of the load balancer yet; the last that ECS said is: " + event,
		elbtypes.TargetHealthStateEnumUnused:    "the load balancer has it as unused (its zone is not enabled); the last that ECS said is: " + event,
		elbtypes.TargetHealthStateEnumInitial:   "",
		elbtypes.TargetHealthStateEnumUnhealthy: "",
	} {
		s := seen{
			component: "web", count: 1, tasks: []types.Task{runs("a", 1)}, now: second(60), event: event,
			targets:   map[string]targetHealth{"a": {state: state, reason: "its zone is not enabled"}},
			Component: target.Component{Routes: []target.Route{{PathPrefix: "/"}}, HealthCheck: &target.HealthCheck{Path: "/", HealthyThreshold: 1}},
		}
		if all, _ := s.statuses(); all[0].Problem != want || all[0].Healthy {
			t.Errorf("state %q: %+v, want problem %q", state, all[0], want)
		}
	}
}
