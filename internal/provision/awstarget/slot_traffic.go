package awstarget

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// undoing bounds how long it may take to put back the rules after a switch that failed.
const undoing = 30 * time.Second

// SetTraffic implements target.Router. AWS changes one rule at a time: what is to become of all is
// saved before the first, whoever is interrupted is gone on with, and one that fails puts back
// what it changed. The stack that loses the traffic keeps its targets: what it has begun to answer
// it goes on with, also when it is removed, for which ECS waits as long as its requests may take.
func (t *Target) SetTraffic(ctx context.Context, id target.SlotID, to target.Traffic, drain time.Duration, l target.Lease) (target.Switched, error) {
	out := target.Switched{}
	switch {
	case to.Color != target.Blue && to.Color != target.Green:
		return out, target.Errorf(target.ErrInvalid, "%q is not a seat: expected %q or %q", to.Color, target.Blue, target.Green)
	case to.Percent < 0 || to.Percent > 99:
		return out, target.Errorf(target.ErrInvalid, "%d is not a share of the traffic: expected 0 to 99 percent", to.Percent)
	case to.StickyBy == target.StickyByAccount:
		return out, target.Errorf(target.ErrInvalid, "%s", noAccounts)
	}
	w, err := t.leasedSlot(ctx, id, l)
	if err != nil {
		return out, err
	}
	moved, err := w.move(ctx, to, drain)
	if err != nil {
		return out, fmt.Errorf("divide the traffic of slot %q: %w", id, err)
	}
	if moved {
		out.At = t.now()
	}
	return out, nil
}

// move makes the production entrance's rules divide the traffic, and says whether it was this call
// that finished it.
func (w *slotWork) move(ctx context.Context, to target.Traffic, drain time.Duration) (bool, error) {
	e, err := w.entrances(ctx)
	if err != nil {
		return false, err
	}
	has, err := w.findRules(ctx, e.production)
	if err != nil {
		return false, err
	}
	live, was := w.state.divided(has, w.spec.DomainName), w.state.Traffic
	// A division is recorded after its rules are written, and the record was read before them: where it
	// is recorded and they are not there, somebody has deleted them.
	gone := was == to && !w.state.written(has, to, w.spec.DomainName)
	switch {
	case w.state.Moving != nil: // somebody's, or an interrupted one's
	case live == to && was == to && !gone:
		return false, nil
	case w.state.moved(live) != "":
		// Another call may have divided it since the state was read.
		if before := w.version; w.reload(ctx) == nil && w.version != before {
			return w.move(ctx, to, drain)
		}
		return false, target.Errorf(target.ErrConflict, "%s", w.state.moved(live))
	}
	if err := w.standBy(ctx, e, live, to); err != nil {
		return false, err
	}
	if err := w.prepare(ctx, live, to, drain); err != nil {
		return false, err
	}
	if err := w.change(ctx, func(s *slotState) error {
		if s.Traffic != to || s.Moving != nil || gone {
			s.Moving = &to
			s.pastProbes()
		}
		return nil
	}); err != nil { // it may be noted all the same, and would keep the stack from being removed
		return false, errors.Join(err, w.putBack(ctx, e, was, to))
	}
	if w.state.Moving == nil { // another call has done it meanwhile
		return false, nil
	}
	if err := w.leadProduction(ctx, e, to); err != nil {
		return false, errors.Join(err, w.putBack(ctx, e, was, to))
	}
	return w.moved(ctx, e, to, drain)
}

// moved reads back what was written and records it.
func (w *slotWork) moved(ctx context.Context, e entrances, to target.Traffic, drain time.Duration) (finished bool, err error) {
	has, err := w.findRules(ctx, e.production)
	if err != nil {
		return false, err
	}
	if !w.state.written(has, to, w.spec.DomainName) {
		return false, target.Errorf(target.ErrUnavailable, "the load balancer does not show the rules that it was given: apply again")
	}
	err = w.change(ctx, func(s *slotState) error {
		finished = s.Moving != nil && *s.Moving == to
		if finished {
			s.divide(to, w.target.now().Add(drain))
		} else if s.Traffic != to {
			return target.Errorf(target.ErrConflict, "another call has divided the traffic meanwhile")
		}
		return nil
	})
	if err != nil {
		return false, err
	}
	if err := w.leadPreview(ctx, e); err != nil {
		return finished, err
	}
	_ = w.endProbes(ctx, to) // the next call tries again, and they end by themselves
	return finished, nil
}

