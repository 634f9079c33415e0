package awstarget

import (
	"context"
	"strings"
	"sync"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"

	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// allowance keeps calls within what a service allows for, so that none is refused: so many at
// once, and one more each time that a while has passed.
type allowance struct {
	clock wait.Clock
	most  float64
	each  time.Duration

	mu   sync.Mutex
	left float64 // below zero: so many wait
	at   time.Time
}

// The describe calls of load balancers have 40 at once and 10 more each second, for all who call
// from an AWS account in a region ("Request throttling for the Elastic Load Balancing API"). A
// quarter of it is left to others.
const (
	describesAtOnce    = 30
	describesPerSecond = 8
)

// newDescribes is what load balancers allow for, where a second takes as long as said.
func newDescribes(second time.Duration, clock wait.Clock) *allowance {
	return &allowance{clock: clock, most: describesAtOnce, each: second / describesPerSecond}
}

// take waits until one more call is allowed.
func (a *allowance) take(ctx context.Context) error {
	if pause := a.book(); pause > 0 {
		return a.clock.Sleep(ctx, pause)
	}
	return nil
}

// book takes a call's place, and says how long it is until its turn.
func (a *allowance) book() time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.clock.Now()
	if a.at.IsZero() {
		a.left = a.most
	} else {
		a.left = min(a.most, a.left+float64(now.Sub(a.at))/float64(a.each))
	}
	a.at = now
	a.left--
	return time.Duration(max(0, -a.left) * float64(a.each))
}

// describe is the step of each attempt of a call that makes describe calls wait for their turn.
func (a *allowance) describe(stack *middleware.Stack) error {
	return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("TakeAllowance", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
		if strings.HasPrefix(awsmiddleware.GetOperationName(ctx), "Describe") {
			if err := a.take(ctx); err != nil {
				return middleware.FinalizeOutput{}, middleware.Metadata{}, err
			}
		}
		return next.HandleFinalize(ctx, in)
	}), "Retry", middleware.After)
}
