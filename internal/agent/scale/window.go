package scale

import "time"

// Window remembers the loads of the last seconds, so that neither a moment without requests
// nor a single burst decides. The zero value is ready.
type Window struct{ seen []seen }

type seen struct {
	at   time.Time
	load Load
}

// span is how far back a window looks: far enough to even out what is random, and short enough
// to have more instances within seconds.
const span = 3 * time.Second

// Add adds a load and returns the mean of those that are in the window then.
func (w *Window) Add(l Load, at time.Time) Load {
	w.seen = append(w.seen, seen{at, l})
	for at.Sub(w.seen[0].at) >= span {
		w.seen = w.seen[1:]
	}
	var sum Load
	for _, s := range w.seen {
		sum.CPUPercent += s.load.CPUPercent
		sum.Requests += s.load.Requests
	}
	n := float64(len(w.seen))
	return Load{CPUPercent: sum.CPUPercent / n, Requests: sum.Requests / n}
}
