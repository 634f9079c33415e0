package targettest

import (
	"maps"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func stackTests() []test {
	return []test{
		{"a slot without anything is an empty observation", func(w *world) {
			obs := w.observe(w.slot())
			if obs.Serving != "" || len(obs.Stacks)+len(obs.Tasks) > 0 {
				w.Errorf("got %+v", obs)
			}
		}},
		{"a stack comes up with the capacity asked for, gets healthy, and its spec is told as it was put", func(w *world) {
			id := w.slot()
			s := w.stack(id, target.Blue, "1")
			s.Capacity["web"] = 2
			st := w.healthy(s, w.lease(id))
			if diff := cmp.Diff(s, st.Spec); diff != "" {
				w.Errorf("the spec is another (-want +got):\n%s", diff)
			}
			for n, i := range st.Of("web") {
				check := s.Definition.Components["web"].HealthCheck
				if i.Index != n+1 || i.Passes < check.HealthyThreshold || i.HealthySince == nil || i.Restarts != 0 || i.Problem != "" || i.LastProbe == "" {
					w.Errorf("instance %d is %+v", n+1, i)
				}
			}
			if st.RetireAt != nil {
				w.Errorf("the stack retires at %s without having been told to", st.RetireAt)
			}
		}},
		{"the checks passed in a row are counted on, from when the row began", func(w *world) {
			id := w.slot()
			s := w.stack(id, target.Blue, "1")
			first := w.healthy(s, w.lease(id)).Of("web")[0]
			w.stackUntil(s, "two more checks passed", func(st target.StackStatus) bool {
				i := st.Of("web")[0]
				if !i.HealthySince.Equal(*first.HealthySince) {
					w.Fatalf("the row began at %s and now at %s", first.HealthySince, i.HealthySince)
				}
				return i.Passes >= first.Passes+2
			})
		}},
		{"a stack that is put again after a lost answer is not started again", func(w *world) {
			id := w.slot()
			lease, s := w.lease(id), w.stack(id, target.Blue, "1")
			before := w.healthy(s, lease)
			w.ok(w.reopened().PutStack(w.Context(), s, lease))
			w.untouched(before, w.observe(id).Stacks[target.Blue])
		}},
		{"capacity, scaling and routes change in place, and what goes on running is not restarted", inPlace},
		{"another fingerprint or another swap in an occupied seat is a conflict and changes nothing", func(w *world) {
			id := w.slot()
			lease, s := w.lease(id), w.stack(id, target.Blue, "1")
			before := w.healthy(s, lease)
			other := w.stack(id, target.Blue, "2")
			other.SwapID = s.SwapID
			w.refused(w.driver.PutStack(w.Context(), other, lease), target.ErrConflict)
			other = s
			other.SwapID = "another swap"
			w.refused(w.driver.PutStack(w.Context(), other, lease), target.ErrConflict)
			after := w.observe(id).Stacks[target.Blue]
			if diff := cmp.Diff(s, after.Spec); diff != "" {
				w.Errorf("the spec is another (-want +got):\n%s", diff)
			}
			w.untouched(before, after)
		}},
		{"the seats of a slot hold two stacks, and one is removed without the other noticing", func(w *world) {
			id := w.slot()
			lease := w.lease(id)
			blue := w.healthy(w.stack(id, target.Blue, "1"), lease)
			w.healthy(w.stack(id, target.Green, "2"), lease)
			for range 2 {
				w.ok(w.driver.DeleteStack(w.Context(), id, target.Green, lease))
				obs := w.observe(id)
				if _, there := obs.Stacks[target.Green]; there {
					w.Fatal("the green stack is still there")
				}
				w.untouched(blue, obs.Stacks[target.Blue])
			}
			w.healthy(w.stack(id, target.Green, "3"), lease)
		}},
		{"workers stay stopped while they are held", heldWorkers},
		{"a stack in an environment that is not there is refused", func(w *world) {
			id := target.SlotID{Environment: target.EnvironmentID{Region: w.environment().Region, Name: "nowhere"}, Name: "oms"}
			w.refused(w.driver.PutStack(w.Context(), w.stack(id, target.Blue, "1"), target.Lease{Token: "none"}), target.ErrNotFound)
		}},
		{"a fingerprint leaves out scaling, routes and tasks and nothing else", fingerprints},
	}
}

// untouched ends the test unless the instances of before are still running as they were.
func (w *world) untouched(before, after target.StackStatus) {
	w.Helper()
	now := map[string]map[int]target.InstanceStatus{}
	for _, i := range after.Instances {
		if now[i.Component] == nil {
			now[i.Component] = map[int]target.InstanceStatus{}
		}
		now[i.Component][i.Index] = i
	}
	for _, was := range before.Instances {
		is, ok := now[was.Component][was.Index]
		if !ok || !is.Running || !is.Healthy || is.Restarts != was.Restarts || is.HealthySince == nil || !is.HealthySince.Equal(*was.HealthySince) {
			w.Fatalf("instance %d of %q was %+v and is %+v", was.Index, was.Component, was, is)
		}
	}
}

func inPlace(w *world) {
	id := w.slot()
	lease, s := w.lease(id), w.stack(id, target.Blue, "1")
	before := w.healthy(s, lease)

	s.Capacity = map[string]int{"web": 3}
	w.untouched(before, w.healthy(s, lease))

	c := s.Definition.Components["web"]
	c.Scaling = target.Scaling{Min: 1, Max: 5}
	c.Routes = []target.Route{{Host: id.Name, PathPrefix: "/elsewhere"}}
	s.Definition.Components = map[string]target.Component{"web": c}
	after := w.healthy(s, lease)
	w.untouched(before, after)
	if diff := cmp.Diff(s, after.Spec); diff != "" {
		w.Errorf("the spec is another (-want +got):\n%s", diff)
	}

	s.Capacity = map[string]int{"web": 1}
	w.put(s, lease)
	w.stackUntil(s, "one instance", func(st target.StackStatus) bool {
		return len(st.Instances) == 1 && st.Instances[0].Index == 1
	})
	w.untouched(before, w.observe(id).Stacks[target.Blue])
}

func heldWorkers(w *world) {
	id := w.slot()
	lease, d := w.lease(id), w.definition(id, "1")
	d.Components["worker"] = release(w.Apps.Worker())
	s := w.stackOf(id, target.Blue, d)
	s.HoldWorkers = true
	working := func(st target.StackStatus) bool {
		for _, i := range st.Of("worker") {
			if i.Running {
				return true
			}
		}
		return false
	}
	if web := w.healthy(s, lease); working(web) {
		w.Fatal("the worker runs though it is held")
	}
	s.HoldWorkers = false
	web := w.healthy(s, lease)
	if !working(web) {
		w.Fatal("the worker does not run though it is not held")
	}
	s.HoldWorkers = true
	w.put(s, lease)
	w.stackUntil(s, "the worker stopped", func(st target.StackStatus) bool { return !working(st) })
	web.Instances = web.Of("web")
	w.untouched(web, w.observe(id).Stacks[target.Blue])
}

func fingerprints(w *world) {
	id := w.slot()
	of := func(version string, change func(*target.Definition, *target.Component)) string {
		w.Helper()
		d := w.definition(id, version)
		c := d.Components["web"]
		c.Environment = maps.Clone(c.Environment)
		change(&d, &c)
		d.Components["web"] = c
		f, err := w.reopened().Fingerprint(w.Context(), d)
		w.ok(err)
		return f
	}
	base := of("1", func(*target.Definition, *target.Component) {})
	if base == "" {
		w.Fatal("the fingerprint is empty")
	}
	for _, c := range []struct {
		name    string
		version string
		same    bool
		change  func(*target.Definition, *target.Component)
	}{
		{"the same definition", "1", true, func(*target.Definition, *target.Component) {}},
		{"another scaling", "1", true, func(_ *target.Definition, c *target.Component) { c.Scaling.Max++ }},
		{"other routes", "1", true, func(_ *target.Definition, c *target.Component) {
			c.Routes = []target.Route{{PathPrefix: "/other"}}
		}},
		{"a test suite", "1", true, func(d *target.Definition, _ *target.Component) {
			t := w.Apps.TaskPasses()
			d.TestSuite, d.AllowUntested = &t, false
		}},
		{"another release in a placeholder", "2", false, func(*target.Definition, *target.Component) {}},
		{"another release without a placeholder", "2", true, func(_ *target.Definition, c *target.Component) {
			c.Environment["RELEASE_OF_THE_SUITE"] = "1"
		}},
		{"another variable", "1", false, func(_ *target.Definition, c *target.Component) { c.Environment["OTHER"] = "x" }},
		{"another argument", "1", false, func(_ *target.Definition, c *target.Component) {
			c.Command = append(append([]string(nil), c.Command...), "other")
		}},
		{"another component", "1", false, func(d *target.Definition, _ *target.Component) {
			d.Components["worker"] = w.Apps.Worker()
		}},
	} {
		if got := of(c.version, c.change); (got == base) != c.same {
			w.Errorf("%s: fingerprint %q beside %q, want the same: %t", c.name, got, base, c.same)
		}
	}
}
