package awstarget

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// Fingerprint implements target.Stacks. What an image's name stands for is its registry's matter. A
// component that gets its first routes, or loses its last, is checked by somebody else, which its
// task definition says: that is another stack.
func (t *Target) Fingerprint(_ context.Context, d target.Definition) (string, error) {
	var workers map[string]string
	for name, c := range d.Components {
		if c.Worker() {
			if workers == nil {
				workers = map[string]string{}
			}
			workers[name] = "worker"
		}
	}
	return d.Fingerprint(workers)
}

// PutStack implements target.Stacks. It returns when everything is asked for.
func (t *Target) PutStack(ctx context.Context, spec target.StackSpec, l target.Lease) error {
	w, err := t.openedSlot(ctx, spec.Slot, l)
	if err != nil {
		return err
	}
	if err := w.vacate(ctx, spec); err != nil {
		return fmt.Errorf("clear the %s seat of slot %q: %w", spec.Color, w.id, err)
	}
	err = w.change(ctx, func(s *slotState) error {
		s.DefaultTags = w.defaultTags()
		return s.seat(spec, w.tagKeys(), w.startSeconds)
	})
	if err == nil {
		err = w.build(ctx, spec.Color)
	}
	if of := w.state.Seats[spec.Color]; err == nil && of.Before != nil {
		err = w.changeSeat(ctx, spec.Color, of.Attempt, func(s *seat) { s.Before = nil })
	}
	if err != nil {
		return fmt.Errorf("put release %q into the %s seat of slot %q: %w", spec.Definition.Release, spec.Color, w.id, err)
	}
	return nil
}

// vacate removes what is left of a stack that has retired, or whose removal was begun, from a seat
// that another one is to take.
func (w *slotWork) vacate(ctx context.Context, spec target.StackSpec) error {
	of := w.state.Seats[spec.Color]
	if of == nil {
		return nil
	}
	left := of.Ending
	if !left {
		var err error
		if left, err = w.retired(ctx, of); err != nil {
			return err
		}
	}
	if !left {
		return nil
	}
	return w.removeSeats(ctx, spec.Color)
}

// seat notes that a seat has a stack, or that its routes, scaling and capacity have changed.
// TagKeys are those that it is given now, startSeconds how long one that is new may take to start.
func (s *slotState) seat(spec target.StackSpec, tagKeys []string, startSeconds int) error {
	of := s.Seats[spec.Color]
	switch {
	case of == nil:
		s.Attempts++
		before := spec
		before.Definition.Components = nil
		of = &seat{Attempt: s.Attempts, Nonce: rand.Text(), StartSeconds: startSeconds, Before: &before}
		if s.Seats == nil {
			s.Seats = map[target.Color]*seat{}
		}
		s.Seats[spec.Color] = of
	case of.Ending, of.Spec.Fingerprint != spec.Fingerprint, of.Spec.SwapID != spec.SwapID:
		return target.Errorf(target.ErrConflict, "the %s seat of slot %q holds release %q of swap %q", spec.Color, spec.Slot, of.Spec.Definition.Release, of.Spec.SwapID)
	case !sameProgram(of.Spec.Definition, spec.Definition):
		return target.Errorf(target.ErrInvalid, "the stack in the %s seat of slot %q has this fingerprint and other components", spec.Color, spec.Slot)
	case of.Before == nil && !target.Same(of.Spec, spec):
		before := of.Spec
		of.Before = &before
	}
	of.Spec, of.TagKeys = spec, both(of.TagKeys, tagKeys)
	return nil
}

// sameProgram says that two definitions differ in nothing that a fingerprint covers.
func sameProgram(a, b target.Definition) bool {
	x, errX := a.Fingerprint(nil)
	y, errY := b.Fingerprint(nil)
	return errX == nil && errY == nil && x == y
}

