package operator

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

var noon = time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)

func at(seconds int) time.Time { return noon.Add(time.Duration(seconds) * time.Second) }

func sample(second, percent int, newErrors int64) target.Sample {
	over := func(requests, errors int64, p99 float64) target.Measurement {
		return target.Measurement{From: at(second - 1), To: at(second), Requests: requests, Errors: errors, P99Milliseconds: p99}
	}
	return target.Sample{At: at(second), Percent: percent, New: over(100, newErrors, 40), Old: over(300, 0, 30)}
}

// rolledBack is a swap that broke its guardrail in its second step.
func rolledBack() target.Swap {
	ended, code := at(100), 0
	return target.Swap{
		ID: "20261103-120000-abcdef", Phase: target.PhaseRolledBack, Release: "2", From: target.Blue, FromRelease: "1", To: target.Green,
		By: "the test", Host: "a machine", StartedAt: noon, PhaseAt: ended, EndedAt: &ended,
		Reason: "release 2: 7.00 % errors <b>of</b> 100 requests",
		Steps: []target.Step{
			{Phase: target.PhasePreparing, At: at(0)},
			{Phase: target.PhaseStarting, At: at(0)},
			{Phase: target.PhaseSwitching, At: at(40), Percent: 10},
			{Phase: target.PhaseWatching, At: at(50), Percent: 10, Measured: []target.Measurement{sample(60, 10, 7).New, sample(60, 10, 7).Old}},
			{Phase: target.PhaseRollingBack, At: at(90)},
			{Phase: target.PhaseRolledBack, At: at(100), Health: []string{"api/1 healthy"}},
		},
		Tasks:   []target.TaskRecord{{Kind: target.TaskTest, StartedAt: at(20), ExitCode: &code, LastLines: []string{"12 tests passed"}}},
		Samples: []target.Sample{sample(50, 10, 0), sample(75, 40, 7)},
	}
}

func TestBandsFillTheTimeOfTheSwap(t *testing.T) {
	t.Parallel()
	var got []string
	total := 0.0
	for _, b := range bands(rolledBack()) {
		got = append(got, string(b.Phase)+" "+b.Took)
		total += b.Width
	}
	want := []string{"preparing 0s", "starting 40s", "switching 10s", "watching 40s", "rolling_back 10s", "rolled_back 0s"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("bands (-want +got):\n%s", diff)
	}
	if total != chartWidth {
		t.Errorf("the bands are %g wide together, want %g", total, chartWidth)
	}
}

func TestChartsPlaceBothSidesByTimeAndValue(t *testing.T) {
	t.Parallel()
	got := charts(rolledBack())
	want := []chart{
		{"Share of the traffic", "%", "450.0,135.0 675.0,135.0 675.0,90.0 ", "450.0,15.0 675.0,15.0 675.0,60.0 ", "100"},
		{"Requests", "/s", "450.0,120.0 675.0,120.0 ", "450.0,60.0 675.0,60.0 ", "500"},
		{"Errors", "%", "450.0,150.0 675.0,45.0 ", "450.0,150.0 675.0,150.0 ", "10"},
		{"p99 latency", "ms", "450.0,30.0 675.0,30.0 ", "450.0,60.0 675.0,60.0 ", "50"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("charts (-want +got):\n%s", diff)
	}
}

func TestTheReportIsOnePageThatNeedsNothingElse(t *testing.T) {
	t.Parallel()
	limit := 1.5
	var page bytes.Buffer
	err := render(&page, target.Journal{
		Slot:   target.SlotID{Environment: target.EnvironmentID{Region: "eu", Name: "production"}, Name: "oms"},
		Policy: target.Policy{Steps: []target.TrafficStep{{Percent: 10, HoldSeconds: 60}}, Guardrails: target.Guardrails{MaxErrorPercent: &limit}},
		Swap:   rolledBack(),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		"eu/production/oms", "rolled_back", "7.00 % errors &lt;b&gt;of&lt;/b&gt; 100 requests", "12 tests passed", "api/1 healthy",
		"<polyline", "1.5 %", "10 % for 60 s", "the test on a machine",
	} {
		if !strings.Contains(page.String(), part) {
			t.Errorf("the page lacks %q", part)
		}
	}
	for _, part := range []string{"http://", "https://", "<script", "ZgotmplZ", "0x"} {
		if strings.Contains(page.String(), part) {
			t.Errorf("the page contains %q", part)
		}
	}
}

func TestAnUpperEdgeIsARoundNumber(t *testing.T) {
	t.Parallel()
	for in, want := range map[float64]float64{1.1: 2, 2: 2, 3: 5, 7: 10, 40: 50, 300: 500, 1234: 2000} {
		if got := round(in); got != want {
			t.Errorf("round(%g) = %g, want %g", in, got, want)
		}
	}
}
