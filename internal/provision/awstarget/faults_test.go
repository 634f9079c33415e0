package awstarget_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/aws/smithy-go/middleware"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget/awstest"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// trial is a client whose calls can be made to fail.
type trial struct {
	*awstarget.Target
	calls *awstest.Calls
	clock *impatient
}

// try makes a client under a clock on which time passes when it is waited for. It looks again after
// a pace: a longer one asks less often for a lease that a dead client kept, and gives the emulator
// less time for what it starts.
func (l *lab) try(t testing.TB, clock *wait.Fake, pace time.Duration, change ...func(*awstarget.Settings)) *trial {
	t.Helper()
	r := &trial{calls: awstest.NewCalls(l.Transport()), clock: &impatient{Fake: clock, lab: l}}
	r.clock.dead = r.calls.Dead
	r.Target = l.client(t, func(s *awstarget.Settings, o *awstarget.Options) {
		for _, c := range change {
			c(s)
		}
		o.Clock, o.Pace = r.clock, pace
		o.Transport = func(http.RoundTripper) http.RoundTripper { return r.calls }
		// What was made by a call whose answer is lost has tags that the judge does not know.
		check, judge := l.check(t), l.Judge.Hold(policies(t), func(string) {})
		o.Inspect = func(stack *middleware.Stack) error { return errors.Join(check(stack), judge(stack)) }
	})
	if _, err := r.Installation(t.Context()); err != nil && !errors.Is(err, target.ErrNoInstallation) {
		t.Fatal(err)
	}
	return r
}

// faulty is try with a clock of the client's own.
func faulty(t testing.TB, l *lab) (*awstarget.Target, *awstest.Calls) {
	t.Helper()
	r := l.try(t, wait.NewFake(time.Now()), time.Second)
	return r.Target, r.calls
}

// untilDone lets each call fail once in a way, and each wait be interrupted once where that is the
// way, repeats what gets further with each attempt until it succeeds, and lets nothing fail then.
// Between two attempts time passes enough for a transaction to end that was given up.
func (r *trial) untilDone(ctx context.Context, f awstest.Fault, do func(context.Context) error) error {
	r.calls.FailEach(f)
	return r.repeat(ctx, f, do)
}

// untilAllDone does so with what does many things at once.
func (r *trial) untilAllDone(ctx context.Context, f awstest.Fault, do func(context.Context) error) error {
	r.calls.FailOnce(f)
	return r.repeat(ctx, f, do)
}

func (r *trial) repeat(ctx context.Context, f awstest.Fault, do func(context.Context) error) error {
	defer func() {
		r.calls.FailAt(0, f)
		r.clock.interrupt(0, nil)
	}()
	const most = 2000
	var err error
	for n, sleeps := 0, 1; n < most; n++ {
		attempt, cancel := context.WithCancel(ctx)
		r.calls.Interrupts(cancel)
		if f == awstest.Interrupt {
			r.clock.interrupt(sleeps, cancel)
		}
		err = do(attempt)
		if r.clock.interrupted() {
			sleeps++
		}
		cancel()
		if err == nil {
			return nil
		}
		if failed := r.clock.lab.EndTransactions(ctx); failed != nil {
			return failed
		}
	}
	return err
}

// impatient is a clock that other clocks go by as well. Who waits on it gives AWS the time for one
// step, and may be interrupted.
type impatient struct {
	*wait.Fake
	lab  *lab
	dead func() bool

	mu     sync.Mutex
	left   int // until the wait that is to be interrupted; 0 for none
	struck bool
	end    func()
}

// interrupt has end called in the wait that is number n from now.
func (c *impatient) interrupt(n int, end func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left, c.end, c.struck = n, end, false
}

// interrupted says whether the wait was come to.
func (c *impatient) interrupted() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.struck
}

// errKilled ends the waits of a process that was killed.
var errKilled = errors.New("killed")

// Sleep lets the time pass that is waited for.
func (c *impatient) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	if c.left > 0 {
		if c.left--; c.left == 0 {
			c.struck = true
			c.end()
		}
	}
	c.mu.Unlock()
	if c.dead() {
		return errKilled
	}
	if err := c.lab.Step(ctx); err != nil {
		return errors.Join(context.Cause(ctx), err)
	}
	return c.Fake.Sleep(ctx, d)
}
