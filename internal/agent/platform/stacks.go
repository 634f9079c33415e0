//go:build !windows

package platform

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/process"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// PutStack implements target.Stacks.
func (p *Platform) PutStack(ctx context.Context, spec target.StackSpec, l target.Lease) error {
	s, err := p.slot(spec.Slot, true)
	if err != nil {
		return err
	}
	s.effects.Lock()
	defer s.effects.Unlock()
	if err := s.checkLease(l); err != nil {
		return err
	}
	front := s.e.front()
	if front == nil {
		return target.Errorf(target.ErrUnavailable, "the front door of environment %q is not open", s.e.id)
	}
	err = s.change(func(f *slotFile) error {
		old := f.Seats[spec.Color]
		switch {
		case old == nil:
			f.Seats[spec.Color] = &seat{Spec: spec}
		case old.Spec.SwapID != spec.SwapID || old.Spec.Fingerprint != spec.Fingerprint:
			return target.Errorf(target.ErrConflict, "the %s seat of slot %q holds another stack", spec.Color, s.id)
		default:
			old.Spec = spec
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	st := s.stacks[spec.Color]
	fresh := st == nil
	if fresh {
		st = s.newStack(spec)
		s.stacks[spec.Color] = st
	}
	s.mu.Unlock()
	if !fresh {
		return st.change(ctx, spec)
	}
	st.enter(front)
	s.direct(front)
	if _, err := st.decide(); err != nil {
		return err
	}
	st.settle(ctx, nil)()
	return nil
}

// DeleteStack implements target.Stacks.
func (p *Platform) DeleteStack(ctx context.Context, id target.SlotID, c target.Color, l target.Lease) error {
	s, err := p.slot(id, false)
	if errors.Is(err, target.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	s.effects.Lock()
	defer s.effects.Unlock()
	if err := s.checkLease(l); err != nil {
		return err
	}
	return s.deleteStack(ctx, c)
}

// errServing refuses what only a stack without traffic can bear.
func (s *slot) errServing(c target.Color) error {
	return target.Errorf(target.ErrServing, "the %s stack of slot %q carries traffic", c, s.id)
}

// deleteStack empties a seat that carries no traffic. The caller holds s.effects.
func (s *slot) deleteStack(ctx context.Context, c target.Color) error {
	s.mu.Lock()
	st, carries := s.stacks[c], s.file.share(c) > 0
	s.mu.Unlock()
	switch {
	case carries:
		return s.errServing(c)
	case st == nil:
		return nil
	}
	if front := s.e.front(); front != nil {
		if err := front.DeleteStack(ctx, st.id()); err != nil {
			return err
		}
	}
	// Begun it is finished: a stack with half its instances is no fallback.
	if err := st.stop(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("stop the %s stack of slot %q: %w", c, s.id, err)
	}
	if err := os.RemoveAll(s.files.stack(s.id.Name, st.swapID)); err != nil {
		return fmt.Errorf("remove the folder of the %s stack: %w", c, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.changeLocked(func(f *slotFile) error { delete(f.Seats, c); return nil }); err != nil {
		return err
	}
	delete(s.stacks, c)
	return nil
}

// RetireStack implements target.Stacks.
func (p *Platform) RetireStack(_ context.Context, id target.SlotID, c target.Color, at *time.Time, l target.Lease) error {
	s, err := p.slot(id, false)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.leased(l); err != nil {
		return err
	}
	if s.file.share(c) > 0 && at != nil {
		return s.errServing(c)
	}
	if s.file.Seats[c] == nil {
		return nil
	}
	return s.changeLocked(func(f *slotFile) error { f.Seats[c].RetireAt = at; return nil })
}

// due are the seats whose stacks' deadline has passed and that carry no traffic.
func (s *slot) due() []target.Color {
	now := s.e.p.clock.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	var due []target.Color
	for c, seat := range s.file.Seats {
		if seat.RetireAt != nil && !now.Before(*seat.RetireAt) && s.file.share(c) == 0 {
			due = append(due, c)
		}
	}
	return due
}

// retireDue removes the stacks that are due, unless an effect is under way; then the next
// look does it.
func (s *slot) retireDue(ctx context.Context) {
	if !s.effects.TryLock() {
		return
	}
	defer s.effects.Unlock()
	for _, c := range s.due() {
		if err := s.deleteStack(ctx, c); err != nil {
			s.e.p.log.Error("a stack was not retired", "slot", s.id.String(), "color", c, "error", err)
			continue
		}
		s.e.p.log.Info("retired a stack", "slot", s.id.String(), "color", c)
	}
}

// Observe implements target.Stacks.
func (p *Platform) Observe(_ context.Context, id target.SlotID) (target.Observation, error) {
	s, err := p.slot(id, false)
	if errors.Is(err, target.ErrNotFound) {
		return target.Observation{At: p.clock.Now(), Stacks: map[target.Color]target.StackStatus{}}, nil
	}
	if err != nil {
		return target.Observation{}, err
	}
	s.mu.Lock()
	out := target.Observation{
		At: p.clock.Now(), Serving: s.file.Serving, Percent: s.file.Percent,
		Stacks: map[target.Color]target.StackStatus{}, Tasks: map[string]target.TaskStatus{},
	}
	if r := s.file.Request; r != nil {
		out.Request = new(*r)
	}
	stacks, retire, tasks := map[target.Color]*stack{}, map[target.Color]*time.Time{}, map[string]*task{}
	for c, st := range s.stacks {
		stacks[c], retire[c] = st, s.file.Seats[c].RetireAt
	}
	for key, t := range s.tasks {
		tasks[key] = t
	}
	s.mu.Unlock()
	for c, st := range stacks {
		status := st.status()
		status.RetireAt = retire[c]
		out.Stacks[c] = status
	}
	for key, t := range tasks {
		out.Tasks[key] = t.status()
	}
	return out, nil
}

// endProcess stops a process that is known by its identity only, with all that is left of its session.
func (p *Platform) endProcess(ctx context.Context, id process.Identity) error {
	proc, err := p.find(id)
	if errors.Is(err, process.ErrGone) {
		return process.Sweep(ctx, id)
	}
	if err != nil {
		return err
	}
	return proc.Stop(ctx, stopGrace)
}