// divide notes how the traffic is divided now. At a time that has ended which was begun before.
func (s *slotState) divide(to target.Traffic, drained time.Time) {
	s.Traffic, s.Moving = to, nil
	if of := s.Seats[to.Color]; of != nil && to.Percent == 0 {
		of.Served = true
	}
	for c, of := range s.Seats {
		switch {
		case carries(to, c):
			of.DrainedAt = nil
		case of.Carried && of.DrainedAt == nil:
			of.DrainedAt = &drained
		}
	}
}

// drains says whether a stack may still answer what it was asked while it had traffic.
func (s *seat) drains(now time.Time) bool {
	return s.Carried && (s.DrainedAt == nil || now.Before(*s.DrainedAt))
}

// prepare refuses seats that can't take the traffic that they are to get, and sees to it that they
// will not be retired, and what their requests may take when they end.
func (w *slotWork) prepare(ctx context.Context, live, to target.Traffic, drain time.Duration) error {
	for _, c := range []target.Color{target.Blue, target.Green} {
		if shareOf(to, c) > shareOf(live, c) {
			if err := w.ready(ctx, c); err != nil {
				return err
			}
		}
	}
	for _, c := range []target.Color{target.Blue, target.Green} {
		if shareOf(to, c) == 0 {
			continue
		}
		if err := w.keep(ctx, c, true); err != nil {
			return err
		}
		if err := w.drainFor(ctx, c, drain); err != nil {
			return err
		}
	}
	return nil
}

// longestDrain is in seconds ("Deregistration delay").
const longestDrain = 3600

// drainFor sets how long ECS waits for requests before it stops a task of a stack.
func (w *slotWork) drainFor(ctx context.Context, c target.Color, drain time.Duration) error {
	seconds := strconv.Itoa(min(int((drain+time.Second-1)/time.Second), longestDrain))
	of := w.state.Seats[c]
	return each(target.SortedKeys(of.TargetGroups), func(name string) error {
		return w.setTargetGroup(ctx, of.TargetGroups[name], map[string]string{attributeDeregistration: seconds})
	})
}

// ready refuses a seat that can't take traffic: a group without healthy targets would send its
// requests to those that are not.
func (w *slotWork) ready(ctx context.Context, c target.Color) error {
	of := w.state.Seats[c]
	if of == nil || of.Ending {
		return target.Errorf(target.ErrConflict, "the %s seat of slot %q is empty", c, w.id)
	}
	services, err := findServices(ctx, w.clients, w.clusterName(), w.state.services())
	if err != nil {
		return err
	}
	w.deciding = true
	defer func() { w.deciding = false }()
	st, _, err := w.observeStack(ctx, of, services)
	if err != nil {
		return err
	}
	for _, name := range target.SortedKeys(of.Spec.Definition.Components) {
		if of.Spec.Definition.Components[name].Worker() {
			continue
		}
		healthy := 0
		for _, i := range st.Of(name) {
			if i.Healthy {
				healthy++
			}
		}
		if healthy == 0 {
			return target.Errorf(target.ErrConflict, "component %q of release %q in the %s seat of slot %q has no healthy instance", name, of.Spec.Definition.Release, c, w.id)
		}
	}
	return nil
}

// putBack undoes a switch that failed half-way, while the lease is held.
func (w *slotWork) putBack(ctx context.Context, e entrances, was, to target.Traffic) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoing)
	defer cancel()
	err := w.leadProduction(ctx, e, was)
	if err == nil {
		err = w.change(ctx, func(s *slotState) error {
			if s.Moving != nil && *s.Moving == to {
				s.Moving = nil
			}
			return nil
		})
	}
	if err != nil {
		return fmt.Errorf("put back the rules of before: %w", err)
	}
	return nil
}
