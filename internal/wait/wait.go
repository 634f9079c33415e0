// Package wait holds the only code of Slipway that sleeps. Everything that must pass time
// takes a [Clock] from here, so that tests can run under a clock of their own.
package wait

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// Clock tells the time and lets it pass.
type Clock interface {
	Now() time.Time
	// Sleep returns nil after d, or the cause of ctx's end as soon as it ends.
	Sleep(ctx context.Context, d time.Duration) error
	// Every calls f whenever another d has passed, one call at a time, until stop is called.
	// Stop returns when no call is under way any more; f must not call it.
	Every(d time.Duration, f func()) (stop func())
}

// Real is the machine's clock.
type Real struct{}

// Now is the machine's time in UTC.
func (Real) Now() time.Time { return time.Now().UTC() }

// Sleep waits on a timer.
func (Real) Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}

// Every calls f from a goroutine of its own, which stop ends.
func (Real) Every(d time.Duration, f func()) (stop func()) {
	ticker := time.NewTicker(d)
	stopped := make(chan struct{})
	var ticking sync.WaitGroup
	ticking.Go(func() {
		for {
			select {
			case <-stopped:
				return
			case <-ticker.C:
				f()
			}
		}
	})
	return sync.OnceFunc(func() {
		ticker.Stop()
		close(stopped)
		ticking.Wait()
	})
}

// Options paces the observations of [Until]. The zero value suits a target on this machine.
type Options struct {
	// First is the pause after the first observation (50 ms); pauses grow by half up to Max
	// (1 s), each with up to a tenth of jitter.
	First, Max time.Duration
	Clock      Clock
}

// Until observes until an observation is done. The first observation is immediate. An error
// of observe ends the wait at once, except one wrapped by [Retry]. When ctx ends first the
// result is a *TimeoutError with the last observation.
func Until[T fmt.Stringer](ctx context.Context, o Options, observe func(context.Context) (last T, done bool, err error)) (T, error) {
	if o.Clock == nil {
		o.Clock = Real{}
	}
	if o.First == 0 {
		o.First = 50 * time.Millisecond
	}
	if o.Max == 0 {
		o.Max = time.Second
	}
	start, pause := o.Clock.Now(), o.First
	var last T
	var seen string
	for {
		v, done, err := observe(ctx)
		var retry *retryError
		switch {
		case err == nil:
			last, seen = v, v.String()
			if done {
				return last, nil
			}
		case errors.As(err, &retry):
			seen = err.Error()
		case ctx.Err() != nil:
		default:
			return v, err
		}
		jitter := time.Duration(rand.Int64N(int64(pause)/10 + 1))
		if ctx.Err() != nil || o.Clock.Sleep(ctx, pause+jitter) != nil {
			return last, &TimeoutError{Waited: o.Clock.Now().Sub(start), Last: seen, Cause: context.Cause(ctx)}
		}
		pause = min(pause*3/2, o.Max)
	}
}

// TimeoutError says how long a wait took, what it saw last and why it ended.
type TimeoutError struct {
	Waited time.Duration
	Last   string
	Cause  error
}

func (e *TimeoutError) Error() string {
	waited, seen := e.Waited.Round(time.Millisecond), "nothing was observed"
	if e.Last != "" {
		seen = "last seen: " + e.Last
	}
	if errors.Is(e.Cause, context.Canceled) {
		return fmt.Sprintf("interrupted after %s%s; %s", waited, Interruption(e.Cause), seen)
	}
	return fmt.Sprintf("gave up after %s, %s: %v", waited, seen, e.Cause)
}

// Interruption says in words what ended a run from outside; it follows what was interrupted.
func Interruption(cause error) string {
	switch {
	case cause == context.Canceled: //nolint:errorlint // What is wrapped says more.
		return " by Ctrl-C, or because Terraform was told to stop"
	case errors.Is(cause, context.Canceled):
		return fmt.Sprintf(" by Ctrl-C, or because Terraform was told to stop (%v)", cause)
	}
	return fmt.Sprintf(": %v", cause)
}

// Unwrap leads to context.Canceled or context.DeadlineExceeded.
func (e *TimeoutError) Unwrap() error { return e.Cause }

type retryError struct{ err error }

func (e *retryError) Error() string { return e.err.Error() }
func (e *retryError) Unwrap() error { return e.err }

// Retry marks an error after which [Until] observes again.
func Retry(err error) error { return &retryError{err} }
