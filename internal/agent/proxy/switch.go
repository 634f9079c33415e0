package proxy

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Switched tells what a Switch did.
type Switched struct {
	Old string    // the stack that served before, "" for none
	At  time.Time // when the new one began to serve
	// Drained reports whether all ordinary requests of the old stack have been answered.
	Drained bool
	// LastOldAnswer is when the old stack's last ordinary answer ended; zero if it gave none.
	LastOldAnswer time.Time
}

var errDrainLimit = errors.New("the drain limit has passed")

// Switch makes a stack serve in its slot, for all components at once; "" lets nobody serve.
// It returns when the old stack's ordinary requests have been answered or its drain limit
// has passed; event streams and WebSockets are not waited for and live on until
// [Proxy.CloseStreams]. Idle connections to the old stack are closed.
//
// Switching to what serves already returns at once. An error of the context only says that
// the wait was cut short: the switch has been made, as Switched.At tells.
func (p *Proxy) Switch(ctx context.Context, slotName, stackID string) (Switched, error) {
	c, err := p.change(Production, slotName, stackID)
	if err != nil {
		return Switched{}, fmt.Errorf("switch slot %q: %w", slotName, err)
	}
	result := Switched{Old: c.old.stackID(), At: c.at, Drained: true}
	if !c.made {
		return result, nil
	}
	p.log.Info("switched", "slot", slotName, "from", result.Old, "to", stackID)
	if c.old == nil {
		return result, nil
	}
	waiting, cancel := context.WithTimeoutCause(ctx, c.drainLimit, errDrainLimit)
	defer cancel()
	err = c.old.requests.wait(waiting)
	result.Drained = err == nil
	result.LastOldAnswer = c.old.last.time()
	switch {
	case err == nil:
		return result, nil
	case errors.Is(context.Cause(waiting), errDrainLimit):
		p.log.Warn("not drained within the limit", "slot", slotName, "stack", result.Old, "requests", c.old.requests.inside.Load())
		return result, nil
	}
	return result, fmt.Errorf("wait for the requests of stack %q: %w", result.Old, err)
}

// SetPreview lets the preview entrance of a slot reach a stack; "" lets it reach none.
func (p *Proxy) SetPreview(slotName, stackID string) error {
	if _, err := p.change(Preview, slotName, stackID); err != nil {
		return fmt.Errorf("set preview of slot %q: %w", slotName, err)
	}
	return nil
}

// Serving returns the stack that serves in a slot, "" for none.
func (p *Proxy) Serving(slotName string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.slots[slotName]; s != nil {
		return s.turns[Production].stackID()
	}
	return ""
}

// change is what happened to an entrance of a slot.
type change struct {
	made       bool  // false: it was like that before
	old        *turn // of the stack that was reached before, nil for none
	drainLimit time.Duration
	at         time.Time // when what is reached now began to be
}

// change makes an entrance of a slot reach a stack, or none.
func (p *Proxy) change(e Entrance, slotName, stackID string) (change, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	next := p.stacks[stackID]
	if stackID != "" && (next == nil || next.Slot != slotName) {
		return change{}, fmt.Errorf("stack %q: %w", stackID, ErrUnknownStack)
	}
	s := p.slots[slotName]
	if s == nil {
		return change{}, nil
	}
	c := change{old: s.turns[e], at: s.since[e]}
	if c.old.stackID() == stackID {
		return c, nil
	}
	if c.old != nil {
		c.drainLimit = c.old.stack.DrainLimit
	}
	s.turns[e] = nil
	if next != nil {
		s.turns[e] = &turn{stack: next}
	}
	p.publish()
	c.made, c.at = true, time.Now()
	s.since[e] = c.at
	return c, nil
}
