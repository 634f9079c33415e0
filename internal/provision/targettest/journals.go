package targettest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func journalTests() []test {
	return []test{
		{"journals are kept whole, listed newest first without samples and output, and replaced when put again", func(w *world) {
			g, id := w.driver, w.slot()
			lease := w.lease(id)
			w.putRecord(id, lease)
			old, young := w.journal(id, "a", 1), w.journal(id, "b", 2)
			w.ok(g.PutJournal(w.Context(), young, lease))
			w.ok(g.PutJournal(w.Context(), old, lease))
			young.Swap.Phase = target.PhaseRolledBack
			for range 2 {
				w.ok(g.PutJournal(w.Context(), young, lease))
			}
			list, err := w.reopened().ListJournals(w.Context(), id)
			w.ok(err)
			var short []target.Journal
			for _, j := range []target.Journal{young, old} {
				j.Swap.Samples = nil
				j.Swap.Tasks = append([]target.TaskRecord(nil), j.Swap.Tasks...)
				j.Swap.Tasks[0].LastLines = nil
				short = append(short, j)
			}
			if diff := cmp.Diff(short, list); diff != "" {
				w.Errorf("the list (-want +got):\n%s", diff)
			}
			for _, want := range []target.Journal{old, young} {
				got, err := w.reopened().GetJournal(w.Context(), id, want.Swap.ID)
				w.ok(err)
				if diff := cmp.Diff(want, got); diff != "" {
					w.Errorf("journal %s (-want +got):\n%s", want.Swap.ID, diff)
				}
			}
		}},
		{"a swap with as much as may be in it is kept whole, in its slot and as a journal", func(w *world) {
			id := w.slot()
			lease, rec := w.lease(id), w.record(id)
			j := w.longJournal(id)
			rec.Swap = &j.Swap
			rec, err := w.driver.PutSlot(w.Context(), rec, lease)
			w.ok(err)
			w.ok(w.driver.PutJournal(w.Context(), j, lease))
			stored, err := w.reopened().GetSlot(w.Context(), id)
			w.ok(err)
			if diff := cmp.Diff(rec, stored); diff != "" {
				w.Errorf("the slot (-want +got):\n%s", diff)
			}
			got, err := w.driver.GetJournal(w.Context(), id, j.Swap.ID)
			w.ok(err)
			if diff := cmp.Diff(j, got); diff != "" {
				w.Errorf("the journal (-want +got):\n%s", diff)
			}
		}},
		{"a slot without swaps has no journals, and a journal that is not kept is not found", func(w *world) {
			g, id := w.driver, w.slot()
			list, err := g.ListJournals(w.Context(), id)
			w.ok(err)
			if len(list) > 0 {
				w.Errorf("got %d journals", len(list))
			}
			_, err = g.GetJournal(w.Context(), id, "none")
			w.refused(err, target.ErrNotFound)
		}},
		{"the last journals stay though many are put", func(w *world) {
			g, id := w.driver, w.slot()
			lease := w.lease(id)
			w.putRecord(id, lease)
			const more = 3
			for n := range target.KeptJournals + more {
				j := w.journal(id, fmt.Sprintf("swap-%03d", n), n)
				j.Swap.Tasks, j.Swap.Samples = nil, nil
				w.ok(g.PutJournal(w.Context(), j, lease))
			}
			list, err := g.ListJournals(w.Context(), id)
			w.ok(err)
			if len(list) < target.KeptJournals || list[target.KeptJournals-1].Swap.ID != fmt.Sprintf("swap-%03d", more) {
				w.Errorf("got %d journals, want the last %d", len(list), target.KeptJournals)
			}
		}},
		{"journals go with their slot, and need its lease", func(w *world) {
			g, id := w.driver, w.slot()
			lease := w.lease(id)
			w.putRecord(id, lease)
			j := w.journal(id, "a", 1)
			w.ok(g.PutJournal(w.Context(), j, lease))
			w.refused(g.PutJournal(w.Context(), j, target.Lease{Token: "never given"}), target.ErrLeaseLost)
			w.ok(w.driver.DeleteSlot(w.Context(), id, lease))
			_, err := g.GetJournal(w.Context(), id, "a")
			w.refused(err, target.ErrNotFound)
		}},
		{"the log of a component tells its last lines, instance by instance", func(w *world) {
			g, id := w.driver, w.slot()
			lease, d := w.lease(id), w.definition(id, "1")
			d.Components["web"] = routed(id, w.Apps.CrashesAtStart())
			s := w.stackOf(id, target.Green, d)
			s.Capacity["web"] = 2
			w.put(s, lease)
			w.until("the lines of two instances", func(ctx context.Context) (string, bool, error) {
				logs, err := g.ReadLogs(ctx, id, "web", 1)
				lines := 0
				for _, l := range logs {
					if l.Color != target.Green || l.Release != "1" || l.Index < 1 || l.Index > 2 || len(l.Lines) > 1 {
						w.Fatalf("got %+v", l)
					}
					lines += len(l.Lines)
				}
				_, err2 := w.driver.Observe(ctx, id) // it lives while it is looked at
				if err == nil {
					err = err2
				}
				return fmt.Sprintf("%+v", logs), len(logs) == 2 && lines == 2, err
			})
			none, err := g.ReadLogs(w.Context(), id, "other", 1)
			w.ok(err)
			if len(none) > 0 {
				w.Errorf("a component that is not there logged %+v", none)
			}
		}},
	}
}

