package awstarget_test

import (
	"testing"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// outside is a client that no front door lets in.
func (l *lab) outside(t *testing.T) *awstarget.Target {
	nowhere := "http://127.0.0.1:1"
	return l.client(t, func(s *awstarget.Settings, _ *awstarget.Options) { s.HTTPSProxy = &nowhere })
}

// TestAFrontDoorThatLetsOnlyOthersInIsAskedFromInside swaps, goes back, and meets an image that
// can't be had, where Terraform runs outside.
func TestAFrontDoorThatLetsOnlyOthersInIsAskedFromInside(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	d := l.outside(t)
	e := environment(t, eu.Name, "production")
	e.AWS.Internal = true
	if _, err := d.PutRegion(t.Context(), eu, mine); err != nil {
		t.Fatal(err)
	}
	if _, err := d.PutEnvironment(t.Context(), e, mine); err != nil {
		t.Fatal(err)
	}
	p := provision.New(d, mine.Owner, provision.Options{})
	probed := func() int {
		n := 0
		for _, o := range l.operations() {
			if o.name == "DescribeNetworkInterfaces" { // once for each task that asks
				n++
			}
		}
		return n
	}
	state, _, err := p.CreateSlot(t.Context(), shop(e.ID(), "1"))
	if err != nil || state.Phase() != target.PhaseLive {
		t.Fatalf("phase %q, error %v", state.Phase(), err)
	}
	if n := probed(); n != 1 {
		t.Errorf("%d tasks asked for the first release, want 1", n)
	}
	if _, err = p.UpdateSlot(t.Context(), shop(e.ID(), "2")); err != nil {
		t.Fatal(err)
	}
	if n := probed(); n != 1 {
		t.Errorf("%d tasks asked for the second release, want 1", n)
	}
	// Back within the window, as one switch: asked for after it.
	if _, err = p.UpdateSlot(t.Context(), shop(e.ID(), "1")); err != nil {
		t.Fatal(err)
	}
	if n := probed(); n != 1 {
		t.Errorf("%d tasks asked on the way back, want 1", n)
	}
	// What is left is of two stacks with two components each.
	if got := l.running(t, home); got["task definition"] != 4 || got["service"] != 4 {
		t.Errorf("left: %s", words(got))
	}
	// Who has no lease starts nothing.
	if probe, err := l.outside(t).ProbeFrontDoor(t.Context(), shop(e.ID(), "1").ID()); err != nil || probe.Release != "" || probe.Problem == "" {
		t.Errorf("without a lease: %+v, error %v", probe, err)
	}

	e.AWS.ProbeImage = "registry.example.com/unknown:1"
	if _, err := d.PutEnvironment(t.Context(), e, again); err != nil {
		t.Fatal(err)
	}
	state, err = p.UpdateSlot(t.Context(), shop(e.ID(), "3"))
	serving, _ := state.Serving()
	if err == nil || state.Phase() != target.PhaseFailed || serving.Spec.Definition.Release != "1" {
		t.Errorf("with an image that is not there: phase %q, release %q serves, error %v", state.Phase(), serving.Spec.Definition.Release, err)
	}
	if err := p.DeleteSlot(t.Context(), shop(e.ID(), "2").ID()); err != nil {
		t.Fatal(err)
	}
	if got := words(l.running(t, home)); got != "[]" {
		t.Errorf("left: %s", got)
	}
}
