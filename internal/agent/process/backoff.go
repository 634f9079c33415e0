package process

import (
	"math/rand/v2"
	"time"
)

const (
	backoffMin     = time.Second
	backoffMax     = 30 * time.Second
	backoffHealthy = time.Minute
)

// Backoff says how long to wait before a process that died is started again: 1 to 30 seconds, drawn
// anew each time so that instances which died together do not come back together ("decorrelated jitter"
// of Exponential Backoff And Jitter, AWS Architecture Blog). It keeps no clock; it is not safe for
// concurrent use.
type Backoff struct {
	random *rand.Rand
	last   time.Duration
}

// NewBackoff returns a Backoff whose draws depend on the seed only.
func NewBackoff(seed uint64) *Backoff {
	return &Backoff{random: rand.New(rand.NewPCG(seed, 0)), last: backoffMin}
}

// Next returns the wait after a run that was healthy for so long. A minute of health makes up for
// everything before it.
func (b *Backoff) Next(healthy time.Duration) time.Duration {
	if healthy >= backoffHealthy {
		b.last = backoffMin
	}
	limit := min(3*b.last, backoffMax)
	b.last = backoffMin + time.Duration(b.random.Int64N(int64(limit-backoffMin)+1))
	return b.last
}