// longJournal is a journal that is filled up to its bounds with what can't be foretold.
func (w *world) longJournal(id target.SlotID) target.Journal {
	j := w.journal(id, "long", 1)
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same in every run
	task := j.Swap.Tasks[0]
	task.LastLines = nil
	for range linesOfTask {
		task.LastLines = append(task.LastLines, fmt.Sprintf("%x%x%x%x", random.Uint64(), random.Uint64(), random.Uint64(), random.Uint64()))
	}
	j.Swap.Tasks = slices.Repeat([]target.TaskRecord{task}, target.MaxTaskRecords)
	j.Swap.Samples = nil
	for n := range target.MaxSamples {
		at := j.Swap.StartedAt.Add(time.Duration(n)*time.Second + time.Duration(random.IntN(1e9)))
		side := func() target.Measurement {
			return target.Measurement{
				From: at.Add(-time.Second), To: at, Requests: random.Int64N(1e5), Errors: random.Int64N(100),
				P50Milliseconds: random.Float64() * 10, P99Milliseconds: random.Float64() * 1000,
			}
		}
		j.Swap.Samples = append(j.Swap.Samples, target.Sample{At: at, Percent: 10, New: side(), Old: side()})
	}
	return j
}

// linesOfTask is how many lines of its output a task may leave.
const linesOfTask = 20

// journal is a journal with everything that can be long; n orders it in time.
func (w *world) journal(id target.SlotID, swapID string, n int) target.Journal {
	at := time.Date(2026, 11, 3, 12, n, 0, 0, time.UTC)
	code := 0
	m := target.Measurement{From: at, To: at.Add(time.Second), Requests: 10, Errors: 1, P50Milliseconds: 1.5, P99Milliseconds: 20}
	return target.Journal{
		Slot:   id,
		Policy: target.Policy{Steps: []target.TrafficStep{{Percent: 10, HoldSeconds: 5}}},
		Swap: target.Swap{
			ID: swapID, Phase: target.PhaseLive, Release: "2", To: target.Green, By: owner, StartedAt: at, PhaseAt: at, EndedAt: &at,
			Steps:   []target.Step{{Phase: target.PhaseWatching, At: at, Percent: 10, Measured: []target.Measurement{m}, Health: []string{"web 1: healthy"}}},
			Tasks:   []target.TaskRecord{{Kind: target.TaskTest, StartedAt: at, EndedAt: &at, ExitCode: &code, LastLines: []string{"ok"}}},
			Samples: []target.Sample{{At: at, Percent: 10, New: m, Old: m}},
		},
	}
}
