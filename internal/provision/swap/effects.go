package swap

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/swap/decide"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/swap/judge"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// againError marks an effect that did not work yet and is to be decided anew.
type againError struct {
	error
	// pending says that it can't have worked yet: the time for it has not begun.
	pending bool
}

func (e *againError) Unwrap() error { return e.error }

// probesInARow is how many answers of the new release the front door must give in a row.
const probesInARow = 3

// act does the one effect of a decision.
func (r *run) act(ctx context.Context, d decide.Decision) error {
	id, l := r.want.ID(), r.lease.Value()
	switch d.Do {
	case decide.PutStack:
		return wrap(r.driver.PutStack(ctx, d.Stack, l), "put the %s stack", d.Stack.Color)
	case decide.RepairStack:
		err := r.driver.PutStack(ctx, d.Stack, l)
		if err == nil {
			r.repaired[d.Stack.Color] = r.clock.Now()
		}
		return wrap(err, "repair the %s stack", d.Stack.Color)
	case decide.DeleteStack:
		return wrap(r.driver.DeleteStack(ctx, id, d.Color, l), "remove the %s stack", d.Color)
	case decide.RetireStack:
		return wrap(r.driver.RetireStack(ctx, id, d.Color, d.At, l), "set the deadline of the %s stack", d.Color)
	case decide.PutTask:
		r.started = d.Task.Key // it may run, whatever the answer is
		return wrap(r.driver.PutTask(ctx, d.Task, l), "start %s", judge.TaskWords(d.Task.Kind))
	case decide.DeleteTask:
		return wrap(r.driver.DeleteTask(ctx, id, d.Key, l), "end task %s", d.Key)
	case decide.SetTraffic:
		return r.setTraffic(ctx, d.Traffic)
	case decide.Probe:
		return r.probe(ctx)
	case decide.DropRequest:
		return r.dropRequest(ctx, &target.Request{ID: d.Key})
	}
	return nil
}

func (r *run) setTraffic(ctx context.Context, t target.Traffic) error {
	before := r.clock.Now()
	s, err := r.driver.SetTraffic(ctx, r.want.ID(), t, time.Duration(r.record.Asked.Policy.DrainSeconds)*time.Second, r.lease.Value())
	if errors.Is(err, target.ErrConflict) {
		return &againError{error: err}
	}
	if err != nil {
		return fmt.Errorf("switch the traffic to the %s stack: %w", t.Color, err)
	}
	r.moved = &before
	if w := r.record.Swap; t.Percent == 0 && t.Color == w.To && !s.At.IsZero() {
		switched := *w
		switched.SwitchedAt = &s.At
		r.record.Swap = &switched
		return r.save(ctx)
	}
	return nil
}

// probe asks the front door until the release has answered several times in a row.
func (r *run) probe(ctx context.Context) error {
	w := r.record.Swap
	for range probesInARow {
		p, err := r.driver.ProbeFrontDoor(ctx, r.want.ID())
		switch {
		case err != nil:
			return fmt.Errorf("probe the front door: %w", err)
		case p.Release != w.Release && p.Problem != "":
			return &againError{errors.New(p.Problem), p.Pending}
		case p.Release != w.Release:
			return &againError{error: fmt.Errorf("release %q answered, with status %d", p.Release, p.StatusCode)}
		}
	}
	probed := *w
	probed.Probed = true
	r.record.Swap = &probed
	return r.save(ctx)
}

func wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf(format+": %w", append(args, err)...)
}
