package journal_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/swap/journal"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

var noon = time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)

func TestALongWatchIsSampledFromItsBeginningToItsEndWithinBounds(t *testing.T) {
	t.Parallel()
	for _, length := range []time.Duration{time.Minute, time.Hour, 30 * time.Hour} {
		t.Run(length.String(), func(t *testing.T) {
			t.Parallel()
			w, end := &target.Swap{}, noon.Add(length)
			requests := int64(0)
			for now := noon; !now.After(end); now = now.Add(time.Second) {
				from, due := journal.SampleDue(w, noon, now)
				if !due {
					continue
				}
				if len(w.Samples) > 0 && !from.Equal(w.Samples[len(w.Samples)-1].At) {
					t.Fatalf("the sample at %s begins at %s", now, from)
				}
				requests++
				journal.AddSample(w, target.Sample{At: now, New: target.Measurement{Requests: requests}})
			}
			n := len(w.Samples)
			if n > target.MaxSamples || n < min(int(length/time.Second), target.MaxSamples/8) {
				t.Errorf("a watch of %s has %d samples", length, n)
			}
			if first := w.Samples[0].At; first.After(noon.Add(time.Second)) {
				t.Errorf("the first sample is of %s", first)
			}
			if last := w.Samples[n-1].At; end.Sub(last) > length/100+2*time.Second {
				t.Errorf("the last sample is of %s, the watch ended at %s", last, end)
			}
		})
	}
}

func TestTheLastTasksAreKeptOnceEach(t *testing.T) {
	t.Parallel()
	w, tasks := &target.Swap{ID: "s1"}, map[string]target.TaskStatus{
		"s1/running": {Kind: target.TaskTest, StartedAt: noon, Running: true},
		"s0/other":   {Kind: target.TaskTest, StartedAt: noon},
	}
	last := noon
	for n := range target.MaxTaskRecords + 3 {
		last = noon.Add(time.Duration(n) * time.Second)
		tasks[fmt.Sprintf("s1/%02d", n)] = target.TaskStatus{Kind: target.TaskTest, StartedAt: last, ExitCode: new(0)}
		journal.Close(w, target.Observation{Tasks: tasks}, nil)
	}
	if n := len(w.Tasks); n != target.MaxTaskRecords || !w.Tasks[n-1].StartedAt.Equal(last) {
		t.Errorf("got %d tasks, the last of %s, want %d and %s", n, w.Tasks[n-1].StartedAt, target.MaxTaskRecords, last)
	}
}

// A record that was read, and may be written again under its old revision, must stay as it is.
func TestNothingIsChangedInWhatASwapWasCopiedFrom(t *testing.T) {
	t.Parallel()
	original := func() target.Swap {
		s := target.Swap{ID: "s1", Steps: make([]target.Step, 1, 8), Tasks: make([]target.TaskRecord, 1, 8)}
		s.Steps[0].Phase = target.PhaseWatching
		for range target.MaxSamples {
			s.Samples = append(s.Samples, target.Sample{At: noon.Add(time.Duration(len(s.Samples)) * time.Second)})
		}
		return s
	}
	was := original()
	copied := was
	journal.Close(&copied, target.Observation{Tasks: map[string]target.TaskStatus{"s1/t": {StartedAt: noon}}}, map[target.Color]target.Measurement{})
	journal.Enter(&copied, target.Step{Phase: target.PhaseLive})
	journal.AddSample(&copied, target.Sample{At: noon.Add(time.Hour)})
	if diff := cmp.Diff(original(), was); diff != "" {
		t.Errorf("the original changed (-want +got):\n%s", diff)
	}
	if len(copied.Steps) != 2 || len(copied.Tasks) != 2 || len(copied.Samples) > target.MaxSamples {
		t.Errorf("the copy has %d steps, %d tasks, %d samples", len(copied.Steps), len(copied.Tasks), len(copied.Samples))
	}
}
