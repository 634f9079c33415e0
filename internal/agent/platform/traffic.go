//go:build !windows

package platform

import (
	"context"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/proxy"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// traffic says who carries the slot's traffic.
func (f *slotFile) traffic() target.Traffic {
	return target.Traffic{Color: f.Serving, Percent: f.Percent, StickyBy: f.StickyBy}
}

func (f *slotFile) set(t target.Traffic) {
	f.Serving, f.Percent, f.StickyBy = t.Color, t.Percent, t.StickyBy
}

// share is the percentage of the traffic that a seat carries.
func (f *slotFile) share(c target.Color) int { return shareOf(f.traffic(), c) }

func shareOf(t target.Traffic, c target.Color) int {
	switch {
	case t.Color == "" || c == "":
		return 0
	case t.Color == c:
		return 100 - t.Percent
	}
	return t.Percent
}

// carries says whether a seat carries traffic.
func (s *slot) carries(c target.Color) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.file.share(c) > 0
}

// SetTraffic implements target.Router. The record is the commit point: it is written before
// the front door's pointer moves, so that a crash in between ends in what was asked for.
func (p *Platform) SetTraffic(_ context.Context, id target.SlotID, t target.Traffic, drain time.Duration, l target.Lease) (target.Switched, error) {
	s, err := p.slot(id, false)
	if err != nil {
		return target.Switched{}, err
	}
	at, err := s.setTraffic(t, drain, l)
	return target.Switched{At: at}, err
}

// setTraffic returns when the traffic was set, zero if everything was set already.
func (s *slot) setTraffic(t target.Traffic, drain time.Duration, l target.Lease) (time.Time, error) {
	s.effects.Lock()
	defer s.effects.Unlock()
	front := s.e.front()
	if front == nil {
		return time.Time{}, target.Errorf(target.ErrUnavailable, "the front door of environment %q is not open", s.e.id)
	}
	s.mu.Lock()
	err := s.leased(l)
	was := s.file.traffic()
	s.mu.Unlock()
	if err == nil {
		err = checkTraffic(t)
	}
	if err != nil {
		return time.Time{}, err
	}
	if t.Percent == 0 {
		t.StickyBy = ""
	}
	if t != was {
		if err := s.mayCarry(t, was); err != nil {
			return time.Time{}, err
		}
		if err := s.limitDrain(front, drain); err != nil {
			return time.Time{}, err
		}
		err := s.change(func(f *slotFile) error {
			f.set(t)
			for c, seat := range f.Seats {
				if f.share(c) > 0 {
					seat.RetireAt = nil
				}
			}
			return nil
		})
		if err != nil {
			return time.Time{}, err
		}
	} else if front.Traffic(s.id.Name) == s.pointers(t) {
		return time.Time{}, nil
	}
	// Also where the record was written before and the pointer did not follow: it does now.
	return s.point(front)
}

func checkTraffic(t target.Traffic) error {
	switch {
	case t.Color != target.Blue && t.Color != target.Green:
		return target.Errorf(target.ErrInvalid, "%q is not a seat: expected %q or %q", t.Color, target.Blue, target.Green)
	case t.Percent < 0 || t.Percent > 99:
		return target.Errorf(target.ErrInvalid, "%d is not a share of the traffic: expected 0 to 99 percent", t.Percent)
	case t.StickyBy != "" && t.StickyBy != target.StickyByAccount && t.StickyBy != target.StickyByClient:
		return target.Errorf(target.ErrInvalid, "traffic can't be kept together by %q: expected %q, %q or nothing", t.StickyBy, target.StickyByAccount, target.StickyByClient)
	}
	return nil
}

// mayCarry refuses more traffic for a seat that is empty or not healthy. What carries some
// already may keep it or lose it.
func (s *slot) mayCarry(t, was target.Traffic) error {
	for _, c := range []target.Color{target.Blue, target.Green} {
		if shareOf(t, c) <= shareOf(was, c) {
			continue
		}
		s.mu.Lock()
		st := s.stacks[c]
		s.mu.Unlock()
		if st == nil {
			return target.Errorf(target.ErrConflict, "the %s seat of slot %q is empty", c, s.id)
		}
		if err := st.ready(); err != nil {
			return err
		}
	}
	return nil
}

