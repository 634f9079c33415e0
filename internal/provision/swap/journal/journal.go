// Package journal writes into a swap what can be read of it later, within its bounds. Its
// functions change the swap that they are given and nothing that it was copied from.
package journal

import (
	"slices"
	"strings"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/swap/judge"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// sampleEvery is how often a watch is sampled, at most.
const sampleEvery = time.Second

// Enter begins a phase, and says whether the swap ends with it.
func Enter(w *target.Swap, step target.Step) (ended bool) {
	w.Phase, w.PhaseAt, w.Steps = step.Phase, step.At, append(slices.Clone(w.Steps), step)
	if ended = step.Phase.Finished() || step.Phase == target.PhaseDegraded; ended {
		w.EndedAt = &step.At
	}
	return ended
}

// Close adds to the phase that is left what was seen in it: what was measured of both sides,
// how the instances are, and the tasks that ended.
func Close(w *target.Swap, seen target.Observation, measured map[target.Color]target.Measurement) {
	w.Steps = slices.Clone(w.Steps)
	if n := len(w.Steps); n > 0 {
		last := &w.Steps[n-1]
		switch last.Phase {
		case target.PhaseWatching:
			if measured != nil {
				last.Measured = []target.Measurement{measured[w.To], measured[w.From]}
			}
			last.Health = judge.Health(seen.Stacks[w.To])
			if old := seen.Stacks[w.From]; w.SwitchedAt != nil && old.LastAnswerAt != nil {
				w.LastOldAnswerAt = old.LastAnswerAt
			}
		case target.PhaseVerifying, target.PhaseTesting, target.PhaseSwitching:
			last.Health = judge.Health(seen.Stacks[w.To])
		}
	}
	addTasks(w, seen.Tasks)
}

func addTasks(w *target.Swap, tasks map[string]target.TaskStatus) {
	w.Tasks = slices.Clone(w.Tasks)
	for _, key := range target.SortedKeys(tasks) {
		st := tasks[key]
		known := slices.ContainsFunc(w.Tasks, func(t target.TaskRecord) bool { return t.Kind == st.Kind && t.StartedAt.Equal(st.StartedAt) })
		if !known && !st.Running && strings.HasPrefix(key, w.ID) {
			w.Tasks = append(w.Tasks, target.TaskRecord{
				Kind: st.Kind, StartedAt: st.StartedAt, EndedAt: st.EndedAt, ExitCode: st.ExitCode, Problem: st.Problem, LastLines: st.LastLines,
			})
		}
	}
	w.Tasks = w.Tasks[max(0, len(w.Tasks)-target.MaxTaskRecords):]
}

// SampleDue says whether a watch that began at a moment is to be sampled now, and from when on. In a long watch it
// is less often, so that the journal stays within its bounds.
func SampleDue(w *target.Swap, began, now time.Time) (from time.Time, due bool) {
	from, every := began, sampleEvery
	if n := len(w.Samples); n > 0 {
		every = max(every, now.Sub(w.Samples[0].At)/(target.MaxSamples/2))
		if last := w.Samples[n-1].At; last.After(from) {
			from = last
		}
	}
	return from, now.Sub(from) >= every
}

// AddSample adds a sample. Where there are too many every other one goes.
func AddSample(w *target.Swap, s target.Sample) {
	w.Samples = append(slices.Clone(w.Samples), s)
	if len(w.Samples) <= target.MaxSamples {
		return
	}
	kept := w.Samples[:0]
	for n := 0; n < len(w.Samples); n += 2 {
		kept = append(kept, w.Samples[n])
	}
	w.Samples = kept
}
