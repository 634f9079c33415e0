package wait

import (
	"context"
	"time"
)

// Within ends ctx with [context.DeadlineExceeded] as its cause after d on a clock. The
// function that it returns must be called to free what it takes.
func Within(ctx context.Context, c Clock, d time.Duration) (context.Context, context.CancelFunc) {
	limited, cancel := context.WithCancelCause(ctx)
	stop := c.Every(d, func() { cancel(context.DeadlineExceeded) })
	return limited, func() { stop(); cancel(nil) }
}
