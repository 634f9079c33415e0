package wait

import (
	"context"
	"sync"
	"time"
)

// Fake is a clock whose time passes only when somebody sleeps: each Sleep moves it on and
// returns at once. It is for tests.
type Fake struct {
	mu  sync.Mutex
	now time.Time
}

// NewFake starts a fake clock.
func NewFake(now time.Time) *Fake { return &Fake{now: now} }

// Now is the fake time.
func (f *Fake) Now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

// Sleep moves the time on by d.
func (f *Fake) Sleep(ctx context.Context, d time.Duration) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	f.Advance(d)
	return nil
}

// Advance moves the time on by d, which may be negative.
func (f *Fake) Advance(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d)
}
