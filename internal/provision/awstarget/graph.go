package awstarget

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// part is something that a noun is made of: one AWS resource, or a few that make no sense
// without each other.
type part struct {
	name string
	// needs are the parts that must be there before it, and go after it. What is not a part of the
	// graph is there already: a network that was given has fewer parts than one that is made.
	needs []string
	// put makes the part, goes on with one that was begun, or repairs one that has changed.
	put func(ctx context.Context) error
	// check says, in words, how the part differs from what put would make.
	check func(ctx context.Context) (drift []string, err error)
	// delete removes the part with all that put made. What is gone is success.
	delete func(ctx context.Context) error
}

// graph is all parts of a noun.
type graph []part

// put puts every part, each as soon as what it needs is there. The first error ends it: what
// was made is saved and found again.
func (g graph) put(ctx context.Context) error {
	return g.walk(ctx, "put", func(p part) []string { return p.needs }, func(p part) func(context.Context) error { return p.put })
}

// delete removes every part, each as soon as nothing is there any more that needs it.
func (g graph) delete(ctx context.Context) error {
	return g.walk(ctx, "remove", g.neededBy, func(p part) func(context.Context) error { return p.delete })
}

// neededBy are the parts that need p.
func (g graph) neededBy(p part) []string {
	var names []string
	for _, o := range g {
		if slices.Contains(o.needs, p.name) {
			names = append(names, o.name)
		}
	}
	return names
}

// errSkipped ends a part whose turn does not come because of another's error.
var errSkipped = errors.New("another part failed")

func (g graph) walk(ctx context.Context, verb string, after func(part) []string, do func(part) func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	done := make(map[string]chan struct{}, len(g))
	for _, p := range g {
		done[p.name] = make(chan struct{})
	}
	errs := make([]error, len(g))
	var working sync.WaitGroup
	for i, p := range g {
		working.Go(func() {
			for _, name := range after(p) {
				if done[name] == nil {
					continue
				}
				select {
				case <-ctx.Done():
					return // what it waits for may never be done
				case <-done[name]:
				}
			}
			if ctx.Err() != nil {
				return
			}
			if err := do(p)(ctx); err != nil {
				errs[i] = fmt.Errorf("%s %s: %w", verb, p.name, err)
				cancel(errSkipped)
				return
			}
			close(done[p.name])
		})
	}
	working.Wait()
	return g.outcome(ctx, errs)
}

// outcome leaves out what failed only because of another part.
func (g graph) outcome(ctx context.Context, errs []error) error {
	var real []error
	for _, err := range errs {
		if err != nil && !errors.Is(err, errSkipped) && !errors.Is(err, context.Canceled) {
			real = append(real, err)
		}
	}
	if len(real) > 0 {
		return errors.Join(real...)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// check checks every part at once.
func (g graph) check(ctx context.Context) ([]string, error) {
	found, errs := make([][]string, len(g)), make([]error, len(g))
	var working sync.WaitGroup
	for i, p := range g {
		working.Go(func() {
			if found[i], errs[i] = p.check(ctx); errs[i] != nil {
				errs[i] = fmt.Errorf("check %s: %w", p.name, errs[i])
			}
		})
	}
	working.Wait()
	return slices.Concat(found...), errors.Join(errs...)
}
