package awstarget

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// RetireStack implements target.Stacks. AWS's own scheduler scales the stack to nothing; what is
// left of it goes with the next stack in its seat.
func (t *Target) RetireStack(ctx context.Context, id target.SlotID, c target.Color, at *time.Time, l target.Lease) error {
	w, err := t.leasedSlot(ctx, id, l)
	if err != nil {
		return err
	}
	of := w.state.Seats[c]
	if of == nil || of.Ending {
		return nil
	}
	if gone, err := w.retired(ctx, of); err != nil || gone {
		return err
	}
	if at == nil {
		err = w.keep(ctx, c, false)
	} else {
		err = w.setRetirement(ctx, c, at.UTC())
	}
	if err != nil {
		return fmt.Errorf("set when the %s stack of slot %q retires: %w", c, id, err)
	}
	return nil
}

// setRetirement lets the scheduler retire a stack that carries no traffic. The time is saved
// first, and told when the scheduler has it: whoever comes after a run that died in between asks
// for it again. What was to end it before goes last, so that it always has an end; if that may have ended
// it by then, it is scaled again.
func (w *slotWork) setRetirement(ctx context.Context, c target.Color, at time.Time) error {
	e, err := w.entrances(ctx)
	if err != nil {
		return err
	}
	live, err := w.serving(ctx, e)
	if err != nil {
		return err
	}
	before := w.state.Seats[c]
	if carries(live, c) {
		return target.Errorf(target.ErrServing, "the %s stack of slot %q carries traffic", c, w.id)
	}
	of := before
	if of.RetireAt == nil || !of.RetireAt.Equal(at) {
		if err := w.changeSeat(ctx, c, of.Attempt, func(s *seat) {
			s.RetireAt, s.AbandonAt, s.Retirement, s.Arming = &at, nil, s.Retirement+1, true
		}); err != nil {
			return err
		}
		of = w.state.Seats[c]
	}
	now := w.target.now()
	if !at.After(now) {
		err = w.scaleToNothing(ctx, of)
	} else {
		err = w.scheduleRetirement(ctx, of, at, now)
	}
	if err != nil || !of.Arming {
		return err
	}
	if err := w.dropActions(ctx, of, retirementName(of.Retirement)); err != nil {
		return err
	}
	if at.After(now) && (before.Arming || before.endedBy(w.target)) {
		if err := w.scale(ctx, c); err != nil {
			return err
		}
	}
	return w.changeSeat(ctx, c, of.Attempt, func(s *seat) { s.Arming = false })
}

// endedBy says whether a target's scheduled actions may have ended a stack by now, by either clock.
func (s *seat) endedBy(t *Target) bool {
	soon := t.now().Add(t.lead)
	return s.RetireAt != nil && soon.After(*s.RetireAt) || s.AbandonAt != nil && soon.After(*s.AbandonAt)
}

// scheduleRetirement has the scheduler scale a stack to nothing at a time, and do nothing else.
func (w *slotWork) scheduleRetirement(ctx context.Context, of *seat, at, now time.Time) error {
	return each(target.SortedKeys(of.Spec.Definition.Components), func(name string) error {
		id := w.scaledID(of.unit(name))
		if err := w.putAction(ctx, id, retirementName(of.Retirement), action{schedule: once(w.target.due(at, now))}); err != nil {
			return err
		}
		return w.putSchedules(ctx, id, of, name)
	})
}

// scaleToNothing retires a stack at once.
func (w *slotWork) scaleToNothing(ctx context.Context, of *seat) error {
	has, err := findScaled(ctx, w.clients, w.scaledIDs(of))
	if err != nil {
		return err
	}
	return each(target.SortedKeys(of.Spec.Definition.Components), func(name string) error { return w.registerScaled(ctx, of, name, bounds{}, has) })
}

// scaledIDs are the resource ids of a stack's services.
func (w *slotWork) scaledIDs(of *seat) []string {
	var ids []string
	for _, name := range target.SortedKeys(of.Spec.Definition.Components) {
		ids = append(ids, w.scaledID(of.unit(name)))
	}
	return ids
}

