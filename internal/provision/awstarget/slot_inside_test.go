package awstarget_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget/awstest"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
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
	e.AWS.ProbeImage = ""
	if _, err := d.PutEnvironment(t.Context(), e, target.PutOptions{Owner: mine.Owner, IfGeneration: 2}); err != nil {
		t.Fatal(err)
	}
	brokenOff(t, l, target.SlotID{Environment: e.ID(), Name: "shop"})
}

// brokenOff breaks the start of tasks off that are to ask: what they leave is not waited for, and goes.
func brokenOff(t *testing.T, l *lab, id target.SlotID) {
	t.Helper()
	nowhere := "http://127.0.0.1:1"
	r := l.try(t, wait.NewFake(time.Now()), time.Second, func(s *awstarget.Settings) { s.HTTPSProxy = &nowhere })
	f := &life{T: t, lab: l, trial: r, id: id}
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var err error
	f.lease, err = r.AcquireLease(t.Context(), id, "token", "me", 1000*time.Hour)
	ok(err)
	serve := func(c target.Color) (took time.Duration) {
		t.Helper()
		before := r.clock.Now()
		ok(second(r.SetTraffic(t.Context(), id, target.Traffic{Color: c}, time.Second, f.lease)))
		return r.clock.Now().Sub(before)
	}
	for n, c := range []target.Color{target.Blue, target.Green} {
		ok(r.PutStack(t.Context(), stackOf(shop(id.Environment, fmt.Sprint(n)), c), f.lease))
		f.healthy(c)
		serve(c)
	}
	// left breaks the start of the task off that is to ask for what serves, and counts task definitions.
	left := func(operation string, fault awstest.Fault) int {
		t.Helper()
		r.calls.FailWith(func(c awstest.Call) bool { return c.Operation == operation }, fault)
		if _, err := r.ProbeFrontDoor(t.Context(), id); err == nil {
			t.Errorf("%s, %s: the task was started", operation, fault)
		}
		r.calls.FailAt(0, fault)
		return l.running(t, home)["task definition"]
	}
	serve(target.Blue)
	if got := left("RegisterTaskDefinition", awstest.FailAfter); got != 2 {
		t.Errorf("there are %d task definitions of two services after one was registered whose task was given up", got)
	}
	if got := left("RunTask", awstest.FailBefore); got != 3 {
		t.Errorf("there are %d task definitions of two services and a task that may have been started, want 3", got)
	}
	if took := serve(target.Green); took > 10*time.Second {
		t.Errorf("a switch waited %s for a task that was to ask before it", took)
	}
	r.clock.Advance(10 * time.Minute)
	serve(target.Blue)
	if took := serve(target.Green); took > 10*time.Second {
		t.Errorf("%s were waited for a task that was to be started long ago", took)
	}
	f.holds("[2 scalable target 2 service 2 target group 2 task definition 3 rule]")
	// One that was begun, and whose answer was lost, is found.
	serve(target.Blue)
	if got := left("RunTask", awstest.FailAfter); got != 3 {
		t.Errorf("there are %d task definitions of two services and a task, want 3", got)
	}
	serve(target.Green)
	f.holds("[2 scalable target 2 service 2 target group 2 task definition 3 rule]")
	r.calls.FailAt(0, 0)
	ok(r.DeleteSlot(t.Context(), id, f.lease))
	made := r.calls.Made()
	if group := slices.Index(made, "elasticloadbalancing DeleteTargetGroup"); group < 0 || slices.Contains(made[group:], "ecs DeleteService") {
		t.Errorf("one stack was ended after the other: %q", made)
	}
	if got := words(l.running(t, home)); got != "[]" {
		t.Errorf("left: %s", got)
	}
}
