package wait_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

func TestAContextEndsWithinItsTimeOnTheClock(t *testing.T) {
	t.Parallel()
	clock := wait.NewFake(noon)
	ctx, cancel := wait.Within(t.Context(), clock, 3*time.Second)
	defer cancel()
	clock.Advance(2 * time.Second)
	if ctx.Err() != nil {
		t.Fatal("it ended before its time")
	}
	clock.Advance(time.Second)
	if !errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		t.Errorf("its cause is %v, want %v", context.Cause(ctx), context.DeadlineExceeded)
	}
}
