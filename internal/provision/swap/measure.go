package swap

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// sampleEvery is how often the watch is sampled for the journal, at most.
const sampleEvery = time.Second

// measure adds to the facts what both sides answered, while something is judged.
func (r *run) measure(ctx context.Context, f *Facts) (err error) {
	w := f.Record.Swap
	if w == nil || w.Phase != target.PhaseSwitching && w.Phase != target.PhaseWatching {
		return nil
	}
	window := seconds(f.Want.Policy.Guardrails.WindowSeconds)
	if window == 0 {
		window = defaultWindow
	}
	from := f.Now.Add(-window)
	if w.WatchedFrom != nil {
		if f.Whole, err = r.measured(ctx, *w.WatchedFrom); err != nil {
			return err
		}
		if w.WatchedFrom.After(from) {
			from = *w.WatchedFrom
		}
	}
	if f.Recent, err = r.measured(ctx, from); err != nil || w.WatchedFrom == nil {
		return err
	}
	return r.sample(ctx, *f)
}

func (r *run) measured(ctx context.Context, from time.Time) (map[target.Color]target.Measurement, error) {
	return insist(ctx, r.Machine, "measure", r.want.ID(), func() (map[target.Color]target.Measurement, error) {
		return r.driver.Measure(ctx, r.want.ID(), from)
	})
}

// sample adds to the journal what was measured since the last sample. In a long watch it is
// taken less often, so that the journal stays within its bounds.
func (r *run) sample(ctx context.Context, f Facts) error {
	w := *r.record.Swap
	from, every := *w.WatchedFrom, sampleEvery
	if n := len(w.Samples); n > 0 {
		every = max(every, f.Now.Sub(w.Samples[0].At)/(target.MaxSamples/2))
		if last := w.Samples[n-1].At; last.After(from) {
			from = last
		}
	}
	if f.Now.Sub(from) < every {
		return nil
	}
	m, err := r.measured(ctx, from)
	if err != nil {
		return err
	}
	w.Samples = append(slices.Clone(w.Samples), target.Sample{At: f.Now, Percent: f.reached(), New: m[w.To], Old: m[w.From]})
	if len(w.Samples) > target.MaxSamples {
		kept := w.Samples[:0]
		for n := 0; n < len(w.Samples); n += 2 {
			kept = append(kept, w.Samples[n])
		}
		w.Samples = kept
	}
	*r.record.Swap = w
	return nil
}

// told is the swap with what is known at the end of its phase: what was measured, what was
// seen of the instances, and the tasks that ended.
func (r *run) told() *target.Swap {
	w, f := *r.record.Swap, r.last
	w.Steps, w.Tasks = slices.Clone(w.Steps), slices.Clone(w.Tasks)
	if n := len(w.Steps); n > 0 {
		last := &w.Steps[n-1]
		switch last.Phase {
		case target.PhaseWatching:
			if f.Whole != nil {
				last.Measured = []target.Measurement{f.Whole[w.To], f.Whole[w.From]}
			}
			last.Health = healthLines(f.Seen.Stacks[w.To])
		case target.PhaseVerifying, target.PhaseTesting, target.PhaseSwitching:
			last.Health = healthLines(f.Seen.Stacks[w.To])
		}
	}
	for _, key := range target.SortedKeys(f.Seen.Tasks) {
		st := f.Seen.Tasks[key]
		known := slices.ContainsFunc(w.Tasks, func(t target.TaskRecord) bool { return t.Kind == st.Kind && t.StartedAt.Equal(st.StartedAt) })
		if !known && !st.Running && strings.HasPrefix(key, w.ID) {
			w.Tasks = append(w.Tasks, target.TaskRecord{
				Kind: st.Kind, StartedAt: st.StartedAt, EndedAt: st.EndedAt, ExitCode: st.ExitCode, Problem: st.Problem, LastLines: st.LastLines,
			})
		}
	}
	w.Tasks = w.Tasks[max(0, len(w.Tasks)-target.MaxTaskRecords):]
	return &w
}

// healthLines says in words how each instance is.
func healthLines(st target.StackStatus) []string {
	var out []string
	for _, i := range st.Instances {
		line := fmt.Sprintf("%s %d: ", i.Component, i.Index)
		switch {
		case i.Healthy:
			line += "healthy"
		case i.Running:
			line += "running, not healthy"
		default:
			line += "not running"
		}
		for _, s := range []string{i.LastProbe, i.Problem} {
			if s != "" {
				line += ", " + s
			}
		}
		if i.Restarts > 0 {
			line += fmt.Sprintf(", started again %d times", i.Restarts)
		}
		out = append(out, line)
	}
	return out
}