// build makes what the stack in a seat is made of, or goes on with it: target groups, the rules
// that lead to them, task definitions, and then services, each with its scaling.
func (w *slotWork) build(ctx context.Context, c target.Color) error {
	if err := w.putTargetGroups(ctx, c); err != nil {
		return err
	}
	e, err := w.entrances(ctx)
	if err != nil {
		return err
	}
	live, err := w.serving(ctx, e)
	if err != nil {
		return err
	}
	if err := w.leadPreview(ctx, e); err != nil {
		return err
	}
	if carries(live, c) && w.state.Moving == nil { // its routes may have changed
		if why := w.state.moved(live); why != "" {
			if before := w.version; w.reload(ctx) == nil && w.version != before { // by another call
				return w.build(ctx, c)
			}
			return target.Errorf(target.ErrConflict, "%s", why)
		}
		if err := w.leadProduction(ctx, e, w.state.Traffic); err != nil {
			return err
		}
	}
	if w.resting { // only then somebody else's change is told from ours
		if err := w.repairTargetGroups(ctx, w.state.Seats[c]); err != nil {
			return err
		}
		if err := w.retagBalancing(ctx, w.state.Seats[c], e); err != nil {
			return err
		}
	}
	if err := w.putDefinitions(ctx, c); err != nil {
		return err
	}
	if w.resting {
		if err := w.retagDefinitions(ctx, w.state.Seats[c]); err != nil {
			return err
		}
	}
	of := w.state.Seats[c]
	err = each(target.SortedKeys(of.Spec.Definition.Components), func(name string) error {
		return w.putComponent(ctx, of, name, carries(live, c))
	})
	if err != nil {
		return err
	}
	return w.lookAfter(ctx, c)
}

// putComponent makes a component's service and keeps it in its bounds. One without traffic has no
// load that anything could follow: it has just the fewest.
func (w *slotWork) putComponent(ctx context.Context, of *seat, name string, carries bool) error {
	b := boundsOf(of.Spec, name, w.target.now())
	s, err := w.putService(ctx, of, name, b.min)
	clamped := false
	if err == nil {
		clamped, err = w.putScaling(ctx, of, name, of.TargetGroups[name])
	}
	switch n := int(s.DesiredCount); {
	case err != nil:
	case !carries && n > b.min && b.max > b.min, !clamped && n < b.min:
		err = w.countService(ctx, of.unit(name).service(), b.min)
	case !clamped && n > b.max:
		err = w.countService(ctx, of.unit(name).service(), b.max)
	}
	if err == nil && carries && !b.keep && s.AvailabilityZoneRebalancing != types.AvailabilityZoneRebalancingEnabled {
		err = w.balanceService(ctx, of.unit(name).service()) // no swap is under way that it could disturb
	}
	if err != nil {
		return fmt.Errorf("component %q: %w", name, err)
	}
	return nil
}

func (w *slotWork) putTargetGroups(ctx context.Context, c target.Color) error {
	of := w.state.Seats[c]
	made := map[string]string{}
	for _, name := range target.SortedKeys(of.Spec.Definition.Components) {
		if of.Spec.Definition.Components[name].Worker() || of.TargetGroups[name] != "" {
			continue
		}
		arn, err := w.putTargetGroup(ctx, of, name)
		if err != nil {
			return fmt.Errorf("component %q: %w", name, err)
		}
		made[name] = arn
	}
	return w.note(ctx, of, made, func(s *seat) *map[string]string { return &s.TargetGroups })
}

func (w *slotWork) putDefinitions(ctx context.Context, c target.Color) error {
	of := w.state.Seats[c]
	made := map[string]string{}
	for _, name := range target.SortedKeys(of.Spec.Definition.Components) {
		if of.Definitions[name] != "" {
			continue
		}
		arn, err := w.register(ctx, of.unit(name).family(), func() (*ecs.RegisterTaskDefinitionInput, error) { return w.definition(of, name), nil })
		if err != nil {
			return fmt.Errorf("component %q: %w", name, err)
		}
		made[name] = arn
	}
	return w.note(ctx, of, made, func(s *seat) *map[string]string { return &s.Definitions })
}

