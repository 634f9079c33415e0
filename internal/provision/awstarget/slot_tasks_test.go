package awstarget_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget/awstest"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// late is a slot of which AWS knows less than is there, for a while or for ever.
type late struct {
	*testing.T
	*lab
	id target.SlotID
}

// trial makes a client that has the slot's lease; all of them are the same holder.
func (s *late) trial(change ...func(*awstarget.Settings)) (*trial, target.Lease) {
	s.Helper()
	r := s.try(s, wait.NewFake(time.Now()), time.Second, change...)
	lease, err := r.AcquireLease(s.Context(), s.id, "token", "me", 1000*time.Hour)
	if err != nil {
		s.Fatal(err)
	}
	return r, lease
}

func (s *late) ok(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// runs wants so many tasks.
func (s *late) runs(want int) {
	s.Helper()
	if got := s.running(s.T, home)["task"]; got != want {
		s.Fatalf("there are %d tasks, want %d", got, want)
	}
}

func (s *late) task(key string) target.TaskSpec {
	return target.TaskSpec{Key: key, Kind: target.TaskTest, Slot: s.id, Color: target.Blue, Release: "1", Task: apps{}.TaskHangs()}
}

// diesIn lets a client begin a task, and die with its answer.
func (s *late) diesIn(key string) {
	s.Helper()
	r, lease := s.trial()
	ctx, cancel := context.WithCancel(s.Context())
	defer cancel()
	r.calls.DieWith(func(c awstest.Call) bool { return c.Operation == "RunTask" }, cancel)
	if err := r.PutTask(ctx, s.task(key), lease); err == nil {
		s.Fatal("a client survived its death")
	}
	s.runs(1)
}

func (s *late) live() {
	s.Helper()
	r, lease := s.trial(func(s *awstarget.Settings) { s.DefaultTags = map[string]string{"team": "others"} })
	remove := func(key string) {
		s.Helper()
		s.ok(r.DeleteTask(s.Context(), s.id, key, lease))
		s.runs(0)
	}
	s.diesIn("removed")
	remove("removed")

	s.diesIn("suite")
	s.ok(r.PutTask(s.Context(), s.task("suite"), lease)) // with other tags, which RunTask calls a conflict
	s.runs(1)
	s.revisions(12)
	r.calls.Refuse(2, map[string]string{"StopTask": "InvalidParameterException"})
	remove("suite")
	if left := s.running(s.T, home)["task definition"]; left > 0 {
		s.Errorf("%d task definitions are left", left)
	}

	r.calls.Refuse(1, map[string]string{"RunTask": "AccessDeniedException"})
	if err := r.PutTask(s.Context(), s.task("refused"), lease); err == nil {
		s.Fatal("a task that was refused has begun")
	}
	seen, err := r.Observe(s.Context(), s.id)
	s.ok(err)
	if len(seen.Tasks) > 0 || s.running(s.T, home)["task definition"] > 0 {
		s.Errorf("of a task that AWS has refused there is left: %+v", seen.Tasks)
	}

	r.calls.FailWith(func(c awstest.Call) bool { return c.Operation == "RunTask" }, awstest.FailBefore)
	if err := r.PutTask(s.Context(), s.task("lost"), lease); err == nil {
		s.Fatal("a task that was not asked for has begun")
	}
	r.calls.FailAt(0, awstest.FailBefore)
	r.clock.Jump(25 * time.Hour)
	s.ok(r.PutTask(s.Context(), s.task("lost"), lease))
	obs, err := r.Observe(s.Context(), s.id)
	s.ok(err)
	if got := obs.Tasks["lost"]; got.Running || got.EndedAt == nil || got.Problem == "" {
		s.Errorf("the run that nobody knows of is %+v", got)
	}
	s.runs(0)
	remove("lost")

	s.stack(r, lease)
}

// revisions adds revisions to the task definition of the only run.
func (s *late) revisions(n int) {
	s.Helper()
	client := ecs.NewFromConfig(s.Config(home))
	all, err := client.ListTaskDefinitions(s.Context(), nil)
	s.ok(err)
	name := all.TaskDefinitionArns[0][strings.LastIndex(all.TaskDefinitionArns[0], "/")+1:]
	family, _, _ := strings.Cut(name, ":")
	for i := range n {
		_, err := client.RegisterTaskDefinition(s.Context(), &ecs.RegisterTaskDefinitionInput{Family: &family, ContainerDefinitions: []ecstypes.ContainerDefinition{{Name: aws.String("task"), Image: aws.String(fmt.Sprint("task:", i)), Memory: aws.Int32(512)}}})
		s.ok(err)
	}
}

// stack makes a stack whose target group AWS does not see by its ARN at first, without describing by
// their names what was just made but to see whether it is gone, and removes it while the load balancer
// still sees its target group in a rule.
func (s *late) stack(r *trial, lease target.Lease) {
	s.Helper()
	blue := stackOf(shop(s.id.Environment, "1"), target.Blue)
	blue.Slot = s.id
	const unseen = "TargetGroupNotFound"
	r.calls.Refuse(3, map[string]string{"DescribeTags": unseen, "DescribeTargetGroupAttributes": unseen, "ModifyTargetGroupAttributes": unseen, "CreateRule": unseen})
	s.ok(r.PutStack(s.Context(), blue, lease))
	asked := map[string]int{}
	for _, call := range r.calls.Made() {
		asked[call]++
	}
	for call, want := range map[string]int{"ecs DescribeServices": 1, "elasticloadbalancing CreateTargetGroup": 1, "elasticloadbalancing DescribeTargetGroups": 2} {
		if asked[call] != want {
			s.Errorf("%s was called %d times, want %d: %v", call, asked[call], want, asked)
		}
	}
	r.calls.Refuse(3, map[string]string{"DeleteTargetGroup": "ResourceInUse"})
	s.ok(r.DeleteStack(s.Context(), s.id, target.Blue, lease))
	s.halfMade(r, lease)
	s.ok(r.DeleteSlot(s.Context(), s.id, lease))
	if got := words(s.running(s.T, home)); got != "[]" {
		s.Errorf("left: %s", got)
	}
}

// halfMade looks at a stack whose services are not scaled yet: nothing is waited for that only making it
// whole would bring.
func (s *late) halfMade(r *trial, lease target.Lease) {
	s.Helper()
	blue := stackOf(shop(s.id.Environment, "2"), target.Blue)
	blue.Slot = s.id
	r.calls.Refuse(1, map[string]string{"RegisterScalableTarget": "AccessDeniedException"})
	if err := r.PutStack(s.Context(), blue, lease); err == nil {
		s.Fatal("a stack whose scaling was refused is whole")
	}
	r.calls.FailAt(0, awstest.FailBefore)
	_, err := r.Observe(s.Context(), s.id)
	s.ok(err)
	if slices.Contains(r.calls.Made(), "application-autoscaling PutScheduledAction") {
		s.Error("a look set an action of what is not scaled yet")
	}
	s.ok(r.DeleteStack(s.Context(), s.id, target.Blue, lease))
}
