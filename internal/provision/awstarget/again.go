package awstarget

import (
	"context"
	"time"
)

// appearLag is how long AWS may not see what was made a moment ago: most of its services are eventually
// consistent, and none says for how long.
const appearLag = 2 * time.Minute

// while does something again for as long as its outcome is one that passes, and returns the last. Awaited
// completes the sentence "wait for …".
func (t *Target) while(ctx context.Context, awaited string, passes func(outcome error) bool, do func(context.Context) error) error {
	var outcome error
	err := t.until(ctx, awaited, func(ctx context.Context) (status, bool, error) {
		if outcome = do(ctx); !passes(outcome) {
			return "", true, nil
		}
		return status(outcome.Error()), false, nil
	})
	if err != nil {
		return err
	}
	return outcome
}

// appearing does what needs a thing that this run has just made: while it is not there, for a time, that is
// because AWS does not see it yet. What is done must bear to be done again.
func (t *Target) appearing(ctx context.Context, what string, do func(context.Context) error) error {
	end := t.now().Add(appearLag)
	return t.while(ctx, what+", which is new, to be seen", func(outcome error) bool { return isAbsent(outcome) && t.now().Before(end) }, do)
}

// knownAt is when AWS knows all of what was made at a time.
func (t *Target) knownAt(made time.Time, lag time.Duration) time.Time {
	if now := t.now(); made.After(now) { // the clock of this machine is slow
		made = now
	}
	return made.Add(lag)
}