// due is when a scheduled action is to run that must not run before a time: in full minutes, which
// is as exact as they are, and not sooner than AWS is sure to have noticed it.
func (t *Target) due(at, now time.Time) time.Time {
	if soonest := now.Add(t.lead); at.Before(soonest) {
		at = soonest
	}
	grain := t.lead / 2
	if whole := at.Truncate(grain); !whole.Equal(at) {
		at = whole.Add(grain)
	}
	return at
}

// keep lets a stack live on, for it is to carry traffic or to wait for it. The actions that would
// end it go first; what they have done already is taken back after that.
func (w *slotWork) keep(ctx context.Context, c target.Color, carries bool) error {
	of := w.state.Seats[c]
	if of.RetireAt == nil && of.AbandonAt == nil && (of.Carried || !carries) {
		return nil
	}
	if err := w.dropActions(ctx, of, ""); err != nil {
		return err
	}
	err := w.changeSeat(ctx, c, of.Attempt, func(s *seat) {
		s.RetireAt, s.AbandonAt, s.Arming, s.Carried = nil, nil, false, s.Carried || carries
	})
	if err != nil {
		return err
	}
	return w.scale(ctx, c)
}

// scale keeps every component of a stack in its bounds again.
func (w *slotWork) scale(ctx context.Context, c target.Color) error {
	of := w.state.Seats[c]
	return each(target.SortedKeys(of.Spec.Definition.Components), func(name string) error {
		_, err := w.putScaling(ctx, of, name, of.TargetGroups[name])
		return err
	})
}

// Times of a candidate that nobody looks after: how long it lives, and when a run that does puts its
// end off.
const (
	abandonAfter = time.Hour
	abandonSoon  = abandonAfter / 2
)

// lookAfter puts off the end of a candidate, which costs nothing for long when its run has died. It
// revives one whose time was over.
func (w *slotWork) lookAfter(ctx context.Context, c target.Color) error {
	of, now := w.state.Seats[c], w.target.now()
	if of == nil || of.Ending || of.Carried || of.RetireAt != nil || of.AbandonAt != nil && of.AbandonAt.Sub(now) > abandonSoon {
		return nil
	}
	at := w.target.due(now.Add(abandonAfter), now)
	err := each(target.SortedKeys(of.Spec.Definition.Components), func(name string) error {
		return w.putAction(ctx, w.scaledID(of.unit(name)), abandonment, action{schedule: once(at)})
	})
	if err == nil && of.endedBy(w.target) {
		err = w.scale(ctx, c)
	}
	if err != nil {
		return err
	}
	return w.changeSeat(ctx, c, of.Attempt, func(s *seat) { s.AbandonAt = &at })
}

// dropActions removes the scheduled actions that would end a stack, but for the one of a name.
func (w *slotWork) dropActions(ctx context.Context, of *seat, but string) error {
	return each(target.SortedKeys(of.Spec.Definition.Components), func(component string) error {
		id := w.scaledID(of.unit(component))
		has, err := w.findActions(ctx, id)
		if err != nil {
			return err
		}
		for _, name := range target.SortedKeys(has) {
			if !final(name) || name == but {
				continue
			}
			if err := w.deleteAction(ctx, id, name); err != nil {
				return err
			}
		}
		return nil
	})
}

// retired says whether the time of a stack has come and it was scaled to nothing. Whether an
// action is still listed says nothing; the bounds do, and the services.
func (w *slotWork) retired(ctx context.Context, of *seat) (bool, error) {
	if of.RetireAt == nil || w.target.now().Before(*of.RetireAt) {
		return false, nil
	}
	var services []string
	for name := range of.Spec.Definition.Components {
		services = append(services, of.unit(name).service())
	}
	scaled, err := findScaled(ctx, w.clients, w.scaledIDs(of))
	if err != nil {
		return false, err
	}
	for _, t := range scaled {
		if aws.ToInt32(t.MaxCapacity) > 0 {
			return false, nil
		}
	}
	has, err := findServices(ctx, w.clients, w.clusterName(), services)
	if err != nil {
		return false, err
	}
	for _, s := range has {
		if s.DesiredCount+s.RunningCount+s.PendingCount > 0 {
			return false, nil
		}
	}
	return true, nil
}
