//go:build !windows

package platform

import (
	"errors"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/proxy"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// openTestDoor gives an environment a front door that nobody can reach.
func openTestDoor(t *testing.T, e *environment) *proxy.Proxy {
	t.Helper()
	front := proxy.New("production.eu.localhost", e.p.log)
	t.Cleanup(func() {
		if err := front.Close(); err != nil {
			t.Error(err)
		}
	})
	e.proxy = front
	return front
}

// newTestPair is a leased slot with a stack in each seat, behind a front door.
func newTestPair(t *testing.T, p *Platform) (*slot, target.Lease) {
	t.Helper()
	s, l := newTestSlot(t, p)
	front := openTestDoor(t, s.e)
	for _, c := range []target.Color{target.Blue, target.Green} {
		spec := target.StackSpec{Slot: s.id, Color: c, SwapID: "to-" + string(c), Definition: target.Definition{Release: string(c)}}
		s.file.Seats[c], s.stacks[c] = &seat{Spec: spec}, s.newStack(spec)
		s.stacks[c].enter(front)
	}
	return s, l
}

// TestARepeatedSwitchMovesAPointerThatDidNotFollowTheRecord plays a switch whose record was
// written and whose front door was not reached.
func TestARepeatedSwitchMovesAPointerThatDidNotFollowTheRecord(t *testing.T) {
	t.Parallel()
	p := newTestPlatform(t)
	s, l := newTestPair(t, p)
	set := func(to target.Traffic) target.Switched {
		t.Helper()
		moved, err := p.SetTraffic(t.Context(), s.id, to, time.Second, l)
		if err != nil {
			t.Fatal(err)
		}
		return moved
	}
	set(target.Traffic{Color: target.Blue})
	to := target.Traffic{Color: target.Blue, Percent: 30, StickyBy: target.StickyByAccount}
	s.file.set(to) // and here the switch was cut off
	if moved := set(to); moved.At.IsZero() {
		t.Error("the pointer moved and nobody is told when")
	}
	want := proxy.Traffic{Stack: "oms/to-blue", Canary: "oms/to-green", Percent: 30, StickyBy: proxy.StickyByAccount}
	if got := s.e.proxy.Traffic("oms"); got != want {
		t.Errorf("the front door leads to %+v, want %+v", got, want)
	}
	if again := set(to); !again.At.IsZero() {
		t.Errorf("setting what is set already: got %+v", again)
	}
}

func TestAShareOutlivesTheAgent(t *testing.T) {
	t.Parallel()
	p := newTestPlatform(t)
	s, l := newTestPair(t, p)
	for _, to := range []target.Traffic{{Color: target.Blue}, {Color: target.Blue, Percent: 50, StickyBy: target.StickyByClient}} {
		if _, err := p.SetTraffic(t.Context(), s.id, to, time.Second, l); err != nil {
			t.Fatal(err)
		}
	}
	next := p.newEnvironment(s.e.id) // as the next agent makes it
	if err := next.loadSlots(t.Context()); err != nil {
		t.Fatal(err)
	}
	again := next.slots["oms"]
	again.enter(openTestDoor(t, next))
	if got, want := next.proxy.Traffic("oms"), s.e.proxy.Traffic("oms"); got != want || got.Percent != 50 {
		t.Errorf("the front door leads to %+v, want %+v", got, want)
	}
}

func TestWhatCarriesAShareStays(t *testing.T) {
	t.Parallel()
	p := newTestPlatform(t)
	s, l := newTestPair(t, p)
	past := time.Unix(0, 0)
	for _, percent := range []int{0, 1} {
		if err := p.RetireStack(t.Context(), s.id, target.Green, &past, l); err != nil {
			t.Fatal(err)
		}
		if _, err := p.SetTraffic(t.Context(), s.id, target.Traffic{Color: target.Blue, Percent: percent}, time.Second, l); err != nil {
			t.Fatal(err)
		}
		if due := s.due(); (len(due) == 0) != (percent > 0) {
			t.Errorf("with a share of %d percent these are due: %v", percent, due)
		}
	}
	if s.file.Seats[target.Green].RetireAt != nil {
		t.Error("a stack that got a share still retires")
	}
	for _, c := range []target.Color{target.Blue, target.Green} {
		if err := p.DeleteStack(t.Context(), s.id, c, l); !errors.Is(err, target.ErrServing) {
			t.Errorf("removing %s: got %v, want ErrServing", c, err)
		}
		if err := p.RetireStack(t.Context(), s.id, c, &past, l); !errors.Is(err, target.ErrServing) {
			t.Errorf("retiring %s: got %v, want ErrServing", c, err)
		}
	}
}
