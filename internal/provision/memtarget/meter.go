package memtarget

import (
	"context"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// Answers is what a release answers in one second of traffic.
type Answers struct {
	// PerSecond is how many requests the slot gets, of which the release answers its share.
	PerSecond float64
	// ErrorPercent is the part of its answers that are errors.
	ErrorPercent                     float64
	P50Milliseconds, P99Milliseconds float64
	// HangPercent is the part of its requests that it never answers. Clients wait for a minute.
	HangPercent float64
}

// patience is how long the clients of a release that hangs wait for it.
const patience = time.Minute

// answerRule says what a release answers at a moment while it has a percentage of the traffic.
type answerRule struct {
	release string
	answers func(at time.Time, percent int) Answers
}

// ScriptAnswers says what a release answers at a moment while it has a percentage of the
// traffic; an empty release means every one, and the rule that was made last counts, for the
// past as well. Without a rule only the requests of Answer count.
func (t *Target) ScriptAnswers(release string, answers func(at time.Time, percent int) Answers) {
	t.store.mu.Lock()
	defer t.store.mu.Unlock()
	t.store.answers = append(t.store.answers, answerRule{release, answers})
}

func (s *store) answersOf(release string) func(time.Time, int) Answers {
	for i := len(s.answers) - 1; i >= 0; i-- {
		if r := s.answers[i]; r.release == "" || r.release == release {
			return r.answers
		}
	}
	return nil
}

// answer is one answer of the front door by the stack of a swap.
type answer struct {
	at     time.Time
	swapID string
	ok     bool
}

// share says who carried the traffic from a moment on.
type share struct {
	at       time.Time
	carriers []carrier
}

type carrier struct {
	color           target.Color
	swapID, release string
	percent         int
}

func (l *slot) carriers() []carrier {
	var out []carrier
	for c, st := range l.stacks {
		if l.carries(c) {
			out = append(out, carrier{c, st.spec.SwapID, st.spec.Definition.Release, part(l.traffic, c)})
		}
	}
	return out
}

// Measure sums up what the stacks in the seats answered, second by second. The quantile of a
// time is the highest of its seconds.
func (t *Target) Measure(ctx context.Context, id target.SlotID, from time.Time) (map[target.Color]target.Measurement, error) {
	return call(ctx, t, reads, "Measure", func(s *store) (map[target.Color]target.Measurement, error) {
		l, err := s.slot(id)
		if err != nil {
			return nil, err
		}
		now := s.now()
		out := map[target.Color]target.Measurement{}
		for c, st := range l.stacks {
			sum := tally{Measurement: target.Measurement{From: from, To: now}}
			for n, sh := range l.shares {
				end := now
				if n+1 < len(l.shares) {
					end = l.shares[n+1].at
				}
				for _, by := range sh.carriers {
					if rule := s.answersOf(by.release); rule != nil && by.color == c && by.swapID == st.spec.SwapID {
						sum.add(rule, by.percent, latest(from, sh.at), end)
						sum.hang(rule, by.percent, latest(now.Add(-patience), sh.at), end)
					}
				}
			}
			for _, a := range l.answered {
				if a.swapID == st.spec.SwapID && !a.at.Before(from) && s.answersOf(st.spec.Definition.Release) == nil {
					sum.count(a.ok)
				}
			}
			if sum.requests >= 1 || sum.waiting >= 1 {
				sum.Requests, sum.Errors = int64(sum.requests), int64(sum.errors)
				sum.Waiting, sum.Unanswered = int64(sum.waiting), int64(sum.unanswered)
				out[c] = sum.Measurement
			}
		}
		return out, nil
	})
}

// tally is a measurement that is being summed up.
type tally struct {
	target.Measurement
	requests, errors, waiting, unanswered float64
}

func (m *tally) add(rule func(time.Time, int) Answers, percent int, from, to time.Time) {
	for at := from; at.Before(to); at = at.Add(time.Second) {
		a := rule(at, percent)
		n := a.come(percent, to.Sub(at)) * (1 - a.HangPercent/100)
		m.requests += n
		m.errors += n * a.ErrorPercent / 100
		if n > 0 {
			m.P50Milliseconds = max(m.P50Milliseconds, a.P50Milliseconds)
			m.P99Milliseconds = max(m.P99Milliseconds, a.P99Milliseconds)
		}
	}
}

// hang adds the requests that came between two moments and wait to this day.
func (m *tally) hang(rule func(time.Time, int) Answers, percent int, from, to time.Time) {
	for at := from; at.Before(to); at = at.Add(time.Second) {
		a, age := rule(at, percent), m.To.Sub(at)
		n := a.come(percent, to.Sub(at)) * a.HangPercent / 100
		if n == 0 || age < time.Second {
			continue
		}
		m.waiting += n
		if age >= target.UnansweredAfter {
			m.unanswered += n
		}
		milliseconds := float64(age.Milliseconds())
		m.P99Milliseconds = max(m.P99Milliseconds, milliseconds)
		if a.HangPercent > 50 {
			m.P50Milliseconds = max(m.P50Milliseconds, milliseconds)
		}
	}
}

// come is how many requests a share gets in a second, of which a time is left.
func (a Answers) come(percent int, left time.Duration) float64 {
	return a.PerSecond * float64(percent) / 100 * min(1, left.Seconds())
}

// count adds one answer that took a millisecond.
func (m *tally) count(ok bool) {
	m.requests++
	if !ok {
		m.errors++
	}
	m.P50Milliseconds, m.P99Milliseconds = max(m.P50Milliseconds, 1), max(m.P99Milliseconds, 1)
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
