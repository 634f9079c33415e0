package operator

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// Size of a chart, in its own units.
const (
	chartWidth  = 900.0
	chartHeight = 150.0
)

// chart is one figure over the time of the swap, of both sides.
type chart struct {
	Title, Unit string
	// New and Old are the points of lines; empty where nothing was measured.
	New, Old string
	// Top is the value at the upper edge.
	Top string
}

// band is the time that a swap spent in one phase.
type band struct {
	Phase    target.Phase
	X, Width float64
	Took     string
	Begins   time.Time
}

// axis places moments.
type axis struct {
	from time.Time
	span time.Duration
}

func axisOf(s target.Swap) axis {
	end := s.PhaseAt
	if s.EndedAt != nil {
		end = *s.EndedAt
	}
	if n := len(s.Samples); n > 0 && s.Samples[n-1].At.After(end) {
		end = s.Samples[n-1].At
	}
	return axis{s.StartedAt, max(end.Sub(s.StartedAt), time.Second)}
}

func (a axis) x(t time.Time) float64 {
	return chartWidth * min(1, max(0, float64(t.Sub(a.from))/float64(a.span)))
}

// bands are the phases in order. Those that end as they begin have no width.
func bands(s target.Swap) []band {
	a := axisOf(s)
	var out []band
	for i, step := range s.Steps {
		end := a.from.Add(a.span)
		if i+1 < len(s.Steps) {
			end = s.Steps[i+1].At
		}
		out = append(out, band{
			Phase: step.Phase, X: a.x(step.At), Width: max(0, a.x(end)-a.x(step.At)),
			Took: end.Sub(step.At).Round(100 * time.Millisecond).String(), Begins: step.At,
		})
	}
	return out
}

// charts are the figures of the watch.
func charts(s target.Swap) []chart {
	rate := func(m target.Measurement) float64 {
		if d := m.To.Sub(m.From).Seconds(); d > 0 {
			return float64(m.Requests) / d
		}
		return 0
	}
	p99 := func(m target.Measurement) float64 { return m.P99Milliseconds }
	return []chart{
		stairs(s, "Share of the traffic", "%", 100, func(v target.Sample) (float64, float64) {
			return float64(v.Percent), float64(100 - v.Percent)
		}),
		plot(s, "Requests", "/s", 1, func(v target.Sample) (float64, float64) { return rate(v.New), rate(v.Old) }),
		plot(s, "Errors", "%", 1, func(v target.Sample) (float64, float64) {
			return v.New.ErrorPercent(), v.Old.ErrorPercent()
		}),
		plot(s, "p99 latency", "ms", 1, func(v target.Sample) (float64, float64) { return p99(v.New), p99(v.Old) }),
	}
}

// stairs is plot for what stays as it is from one sample to the next.
func stairs(s target.Swap, title, unit string, least float64, values func(target.Sample) (float64, float64)) chart {
	held := s
	held.Samples = nil
	for i, v := range s.Samples {
		if i > 0 {
			before := s.Samples[i-1]
			before.At = v.At
			held.Samples = append(held.Samples, before)
		}
		held.Samples = append(held.Samples, v)
	}
	return plot(held, title, unit, least, values)
}

// plot makes a chart whose upper edge is at least the given value.
func plot(s target.Swap, title, unit string, least float64, values func(target.Sample) (float64, float64)) chart {
	top := least
	for _, v := range s.Samples {
		n, o := values(v)
		top = max(top, n, o)
	}
	if top > least {
		top = round(top)
	}
	a := axisOf(s)
	var newer, older strings.Builder
	for _, v := range s.Samples {
		n, o := values(v)
		fmt.Fprintf(&newer, "%.1f,%.1f ", a.x(v.At), chartHeight*(1-n/top))
		fmt.Fprintf(&older, "%.1f,%.1f ", a.x(v.At), chartHeight*(1-o/top))
	}
	return chart{title, unit, newer.String(), older.String(), strconv.FormatFloat(top, 'f', -1, 64)}
}

// round makes a value the next one of 1, 2 or 5 times a power of ten.
func round(v float64) float64 {
	unit := math.Pow(10, math.Floor(math.Log10(v)))
	for _, n := range []float64{1, 2, 5} {
		if v <= n*unit {
			return n * unit
		}
	}
	return 10 * unit
}
