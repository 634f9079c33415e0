package scale

import "time"

// Window remembers the counts of the last seconds, so that neither a moment without requests
// nor a single burst decides. The zero value is ready.
type Window struct{ seen []count }

type count struct {
	at time.Time
	n  float64
}

// span is how far back a window looks: far enough to even out what is random, and short enough
// to have more instances within seconds.
const span = 3 * time.Second

// Add adds a count and returns the mean of those that are in the window then.
func (w *Window) Add(n float64, at time.Time) float64 {
	w.seen = append(w.seen, count{at, n})
	for at.Sub(w.seen[0].at) >= span {
		w.seen = w.seen[1:]
	}
	sum := 0.0
	for _, s := range w.seen {
		sum += s.n
	}
	return sum / float64(len(w.seen))
}
