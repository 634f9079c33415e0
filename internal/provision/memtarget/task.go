package memtarget

import (
	"context"
	"fmt"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// task is a task as it is stored.
type task struct {
	spec     target.TaskSpec
	status   target.TaskStatus
	observed int
}

// PutTask starts a task unless one with its key was started before.
func (t *Target) PutTask(ctx context.Context, spec target.TaskSpec, l target.Lease) error {
	return do(ctx, t, "PutTask", func(s *store) error {
		spec, err := clone(spec)
		if err != nil {
			return err
		}
		held, err := s.leased(spec.Slot, l)
		if err != nil {
			return err
		}
		if _, ok := held.tasks[spec.Key]; ok {
			return nil
		}
		held.tasks[spec.Key] = &task{spec: spec, status: target.TaskStatus{
			Key: spec.Key, Kind: spec.Kind, Running: true, StartedAt: s.now(),
		}}
		s.record(TaskStarted, spec.Slot, spec.Color, spec.Key)
		return nil
	})
}

// DeleteTask stops and forgets a task.
func (t *Target) DeleteTask(ctx context.Context, id target.SlotID, key string, l target.Lease) error {
	return do(ctx, t, "DeleteTask", func(s *store) error {
		held, err := s.leased(id, l)
		if err == nil {
			delete(held.tasks, key)
		}
		return err
	})
}

// observeTask moves a task on by one step. Its time is over by the clock, however seldom it
// is observed; a task that had ended before then did so within its time.
func (s *store) observeTask(k *task) {
	if !k.status.Running {
		return
	}
	b := s.taskBehaviour(k.spec)
	k.observed++
	k.status.LastLines = b.Lines
	end, over := s.now(), false
	limit := time.Duration(k.spec.Task.TimeoutSeconds) * time.Second
	if last := k.status.StartedAt.Add(limit); limit > 0 && !end.Before(last) {
		end, over = last, true
	}
	switch ended := !b.Hangs && k.observed > b.EndsAfter; {
	case b.Missing:
		k.status.NotStarted, k.status.Problem = true, fmt.Sprintf("program %q does not exist", program(k.spec.Task.Command))
	case ended && b.Killed:
		k.status.Problem = "killed by signal 9"
	case ended:
		k.status.ExitCode = &b.ExitCode
	case over:
		k.status.Problem = fmt.Sprintf("did not end within %s and was killed", limit)
	default:
		return
	}
	k.status.Running, k.status.EndedAt = false, &end
}
