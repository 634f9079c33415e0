package proxy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Traffic says what the production entrance of a slot reaches.
type Traffic struct {
	// Stack serves what the canary does not; "" lets nobody serve.
	Stack string
	// Canary serves Percent of the requests, 1 to 99; "" for none, with Percent 0. Each side's
	// requests go by its own routes; what only one side has a route for goes to that side.
	Canary  string
	Percent int
	// StickyBy says what stays on one side while Percent stands, and how it moves when Percent
	// changes: when it grows nobody leaves the canary, when it shrinks nobody joins it.
	StickyBy StickyBy
}

// StickyBy names what stays on one side of a split.
type StickyBy string

// What stays on one side of a split.
const (
	// StickyByNothing decides for each request. Of any hundred requests in a row to a component
	// the percentage goes to the canary, give or take one or two.
	StickyByNothing StickyBy = ""
	// StickyByAccount keeps the requests of each host name on one side.
	StickyByAccount StickyBy = "account"
	// StickyByClient keeps each client on one side, by the cookie [SideCookie]. A request
	// without it is one of a new client, whatever its address and connection, which clients may
	// share; so those that keep no cookies do not stick.
	StickyByClient StickyBy = "client"
)

func (t Traffic) check() error {
	switch {
	case t.Canary == "" && (t.Percent != 0 || t.StickyBy != StickyByNothing):
		return errors.New("a share or stickiness needs a canary")
	case t.Canary == "":
		return nil
	case t.Stack == "" || t.Stack == t.Canary:
		return errors.New("a canary needs another stack beside it")
	case t.Percent < 1 || t.Percent > 99:
		return fmt.Errorf("a canary's share is 1 to 99 percent, not %d", t.Percent)
	case !slices.Contains([]StickyBy{StickyByNothing, StickyByAccount, StickyByClient}, t.StickyBy):
		return fmt.Errorf("nothing sticks by %q", t.StickyBy)
	}
	return nil
}

// Switched tells what a SetTraffic did.
type Switched struct {
	Old  Traffic   // what was set before
	At   time.Time // when what is set now began to be
	Left []string  // the stacks that lost their whole share
	// Drained reports whether all ordinary requests of the stacks that left have been answered.
	Drained bool
	// LastOldAnswer is when their last ordinary answer ended; zero if they gave none.
	LastOldAnswer time.Time
}

var errDrainLimit = errors.New("the drain limit has passed")

// SetTraffic sets what the production entrance of a slot reaches, for all components at
// once. It returns when the ordinary requests of the stacks that lost their whole share have
// been answered or the drain limit has passed; event streams and WebSockets are not waited
// for and live on until [Proxy.CloseStreams]. Idle connections to those stacks are closed.
//
// Setting what is set already returns at once. An error of the context only says that the
// wait was cut short: the traffic has been set, as Switched.At tells.
func (p *Proxy) SetTraffic(ctx context.Context, slotName string, t Traffic) (Switched, error) {
	c, err := p.direct(slotName, t)
	if err != nil {
		return Switched{}, err
	}
	return p.awaitLeft(ctx, slotName, c)
}

// Direct is SetTraffic without the wait: it returns when the traffic was set. [Proxy.Stats]
// says what the stacks that left are still answering.
func (p *Proxy) Direct(slotName string, t Traffic) (at time.Time, err error) {
	c, err := p.direct(slotName, t)
	return c.at, err
}

func (p *Proxy) direct(slotName string, t Traffic) (change, error) {
	c, err := p.change(Production, slotName, t)
	if err != nil {
		return c, fmt.Errorf("set traffic of slot %q: %w", slotName, err)
	}
	if c.made {
		p.log.Info("traffic set", "slot", slotName, "from", c.old, "to", t)
	}
	return c, nil
}

