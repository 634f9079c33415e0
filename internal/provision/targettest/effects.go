package targettest

import (
	"context"
	"errors"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func effectTests() []test {
	return []test{
		{"an effect without a valid lease is refused and changes nothing", effectsWithoutLease},
		{"an effect on a slot that nobody leased is refused", func(w *world) {
			id := w.slot()
			w.refused(w.driver.PutStack(w.Context(), w.stack(id, target.Blue, "1"), target.Lease{}), target.ErrLeaseLost)
			w.refused(w.driver.PutTask(w.Context(), w.task(id, w.Apps.TaskPasses()), target.Lease{}), target.ErrLeaseLost)
			_, err := w.driver.PutSlot(w.Context(), w.record(id), target.Lease{})
			w.refused(err, target.ErrLeaseLost)
			obs := w.observe(id)
			if len(obs.Stacks)+len(obs.Tasks) > 0 {
				w.Errorf("there is something: %+v", obs)
			}
		}},
		{"the lease of one slot is not good for another", func(w *world) {
			lease, id := w.lease(w.slot()), w.slot()
			w.lease(id)
			w.refused(w.driver.PutStack(w.Context(), w.stack(id, target.Blue, "1"), lease), target.ErrLeaseLost)
		}},
	}
}

// effectsWithoutLease tries every effect on a slot with a record, a stack that serves, one
// that does not, and a task.
func effectsWithoutLease(w *world) {
	id := w.slot()
	lease := w.lease(id)
	rec := w.putRecord(id, lease)
	w.serve(w.stack(id, target.Blue, "1"), lease)
	green := w.stack(id, target.Green, "2")
	w.healthy(green, lease)
	task := w.task(id, w.Apps.TaskHangs())
	w.ok(w.driver.PutTask(w.Context(), task, lease))
	want := w.outline(id)

	rec.Asked.Retry++
	larger := green
	larger.Capacity = map[string]int{"web": 2}
	past := w.clock.Now().Add(-time.Hour)
	effects := map[string]func(context.Context, target.Lease) error{
		"PutSlot":     func(ctx context.Context, l target.Lease) error { _, err := w.driver.PutSlot(ctx, rec, l); return err },
		"DeleteSlot":  func(ctx context.Context, l target.Lease) error { return w.driver.DeleteSlot(ctx, id, l) },
		"PutStack":    func(ctx context.Context, l target.Lease) error { return w.driver.PutStack(ctx, larger, l) },
		"DeleteStack": func(ctx context.Context, l target.Lease) error { return w.driver.DeleteStack(ctx, id, target.Green, l) },
		"RetireStack": func(ctx context.Context, l target.Lease) error {
			return w.driver.RetireStack(ctx, id, target.Green, &past, l)
		},
		"PutTask": func(ctx context.Context, l target.Lease) error {
			return w.driver.PutTask(ctx, w.task(id, w.Apps.TaskPasses()), l)
		},
		"DeleteTask": func(ctx context.Context, l target.Lease) error { return w.driver.DeleteTask(ctx, id, task.Key, l) },
		"PutJournal": func(ctx context.Context, l target.Lease) error {
			return w.driver.PutJournal(ctx, w.journal(id, "a", 1), l)
		},
		"SetTraffic": func(ctx context.Context, l target.Lease) error {
			_, err := w.driver.SetTraffic(ctx, id, target.Traffic{Color: target.Green}, moment, l)
			return err
		},
	}
	try := func(whose string, l target.Lease) {
		w.Helper()
		for _, name := range target.SortedKeys(effects) {
			err := effects[name](w.Context(), l)
			if !errors.Is(err, target.ErrLeaseLost) {
				w.Fatalf("%s with %s: got error %v, want %q", name, whose, err, target.ErrLeaseLost)
			}
		}
		if diff := cmp.Diff(want, w.outline(id)); diff != "" {
			w.Fatalf("refused effects with %s changed the slot (-want +got):\n%s", whose, diff)
		}
	}
	try("a lease never given", target.Lease{Token: "never given", Holder: "bob", ExpiresAt: w.clock.Now().Add(long)})

	short, err := w.driver.AcquireLease(w.Context(), id, lease.Token, lease.Holder, moment)
	w.ok(err)
	w.after(short.ExpiresAt)
	try("a lease that has expired", short)
	stretched := short
	stretched.ExpiresAt = w.clock.Now().Add(long)
	try("an expired lease with an expiry changed by its holder", stretched)

	var theirs target.Lease
	w.until("the lease, which a target may hold back for a while after its end", func(ctx context.Context) (string, bool, error) {
		var err error
		theirs, err = w.driver.AcquireLease(ctx, id, "token of bob", "bob", long)
		if errors.Is(err, target.ErrConflict) {
			return err.Error(), false, nil
		}
		return "", err == nil, err
	})
	try("a lease that was taken over", lease)
	w.ok(w.driver.ReleaseLease(w.Context(), id, theirs.Token))
	try("a lease that was given back by who took it over", theirs)
}

// outline is what of a slot does not change by itself.
type outline struct {
	Record  target.SlotRecord
	Serving target.Color
	Stacks  map[target.Color]target.StackSpec
	Counts  map[target.Color]int
	Tasks   []string
}

func (w *world) outline(id target.SlotID) outline {
	w.Helper()
	rec, err := w.driver.GetSlot(w.Context(), id)
	w.ok(err)
	obs := w.observe(id)
	o := outline{
		Record: rec, Serving: obs.Serving, Tasks: target.SortedKeys(obs.Tasks),
		Stacks: map[target.Color]target.StackSpec{}, Counts: map[target.Color]int{},
	}
	for c, st := range obs.Stacks {
		o.Stacks[c], o.Counts[c] = st.Spec, len(st.Instances)
	}
	return o
}
