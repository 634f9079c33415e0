package targettest

import "github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"

func failingStackTests() []test {
	failing := func(w *world, c target.Component, awaited string, done func(target.InstanceStatus) bool) {
		w.Helper()
		id := w.slot()
		lease, d := w.lease(id), w.definition(id, "1")
		d.Components["web"] = routed(id, c)
		s := w.stackOf(id, target.Blue, d)
		w.put(s, lease)
		w.stackUntil(s, awaited, func(st target.StackStatus) bool {
			instances := st.Of("web")
			if len(instances) > 0 && instances[0].Healthy {
				w.Fatal("the instance is healthy")
			}
			return len(instances) > 0 && done(instances[0])
		})
		_, err := w.driver.SetTraffic(w.Context(), id, target.Traffic{Color: target.Blue}, moment, lease)
		w.refused(err, target.ErrConflict)
		if got := w.observe(id).Serving; got != "" {
			w.Errorf("seat %q serves", got)
		}
		w.ok(w.driver.DeleteStack(w.Context(), id, target.Blue, lease))
		if left := w.observe(id).Stacks; len(left) > 0 {
			w.Errorf("left: %+v", left)
		}
	}
	return []test{
		{"an instance that fails its checks runs, is not healthy, tells its last check and can't serve", func(w *world) {
			failing(w, w.Apps.NeverHealthy(), "a failed check", func(i target.InstanceStatus) bool {
				return i.Running && i.LastProbe != "" && i.Passes == 0 && i.HealthySince == nil
			})
		}},
		{"an instance that crashes at start is started again, and tells its exit code and last lines", func(w *world) {
			failing(w, w.Apps.CrashesAtStart(), "two restarts", func(i target.InstanceStatus) bool {
				return i.Restarts >= 2 && i.Problem != "" && i.LastEnd != "" && len(i.LastLines) > 0 && !i.Permanent
			})
		}},
		{"an instance whose program does not exist says that trying again can't help", func(w *world) {
			failing(w, w.Apps.MissingCommand(), "a permanent problem", func(i target.InstanceStatus) bool {
				return i.Permanent && i.Problem != "" && !i.Running
			})
		}},
		{"a stack that fails in one seat leaves the one that serves alone", func(w *world) {
			id := w.slot()
			lease := w.lease(id)
			w.serve(w.stack(id, target.Blue, "1"), lease)
			before := w.observe(id).Stacks[target.Blue]
			d := w.definition(id, "2")
			d.Components["web"] = routed(id, w.Apps.CrashesAtStart())
			s := w.stackOf(id, target.Green, d)
			w.put(s, lease)
			w.stackUntil(s, "a restart", func(st target.StackStatus) bool {
				return len(st.Instances) > 0 && st.Instances[0].Restarts > 0
			})
			w.untouched(before, w.observe(id).Stacks[target.Blue])
			w.serving(id, target.Blue, "1")
		}},
	}
}