// limitDrain sets the limit that stacks get which leave the rotation.
func (s *slot) limitDrain(front *proxy.Proxy, drain time.Duration) error {
	s.mu.Lock()
	s.drain = drain
	s.mu.Unlock()
	for _, st := range s.allStacks() {
		if err := st.register(front); err != nil {
			return err
		}
	}
	return nil
}

// drainLimit bounds how long requests of what leaves the rotation may take to finish.
func (s *slot) drainLimit() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.drain > 0:
		return s.drain
	case s.file.Record != nil && s.file.Record.Asked.Policy.DrainSeconds > 0:
		return time.Duration(s.file.Record.Asked.Policy.DrainSeconds) * time.Second
	}
	return proxy.DefaultDrainLimit
}

// pointers are what the front door's pointers are to be for some traffic.
func (s *slot) pointers(t target.Traffic) proxy.Traffic {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out proxy.Traffic
	if st := s.stacks[t.Color]; st != nil {
		out.Stack = st.id()
	}
	if st := s.stacks[t.Color.Other()]; st != nil && out.Stack != "" && t.Percent > 0 {
		out.Canary, out.Percent, out.StickyBy = st.id(), t.Percent, proxy.StickyBy(t.StickyBy)
	}
	return out
}

// point makes the front door's pointers what the record says, and returns since when they are.
func (s *slot) point(front *proxy.Proxy) (time.Time, error) {
	s.mu.Lock()
	t := s.file.traffic()
	preview := ""
	if st := s.stacks[t.Color.Other()]; st != nil && s.candidate(t.Color.Other()) {
		preview = st.id()
	}
	s.mu.Unlock()
	at, err := front.Direct(s.id.Name, s.pointers(t))
	if err != nil {
		return time.Time{}, err
	}
	return at.UTC(), front.SetPreview(s.id.Name, preview)
}

// direct makes the front door's pointers what the record says, at a start or for a new stack.
func (s *slot) direct(front *proxy.Proxy) {
	if _, err := s.point(front); err != nil {
		s.e.p.log.Error("the front door was not set", "slot", s.id.String(), "error", err)
	}
}

// Measure implements target.Meters. What was answered before this process began is not known.
func (p *Platform) Measure(_ context.Context, id target.SlotID, from time.Time) (map[target.Color]target.Measurement, error) {
	s, err := p.slot(id, false)
	if err != nil {
		return nil, err
	}
	front, now := s.e.front(), p.clock.Now()
	if front == nil {
		return nil, target.Errorf(target.ErrUnavailable, "the front door of environment %q is not open", s.e.id)
	}
	out := map[target.Color]target.Measurement{}
	for _, st := range s.allStacks() {
		m := front.Measure(st.id(), from, now)
		if m.To.IsZero() { // it is not behind the front door
			continue
		}
		out[st.current().Color] = target.Measurement{
			From: m.From, To: m.To, Requests: m.Requests, Errors: m.Errors,
			P50Milliseconds: milliseconds(m.P50), P99Milliseconds: milliseconds(m.P99),
			Waiting: m.Waiting, Unanswered: m.Unanswered,
		}
	}
	return out, nil
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// ready refuses a stack that has a routed component without a healthy instance.
func (st *stack) ready() error {
	spec := st.current()
	healthy := map[string]bool{}
	for _, i := range st.all() {
		_, ok := i.address()
		healthy[i.component] = healthy[i.component] || ok
	}
	for _, name := range target.SortedKeys(spec.Definition.Components) {
		if !spec.Definition.Components[name].Worker() && !healthy[name] {
			return target.Errorf(target.ErrConflict, "component %q of the %s stack has no healthy instance", name, spec.Color)
		}
	}
	return nil
}
