package targettest

import (
	"context"
	"fmt"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func taskTests() []test {
	return []test{
		{"a task that passes ends with exit code 0", func(w *world) {
			id := w.slot()
			s := w.ended(w.task(id, w.Apps.TaskPasses()), w.lease(id))
			if s.ExitCode == nil || *s.ExitCode != 0 || s.Problem != "" || s.NotStarted || s.EndedAt == nil || s.EndedAt.Before(s.StartedAt) {
				w.Errorf("got %+v", s)
			}
		}},
		{"a task runs once per key, and its exit code and last lines are kept", func(w *world) {
			id := w.slot()
			lease, spec := w.lease(id), w.task(id, w.Apps.TaskFails(3))
			first := w.ended(spec, lease)
			if first.ExitCode == nil || first.EndedAt == nil || *first.ExitCode != 3 || len(first.LastLines) == 0 || first.Kind != spec.Kind || first.Key != spec.Key {
				w.Fatalf("got %+v, want exit code 3 and its last lines", first)
			}
			w.after(*first.EndedAt) // so that another run would have another time
			w.ok(w.reopened().PutTask(w.Context(), spec, lease))
			if diff := cmp.Diff(first, w.observe(id).Tasks[spec.Key]); diff != "" {
				w.Errorf("put again, the task is another (-first +now):\n%s", diff)
			}
		}},
		{"two keys are two runs", func(w *world) {
			id := w.slot()
			lease := w.lease(id)
			w.ended(w.task(id, w.Apps.TaskPasses()), lease)
			w.ended(w.task(id, w.Apps.TaskFails(1)), lease)
			if n := len(w.observe(id).Tasks); n != 2 {
				w.Errorf("%d tasks are observed, want 2", n)
			}
		}},
		{"a task that hangs runs on until it is deleted, and then its key is forgotten", func(w *world) {
			id := w.slot()
			lease, spec := w.lease(id), w.task(id, w.Apps.TaskHangs())
			w.ok(w.driver.PutTask(w.Context(), spec, lease))
			w.after(w.clock.Now().Add(moment))
			if s := w.observe(id).Tasks[spec.Key]; !s.Running || s.EndedAt != nil || s.ExitCode != nil {
				w.Fatalf("got %+v, want a running task", s)
			}
			for range 2 {
				w.ok(w.driver.DeleteTask(w.Context(), id, spec.Key, lease))
				if left := w.observe(id).Tasks; len(left) > 0 {
					w.Fatalf("left: %+v", left)
				}
			}
			spec.Task = w.task(id, w.Apps.TaskPasses()).Task
			if s := w.ended(spec, lease); s.ExitCode == nil {
				w.Errorf("the forgotten key does not run again: %+v", s)
			}
		}},
		{"a task whose time is over is ended without an exit code", func(w *world) {
			id := w.slot()
			task := w.Apps.TaskHangs()
			task.TimeoutSeconds = 1
			s := w.ended(w.task(id, task), w.lease(id))
			if s.ExitCode != nil || s.Problem == "" || s.NotStarted || s.EndedAt == nil {
				w.Errorf("got %+v", s)
			}
		}},
		{"a task whose program does not exist never started", func(w *world) {
			id := w.slot()
			s := w.ended(w.task(id, w.Apps.TaskMissing()), w.lease(id))
			if !s.NotStarted || s.Problem == "" || s.ExitCode != nil {
				w.Errorf("got %+v", s)
			}
		}},
		{"a task that is put many times at once runs once", func(w *world) {
			id := w.slot()
			lease, spec := w.lease(id), w.task(id, w.Apps.TaskHangs())
			for _, err := range w.together(8, func(d target.Driver, _ int) error {
				return d.PutTask(w.Context(), spec, lease)
			}) {
				w.ok(err)
			}
			if n := len(w.observe(id).Tasks); n != 1 {
				w.Errorf("%d tasks are observed, want 1", n)
			}
			w.ok(w.driver.DeleteTask(w.Context(), id, spec.Key, lease))
		}},
	}
}

// ended puts a task and waits until it does not run any more.
func (w *world) ended(spec target.TaskSpec, l target.Lease) target.TaskStatus {
	w.Helper()
	w.ok(w.driver.PutTask(w.Context(), spec, l))
	var s target.TaskStatus
	w.until("the end of task "+spec.Key, func(ctx context.Context) (string, bool, error) {
		obs, err := w.driver.Observe(ctx, spec.Slot)
		s = obs.Tasks[spec.Key]
		return fmt.Sprintf("%+v", s), s.Key != "" && !s.Running, err
	})
	return s
}
