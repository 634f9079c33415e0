package targettest

import (
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func scalingTests() []test {
	return []test{
		{"a stack has as many instances as the highest of its scaling's minimum, its capacity and the schedule of the hour", func(w *world) {
			for _, c := range []struct {
				scaling  target.Scaling
				capacity map[string]int
				want     int
			}{
				{target.Scaling{Min: 1, Max: 3}, nil, 1},
				{target.Scaling{Min: 2, Max: 3}, nil, 2},
				{target.Scaling{Min: 1, Max: 3}, map[string]int{"web": 3}, 3},
				{target.Scaling{Min: 1, Max: 3, Schedules: []target.Schedule{{From: "00:00", To: "00:00", Min: 2}}}, map[string]int{"web": 1}, 2},
			} {
				id := w.slot()
				s := w.stack(id, target.Blue, "1")
				web := s.Definition.Components["web"]
				web.Scaling = c.scaling
				s.Definition.Components["web"], s.Capacity = web, c.capacity
				lease := w.lease(id)
				w.put(s, lease)
				w.scaled(s, c.want)
				s.Capacity = map[string]int{"web": 3}
				w.put(s, lease)
				w.scaled(s, 3)
			}
		}},
		{"workers that are held count as none", func(w *world) {
			id := w.slot()
			lease, d := w.lease(id), w.definition(id, "1")
			d.Components["worker"] = release(w.Apps.Worker())
			s := w.stackOf(id, target.Blue, d)
			s.HoldWorkers = true
			w.put(s, lease)
			w.stackUntil(s, "no worker wanted", func(st target.StackStatus) bool {
				return st.Scale["web"] == 1 && st.Scale["worker"] == 0
			})
			s.HoldWorkers = false
			w.put(s, lease)
			w.stackUntil(s, "a worker wanted", func(st target.StackStatus) bool { return st.Scale["worker"] == 1 })
		}},
		{"an instance says since when it is not healthy, and that no more once it is", func(w *world) {
			id := w.slot()
			lease, before := w.lease(id), w.clock.Now()
			for _, i := range w.healthy(w.stack(id, target.Blue, "1"), lease).Instances {
				if i.UnhealthySince != nil {
					w.Errorf("a healthy instance is not healthy since %s", i.UnhealthySince)
				}
			}
			d := w.definition(id, "2")
			d.Components["web"] = routed(id, w.Apps.NeverHealthy())
			s := w.stackOf(id, target.Green, d)
			w.put(s, lease)
			w.stackUntil(s, "a failed check", func(st target.StackStatus) bool {
				checked := false
				for _, i := range st.Of("web") {
					if i.UnhealthySince == nil || i.UnhealthySince.Before(before) || i.UnhealthySince.After(w.clock.Now()) {
						w.Errorf("an instance that never was healthy is not healthy since %v", i.UnhealthySince)
					}
					checked = i.LastProbe != ""
				}
				return checked
			})
		}},
		{"a slot that can't be built here is refused by the check, one that can is not", func(w *world) {
			g, id := w.driver, w.slot()
			s := target.Slot{Environment: id.Environment, Name: id.Name, Definition: w.definition(id, "1")}
			w.ok(g.CheckSlot(w.Context(), s))
			s.Definition.Components["web"] = routed(id, w.Apps.Unbuildable())
			w.refused(g.CheckSlot(w.Context(), s), target.ErrInvalid)
		}},
		{"a slot whose suite is to use an account without a database is refused by the check", func(w *world) {
			g, id := w.driver, w.slot()
			s := target.Slot{Environment: id.Environment, Name: id.Name, Definition: w.definition(id, "1")}
			d, suite := w.database(id.Environment), w.Apps.TaskPasses()
			suite.Account, s.Definition.TestSuite = d.Account, &suite
			w.refused(g.CheckSlot(w.Context(), s), target.ErrInvalid)
			w.putDatabase(d, 0)
			w.ok(g.CheckSlot(w.Context(), s))
		}},
	}
}

// scaled waits until a stack is to have, and has, so many healthy instances of web.
func (w *world) scaled(s target.StackSpec, want int) {
	w.Helper()
	w.stackUntil(s, "the number of instances", func(st target.StackStatus) bool {
		healthy := 0
		for _, i := range st.Of("web") {
			if i.Healthy {
				healthy++
			}
		}
		return st.Scale["web"] == want && healthy == want && len(st.Of("web")) == want
	})
}
