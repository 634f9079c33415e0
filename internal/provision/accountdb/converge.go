package accountdb

import (
	"context"
	"fmt"
)

// Server carries statements to a PostgreSQL server, on behalf of an administrator.
type Server interface {
	// Observe returns what there is under one name.
	Observe(ctx context.Context, name string) (Entry, error)
	// Do carries out a step: all of its statements or none.
	Do(ctx context.Context, s Step) error
	// Again says, after an error of Do, whether somebody else may have been in the way, and
	// waits a little, longer with each attempt, before it lets the server be looked at again.
	Again(ctx context.Context, failed error, attempt int) bool
}

// maxRetries is how often one change meets a statement that somebody else was
// in the way of, before it gives up.
const maxRetries = 8

// Converge looks, does the next step, and looks again, until there is none. The caller keeps
// others from working on the same name meanwhile.
func Converge(ctx context.Context, s Server, asks Asker, name string, next Next) error {
	last, retries := "", 0
	for {
		seen, err := s.Observe(ctx, name)
		if err != nil {
			return fmt.Errorf("read: %w", err)
		}
		step, err := next(seen, asks)
		if step == nil || err != nil {
			return err
		}
		if step.What == last {
			return fmt.Errorf("%s: %w", step.What, ErrNotTaken)
		}
		err = s.Do(ctx, *step)
		switch {
		case err == nil:
			last = step.What
			if step.done != nil {
				step.done()
			}
		case retries < maxRetries && s.Again(ctx, err, retries+1):
			retries++
		default:
			return fmt.Errorf("%s: %w", step.What, err)
		}
	}
}
