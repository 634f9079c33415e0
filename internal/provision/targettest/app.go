package targettest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// slot is the id of a slot that no other test uses, in the environment of the group. What is
// in it is removed when the test ends, unless somebody else has its lease then.
func (w *world) slot() target.SlotID {
	w.Helper()
	id := target.SlotID{Environment: w.environment(), Name: w.name("slot")}
	w.Cleanup(func() {
		ctx := context.WithoutCancel(w.Context())
		l, err := w.driver.AcquireLease(ctx, id, token(id), owner, long)
		if err != nil {
			return
		}
		if err := w.driver.DeleteSlot(ctx, id, l); err != nil && !errors.Is(err, target.ErrNotFound) {
			w.Errorf("remove slot %q: %v", id, err)
		}
	})
	return id
}

// lease takes the lease of a slot for longer than any test lasts.
func (w *world) lease(id target.SlotID) target.Lease {
	w.Helper()
	l, err := w.driver.AcquireLease(w.Context(), id, token(id), owner, long)
	w.ok(err)
	return l
}

func token(id target.SlotID) string { return "token of " + id.String() }

// record is the first record of a slot.
func (w *world) record(id target.SlotID) target.SlotRecord {
	return target.SlotRecord{Asked: target.Slot{Environment: id.Environment, Name: id.Name, Definition: w.definition(id, "1")}}
}

func (w *world) putRecord(id target.SlotID, l target.Lease) target.SlotRecord {
	w.Helper()
	rec, err := w.driver.PutSlot(w.Context(), w.record(id), l)
	w.ok(err)
	return rec
}

// release makes a component's instances differ between releases.
func release(c target.Component) target.Component {
	c.Environment = maps.Clone(c.Environment)
	if c.Environment == nil {
		c.Environment = map[string]string{}
	}
	c.Environment["RELEASE_OF_THE_SUITE"] = target.ReleasePlaceholder
	return c
}

// routed leads the requests for the host named like the slot to a component.
func routed(id target.SlotID, c target.Component) target.Component {
	c = release(c)
	c.Routes = []target.Route{{Host: id.Name, PathPrefix: "/"}}
	return c
}

// definition is a release of one healthy component, "web", under the host named like the slot.
func (w *world) definition(id target.SlotID, version string) target.Definition {
	return target.Definition{
		Release:       version,
		Components:    map[string]target.Component{"web": routed(id, w.Apps.Healthy())},
		AllowUntested: true,
	}
}

// stack asks for a stack of one healthy instance.
func (w *world) stack(id target.SlotID, c target.Color, version string) target.StackSpec {
	w.Helper()
	return w.stackOf(id, c, w.definition(id, version))
}

// stackOf asks for a stack with one instance of each component.
func (w *world) stackOf(id target.SlotID, c target.Color, d target.Definition) target.StackSpec {
	w.Helper()
	fingerprint, err := w.driver.Fingerprint(w.Context(), d)
	w.ok(err)
	s := target.StackSpec{
		Slot: id, Color: c, SwapID: "swap to " + d.Release, Definition: d, Fingerprint: fingerprint,
		Capacity: map[string]int{},
	}
	for name := range d.Components {
		s.Capacity[name] = 1
	}
	return s
}

// put puts a stack.
func (w *world) put(s target.StackSpec, l target.Lease) {
	w.Helper()
	w.ok(w.driver.PutStack(w.Context(), s, l))
}

// healthy puts a stack and waits until it has the capacity asked for and all of it is healthy.
func (w *world) healthy(s target.StackSpec, l target.Lease) target.StackStatus {
	w.Helper()
	w.put(s, l)
	var status target.StackStatus
	w.stackUntil(s, "healthy", func(st target.StackStatus) bool {
		status = st
		for name, n := range s.Capacity {
			if s.HoldWorkers && s.Definition.Components[name].Worker() {
				continue
			}
			instances := st.Of(name)
			if len(instances) != n {
				return false
			}
			for _, i := range instances {
				if !i.Running || !i.Healthy {
					return false
				}
			}
		}
		return true
	})
	return status
}

// serve puts a stack, waits until it is healthy and lets it serve.
func (w *world) serve(s target.StackSpec, l target.Lease) {
	w.Helper()
	w.healthy(s, l)
	_, err := w.driver.SetTraffic(w.Context(), s.Slot, target.Traffic{Color: s.Color}, moment, l)
	w.ok(err)
}

// stackUntil observes a stack until done.
func (w *world) stackUntil(s target.StackSpec, awaited string, done func(target.StackStatus) bool) {
	w.Helper()
	w.until(fmt.Sprintf("the %s stack of %s: %s", s.Color, s.Slot, awaited), func(ctx context.Context) (string, bool, error) {
		obs, err := w.driver.Observe(ctx, s.Slot)
		st, ok := obs.Stacks[s.Color]
		return stackInWords(st), ok && done(st), err
	})
}

func stackInWords(st target.StackStatus) string {
	var words []string
	for _, i := range st.Instances {
		words = append(words, fmt.Sprintf("%s %d: running %t, healthy %t, %d restarts, %s %s", i.Component, i.Index, i.Running, i.Healthy, i.Restarts, i.LastProbe, i.Problem))
	}
	return strings.Join(words, "; ")
}

// observe observes a slot once, by a new client.
func (w *world) observe(id target.SlotID) target.Observation {
	w.Helper()
	obs, err := w.reopened().Observe(w.Context(), id)
	w.ok(err)
	return obs
}

// serving ends the test unless a seat serves and the front door answers with its release.
func (w *world) serving(id target.SlotID, c target.Color, version string) {
	w.Helper()
	if got := w.observe(id).Serving; got != c {
		w.Fatalf("seat %q serves, want %q", got, c)
	}
	w.until("an answer of release "+version, func(ctx context.Context) (string, bool, error) {
		p, err := w.driver.ProbeFrontDoor(ctx, id)
		return fmt.Sprintf("release %q, status %d %s", p.Release, p.StatusCode, p.Problem), p.Release == version, err
	})
}

// task asks for a run of a task.
func (w *world) task(id target.SlotID, t target.Task) target.TaskSpec {
	if t.TimeoutSeconds == 0 {
		t.TimeoutSeconds = int(long / time.Second)
	}
	return target.TaskSpec{Key: w.name("task"), Kind: target.TaskTest, Slot: id, Color: target.Blue, Release: "1", Task: t}
}
