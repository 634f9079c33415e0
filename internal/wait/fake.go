package wait

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Fake is a clock whose time passes only when somebody sleeps: each Sleep moves it on and
// returns at once. What is to be called every so often is called by whoever moves the clock,
// at the very moment that it is due. It is for tests.
type Fake struct {
	mu      sync.Mutex
	now     time.Time
	tickers []*fakeTicker
}

// fakeTicker is one use of Every. Calling is held while its function runs.
type fakeTicker struct {
	every   time.Duration
	next    time.Time
	f       func()
	busy    bool
	calling sync.Mutex
}

// NewFake starts a fake clock.
func NewFake(now time.Time) *Fake { return &Fake{now: now} }

// Now is the fake time.
func (f *Fake) Now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

// Sleep moves the time on by d. It returns early where what is called meanwhile ends ctx.
func (f *Fake) Sleep(ctx context.Context, d time.Duration) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	f.Advance(d)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// Every has do called by Advance and Sleep.
func (f *Fake) Every(d time.Duration, do func()) (stop func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	t := &fakeTicker{every: d, next: f.now.Add(d), f: do}
	f.tickers = append(f.tickers, t)
	return func() {
		f.mu.Lock()
		f.tickers = slices.DeleteFunc(f.tickers, func(o *fakeTicker) bool { return o == t })
		f.mu.Unlock()
		t.calling.Lock() // waits for the call that is under way
		defer t.calling.Unlock()
	}
}

// Advance moves the time on by d, which may be negative, and calls what gets due on the way.
func (f *Fake) Advance(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for t := f.due(d); t != nil; t = f.due(d) {
		if step := t.next.Sub(f.now); step > 0 {
			f.now, d = f.now.Add(step), d-step
		}
		t.next, t.busy = f.now.Add(t.every), true
		t.calling.Lock()
		f.mu.Unlock()
		t.f()
		t.calling.Unlock()
		f.mu.Lock()
		t.busy = false
	}
	f.now = f.now.Add(d)
}

// Jump moves the time on by d without calling anything, like a machine that slept.
func (f *Fake) Jump(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d)
}

// due is the ticker that is due first within d, nil if none is. One whose function is under
// way is passed over: it may be the one that moves the clock.
func (f *Fake) due(d time.Duration) *fakeTicker {
	var first *fakeTicker
	for _, t := range f.tickers {
		if !t.busy && !t.next.After(f.now.Add(d)) && (first == nil || t.next.Before(first.next)) {
			first = t
		}
	}
	return first
}