// note saves the ARNs of what was made.
func (w *slotWork) note(ctx context.Context, of *seat, made map[string]string, where func(*seat) *map[string]string) error {
	if len(made) == 0 {
		return nil
	}
	return w.changeSeat(ctx, of.Spec.Color, of.Attempt, func(s *seat) {
		into := where(s)
		if *into == nil {
			*into = map[string]string{}
		}
		for name, arn := range made {
			(*into)[name] = arn
		}
	})
}

// each does something for everything on a list at once.
func each[T any](list []T, do func(T) error) error {
	errs := make([]error, len(list))
	var working sync.WaitGroup
	for i, one := range list {
		working.Go(func() { errs[i] = do(one) })
	}
	working.Wait()
	return errors.Join(errs...)
}

// DeleteStack implements target.Stacks.
func (t *Target) DeleteStack(ctx context.Context, id target.SlotID, c target.Color, l target.Lease) error {
	w, err := t.leasedSlot(ctx, id, l)
	if err != nil || w.state.Seats[c] == nil {
		return err
	}
	e, err := w.entrances(ctx)
	if err != nil {
		return err
	}
	live, err := w.serving(ctx, e)
	if err != nil {
		return err
	}
	if carries(live, c) {
		return target.Errorf(target.ErrServing, "the %s stack of slot %q carries traffic", c, id)
	}
	// A switch to it that was noted and leads nowhere is of a run that has died, since the lease is ours.
	if to := w.state.Moving; to != nil && carries(*to, c) {
		if err := w.putBack(ctx, e, w.state.Traffic, *to); err != nil {
			return err
		}
	}
	if err := w.removeSeats(ctx, c); err != nil {
		return fmt.Errorf("remove the %s stack of slot %q: %w", c, id, err)
	}
	return nil
}

// removeSeats removes all that build made in seats, of all at once and in the reverse order, and returns when it is
// gone. What still answers stays in a rule until ECS has ended it: of a target group in none ECS does not wait for
// the requests (TargetHealth, "Target.NotInUse"). Else the rules go first, and there is nothing to wait for.
func (w *slotWork) removeSeats(ctx context.Context, colors ...target.Color) error {
	var all []unit
	drains := false
	for _, c := range colors {
		of := w.state.Seats[c]
		if err := w.changeSeat(ctx, c, of.Attempt, func(s *seat) { s.Ending = true }); err != nil {
			return err
		}
		all, drains = append(all, of.units()...), drains || of.drains(w.target.now())
	}
	e, _, err := w.entrancesLeft(ctx)
	if err != nil {
		return err
	}
	if !drains {
		if err := w.leadPreview(ctx, e); err != nil {
			return err
		}
	}
	for _, c := range colors {
		if key := w.state.Seats[c].probeKey(); w.state.Tasks[key] != nil {
			if err := w.removeTask(ctx, key); err != nil {
				return err
			}
		}
	}
	if err := eachUnit(ctx, all, w.removeScaling, w.deleteService); err != nil {
		return err
	}
	if drains {
		if err := w.leadPreview(ctx, e); err != nil {
			return err
		}
	}
	deregister := func(ctx context.Context, p unit) error { return w.deregister(ctx, p.family()) }
	if err := eachUnit(ctx, all, w.deleteTargetGroup, deregister); err != nil {
		return err
	}
	return w.change(ctx, func(s *slotState) error {
		for _, c := range colors {
			if now := s.Seats[c]; now != nil && now.Ending {
				delete(s.Seats, c)
				if s.Traffic.Color == c { // the next stack in this seat has none yet
					s.Traffic = target.Traffic{}
				}
			}
		}
		return nil
	})
}

// units are the components of the stack in the seat.
func (s *seat) units() []unit {
	var all []unit
	for _, name := range target.SortedKeys(s.Spec.Definition.Components) {
		all = append(all, s.unit(name))
	}
	return all
}

// eachUnit does some things, one after the other, for all units at once.
func eachUnit(ctx context.Context, units []unit, all ...func(context.Context, unit) error) error {
	return each(units, func(p unit) error {
		for _, do := range all {
			if err := do(ctx, p); err != nil {
				return fmt.Errorf("component %q: %w", p.component, err)
			}
		}
		return nil
	})
}