// awaitLeft waits for the ordinary requests of the stacks that lost their whole share.
func (p *Proxy) awaitLeft(ctx context.Context, slotName string, c change) (Switched, error) {
	result := Switched{Old: c.old, At: c.at, Drained: true}
	var errs []error
	for _, left := range c.left {
		id := left.turn.stack.ID
		result.Left = append(result.Left, id)
		waiting, cancel := context.WithDeadlineCause(ctx, c.at.Add(left.drainLimit), errDrainLimit)
		waited := left.turn.requests.wait(waiting)
		limited := errors.Is(context.Cause(waiting), errDrainLimit)
		cancel()
		result.Drained = result.Drained && waited == nil
		if last := left.turn.last.time(); last.After(result.LastOldAnswer) {
			result.LastOldAnswer = last
		}
		switch {
		case waited == nil:
		case limited:
			p.log.Warn("not drained within the limit", "slot", slotName, "stack", id, "requests", left.turn.requests.inside.Load())
		default:
			errs = append(errs, fmt.Errorf("wait for the requests of stack %q: %w", id, waited))
		}
	}
	return result, errors.Join(errs...)
}

// SetPreview lets the preview entrance of a slot reach a stack; "" lets it reach none.
func (p *Proxy) SetPreview(slotName, stackID string) error {
	if _, err := p.change(Preview, slotName, Traffic{Stack: stackID}); err != nil {
		return fmt.Errorf("set preview of slot %q: %w", slotName, err)
	}
	return nil
}

// Traffic returns what the production entrance of a slot reaches.
func (p *Proxy) Traffic(slotName string) Traffic {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.slots[slotName]; s != nil {
		return s.reach[Production].traffic
	}
	return Traffic{}
}

// change is what happened to an entrance of a slot.
type change struct {
	made bool // false: it was like that before
	old  Traffic
	left []departure
	at   time.Time // when what is reached now began to be
}

// departure is a turn that has ended.
type departure struct {
	turn       *turn
	drainLimit time.Duration
}

// change sets what an entrance of a slot reaches.
func (p *Proxy) change(e Entrance, slotName string, t Traffic) (change, error) {
	if err := t.check(); err != nil {
		return change{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, id := range []string{t.Stack, t.Canary} {
		if known := p.stacks[id]; id != "" && (known == nil || known.Slot != slotName) {
			return change{}, fmt.Errorf("stack %q: %w", id, ErrUnknownStack)
		}
	}
	s := p.slots[slotName]
	if s == nil {
		return change{}, nil
	}
	was := s.reach[e]
	c := change{old: was.traffic, at: was.since}
	if was.traffic == t {
		return c, nil
	}
	next := reach{traffic: t, main: was.turnOf(e, p.stacks[t.Stack]), canary: was.turnOf(e, p.stacks[t.Canary])}
	if next.canary != nil {
		next.split = newSplit(t)
	}
	s.reach[e] = next
	for _, id := range []string{t.Stack, t.Canary} {
		if id != "" && e == Production {
			p.stacks[id].streams.keep()
		}
	}
	if e == Production {
		for _, id := range []string{was.traffic.Stack, was.traffic.Canary, t.Stack, t.Canary} {
			if s := p.stacks[id]; s != nil {
				s.meter.begin(time.Since(p.start))
			}
		}
	}
	p.publish()
	c.made, c.at = true, time.Now()
	s.reach[e].since = c.at
	for _, old := range []*turn{was.main, was.canary} {
		if old != nil && old != next.main && old != next.canary {
			c.left = append(c.left, departure{old, old.stack.DrainLimit})
		}
	}
	return c, nil
}

// reach is what an entrance of a slot reaches. Proxy.mu guards it.
type reach struct {
	traffic      Traffic
	since        time.Time
	main, canary *turn  // nil for none
	split        *split // between the two; nil without a canary
}

// turnOf returns the turn in which the stack is reached now, else a new one; nil for none.
func (r reach) turnOf(e Entrance, s *stack) *turn {
	switch {
	case s == nil:
		return nil
	case r.main != nil && r.main.stack == s:
		return r.main
	case r.canary != nil && r.canary.stack == s:
		return r.canary
	}
	made := &turn{stack: s}
	if e == Production {
		made.meter = s.meter
	}
	return made
}

// holds reports whether the stack is reached.
func (r reach) holds(s *stack) bool {
	return r.main != nil && r.main.stack == s || r.canary != nil && r.canary.stack == s
}
