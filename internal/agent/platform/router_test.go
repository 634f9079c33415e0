//go:build !windows

package platform

import (
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/proxy"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// TestARepeatedServeMovesAPointerThatDidNotFollowTheRecord plays a switch whose record was
// written and whose front door was not reached.
func TestARepeatedServeMovesAPointerThatDidNotFollowTheRecord(t *testing.T) {
	t.Parallel()
	id := target.SlotID{Environment: target.EnvironmentID{Region: "eu", Name: "production"}, Name: "oms"}
	p := newTestPlatform(t)
	e := p.newEnvironment(id.Environment)
	p.environments[id.Environment] = e
	e.proxy = proxy.New("production.eu.localhost", p.log)
	t.Cleanup(func() {
		if err := e.proxy.Close(); err != nil {
			t.Error(err)
		}
	})
	s := e.newSlot(id)
	e.slots[id.Name] = s
	l := target.Lease{Token: "ours", ExpiresAt: time.Now().Add(time.Hour)}
	s.file.Lease = &l
	for _, c := range []target.Color{target.Blue, target.Green} {
		spec := target.StackSpec{Slot: id, Color: c, SwapID: "to " + string(c), Definition: target.Definition{Release: string(c)}}
		s.file.Seats[c], s.stacks[c] = &seat{Spec: spec}, s.newStack(spec)
		s.stacks[c].enter(e.proxy)
	}
	if _, err := e.proxy.SetTraffic(t.Context(), id.Name, proxy.Traffic{Stack: s.stacks[target.Blue].id()}); err != nil {
		t.Fatal(err)
	}
	s.file.Serving = target.Green // and here the switch was cut off

	moved, err := p.Serve(t.Context(), id, target.Green, time.Second, l)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := e.proxy.Traffic(id.Name).Stack, s.stacks[target.Green].id(); got != want {
		t.Errorf("the front door leads to %q, want %q", got, want)
	}
	if moved.At.IsZero() {
		t.Error("the pointer moved and nobody is told when")
	}
	again, err := p.Serve(t.Context(), id, target.Green, time.Second, l)
	if err != nil || !again.At.IsZero() || !again.Drained {
		t.Errorf("serving what serves already: got %+v, %v", again, err)
	}
}
