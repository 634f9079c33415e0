package targettest

import (
	"fmt"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func slotTests() []test {
	return []test{
		{"a record is read back as it was put, under revision 1", func(w *world) {
			id := w.slot()
			want := fullRecord(id)
			got, err := w.driver.PutSlot(w.Context(), want, w.lease(id))
			w.ok(err)
			want.Revision = 1
			if diff := cmp.Diff(want, got); diff != "" {
				w.Errorf("put returns another record (-want +got):\n%s", diff)
			}
			got, err = w.reopened().GetSlot(w.Context(), id)
			w.ok(err)
			if diff := cmp.Diff(want, got); diff != "" {
				w.Errorf("get returns another record (-want +got):\n%s", diff)
			}
		}},
		{"a write that is repeated after a lost answer succeeds and changes nothing", func(w *world) {
			id := w.slot()
			lease, rec := w.lease(id), w.record(id)
			for range 2 {
				got, err := w.driver.PutSlot(w.Context(), rec, lease)
				w.ok(err)
				w.revision(got, 1)
			}
			rec.Revision, rec.Asked.Retry = 1, 7
			for range 2 {
				got, err := w.reopened().PutSlot(w.Context(), rec, lease)
				w.ok(err)
				w.revision(got, 2)
			}
		}},
		{"a record written at an old revision, or at one of what does not exist, is refused", func(w *world) {
			id := w.slot()
			lease, rec := w.lease(id), w.record(id)
			rec.Revision = 1
			_, err := w.driver.PutSlot(w.Context(), rec, lease)
			w.refused(err, target.ErrConflict)
			_, err = w.driver.GetSlot(w.Context(), id)
			w.refused(err, target.ErrNotFound)

			stored := w.putRecord(id, lease)
			stored.Asked.Retry = 1
			stored, err = w.driver.PutSlot(w.Context(), stored, lease)
			w.ok(err)
			for _, old := range []int64{0, 1, 3} {
				late := stored
				late.Revision, late.Asked.Retry = old, 2
				_, err = w.driver.PutSlot(w.Context(), late, lease)
				w.refused(err, target.ErrConflict)
			}
			got, err := w.driver.GetSlot(w.Context(), id)
			w.ok(err)
			if diff := cmp.Diff(stored, got); diff != "" {
				w.Errorf("a refused write changed the record (-want +got):\n%s", diff)
			}
		}},
		{"of many writers at one revision one wins", func(w *world) {
			id := w.slot()
			lease := w.lease(id)
			w.oneWins(w.together(8, func(d target.Driver, i int) error {
				rec := w.record(id)
				rec.Asked.Retry = int64(i)
				_, err := d.PutSlot(w.Context(), rec, lease)
				return err
			}), target.ErrConflict)
		}},
		{"a record in an environment that is not there is refused", func(w *world) {
			id := target.SlotID{Environment: target.EnvironmentID{Region: w.environment().Region, Name: "nowhere"}, Name: "oms"}
			_, err := w.driver.PutSlot(w.Context(), w.record(id), target.Lease{Token: "none"})
			w.refused(err, target.ErrNotFound)
		}},
		{"a slot that has a record is listed, one that has only a lease is not there", func(w *world) {
			id := w.slot()
			lease := w.lease(id)
			_, err := w.driver.GetSlot(w.Context(), id)
			w.refused(err, target.ErrNotFound)
			if w.listed(id) {
				w.Error("a slot with nothing but a lease is listed")
			}
			w.putRecord(id, lease)
			if !w.listed(id) {
				w.Error("the slot is not listed")
			}
		}},
		{"a protected slot is not deleted once it is ready", func(w *world) {
			id := w.slot()
			lease, rec := w.lease(id), w.record(id)
			rec.Asked.DeletionProtection, rec.Meta.Ready = true, true
			rec, err := w.driver.PutSlot(w.Context(), rec, lease)
			w.ok(err)
			w.refused(w.driver.DeleteSlot(w.Context(), id, lease), target.ErrProtected)
			rec.Meta.Ready = false
			_, err = w.driver.PutSlot(w.Context(), rec, lease)
			w.ok(err)
			w.ok(w.driver.DeleteSlot(w.Context(), id, lease))
		}},
		{"deleting a slot removes all that is in it, what serves included, and can be repeated", func(w *world) {
			id := w.slot()
			lease := w.lease(id)
			w.putRecord(id, lease)
			w.serve(w.stack(id, target.Blue, "1"), lease)
			w.put(w.stack(id, target.Green, "2"), lease)
			w.ok(w.driver.PutTask(w.Context(), w.task(id, w.Apps.TaskHangs()), lease))
			for range 2 {
				w.gone(w.driver.DeleteSlot(w.Context(), id, lease))
				obs := w.observe(id)
				if len(obs.Stacks)+len(obs.Tasks) > 0 || obs.Serving != "" || w.listed(id) {
					w.Fatalf("left: %+v", obs)
				}
			}
			p, err := w.driver.ProbeFrontDoor(w.Context(), id)
			w.gone(err)
			if p.Release != "" {
				w.Errorf("release %q of the deleted slot still answers", p.Release)
			}
			_, err = w.driver.AcquireLease(w.Context(), id, "token of bob", "bob", long)
			w.ok(err)
		}},
	}
}

func (w *world) revision(r target.SlotRecord, want int64) {
	w.Helper()
	if r.Revision != want {
		w.Fatalf("revision is %d, want %d", r.Revision, want)
	}
}

func (w *world) listed(id target.SlotID) bool {
	w.Helper()
	all, err := w.reopened().ListSlots(w.Context(), id.Environment)
	w.ok(err)
	for _, r := range all {
		if r.Asked.ID() == id {
			return true
		}
	}
	return false
}

// fullRecord is a record with every field set, and with texts that need care.
func fullRecord(id target.SlotID) target.SlotRecord {
	at := time.Date(2026, 11, 3, 4, 5, 6, 789000000, time.UTC)
	const text = "Größe \"100 %\" \\ <b>&\u2028 日本語 🚢\n\tend"
	task := &target.Task{
		Command: []string{"suite", text}, Environment: map[string]string{"A": text},
		Secrets: map[string]string{"B": "/secrets/ä"}, TimeoutSeconds: 60, Account: "acme",
	}
	definition := target.Definition{
		Release: "2026.11.3+build_1",
		Components: map[string]target.Component{"web": {
			Command: []string{"web", "", text}, Port: 8080, CPU: 256, MemoryMiB: 512,
			Environment: map[string]string{"TEXT": text, "EMPTY": "", "RELEASE": target.ReleasePlaceholder},
			Secrets:     map[string]string{"KEY": "/secrets/key"},
			Scaling:     target.Scaling{Min: 1, Max: 3},
			HealthCheck: &target.HealthCheck{Path: "/healthz", IntervalSeconds: 1, TimeoutSeconds: 1, HealthyThreshold: 2, UnhealthyThreshold: 3},
			Routes:      []target.Route{{Host: "*", PathPrefix: "/"}, {PathPrefix: "/api"}},
		}},
		Migrate: task, TestSuite: task,
	}
	rec := target.SlotRecord{
		Meta: target.Meta{Owner: text, Generation: 3, Ready: true, CreatedAt: at, ChangedAt: at.Add(time.Nanosecond)},
		Asked: target.Slot{
			Environment: id.Environment, Name: id.Name, Definition: definition, Retry: 2,
			Policy: target.Policy{StartTimeoutSeconds: 60, MinimumHealthySeconds: 5, DrainSeconds: 30, FallbackWindowSeconds: 1800, FallbackUntilNextRelease: true},
			Tags:   map[string]string{text[:6]: text},
		},
		Swap: &target.Swap{
			ID: "s-1", Phase: target.PhaseRolledBack, Release: "2", Fingerprint: "f", From: target.Blue, FromRelease: "1", To: target.Green,
			Probed: true, LastOldAnswerAt: &at, FailedIn: target.PhaseTesting, Requested: true,
			Reuse: true, TestedSuite: "digest", By: text, StartedAt: at, PhaseAt: at, SwitchedAt: &at, EndedAt: &at, Reason: text,
		},
		Passed: map[target.Color]target.Passed{target.Blue: {SwapID: "s-0", Release: "1", Fingerprint: "e", At: at}},
		Hold:   &target.Hold{Release: "2", Fingerprint: "f", Retry: 2, By: text, At: at, Reason: text},
	}
	for i := range 50 {
		rec.Swap.Steps = append(rec.Swap.Steps, target.Step{Phase: target.PhaseStarting, At: at, Note: fmt.Sprint(text, i)})
	}
	return rec
}
