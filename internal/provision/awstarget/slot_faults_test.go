package awstarget_test

import (
	"context"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget/awstest"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// wholeSlot is what a slot is made of while release 2 serves and release 1 is to retire.
const wholeSlot = "[1 scheduled action 2 scalable target 2 service 2 target group 3 rule 3 task definition]"

// TestASlotSurvivesEveryFault lets each request of a slot's life that changes something fail once in
// each way, repeats what was asked until it succeeds, and counts what is there.
func TestASlotSurvivesEveryFault(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	d, calls := faulty(t, l)
	if _, err := d.PutRegion(t.Context(), eu, mine); err != nil {
		t.Fatal(err)
	}
	e := environment(t, eu.Name, "production")
	if _, err := d.PutEnvironment(t.Context(), e, mine); err != nil {
		t.Fatal(err)
	}
	for _, fault := range awstest.Faults {
		t.Run(fault.String(), func(t *testing.T) {
			calls.FailEach(fault)
			live(t, l, d, e.ID())
			calls.FailAt(0, fault)
			if got := words(l.running(t, home)); got != "[]" {
				t.Errorf("left: %s", got)
			}
		})
	}
}

// live is the life of a slot.
func live(t *testing.T, l *lab, d *awstarget.Target, e target.EnvironmentID) {
	t.Helper()
	ctx, id := t.Context(), target.SlotID{Environment: e, Name: "shop"}
	lease, err := d.AcquireLease(ctx, id, "token", "me", 24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for release, c := range map[string]target.Color{"1": target.Blue, "2": target.Green} {
		spec := stackOf(shop(e, release), c)
		ok(untilDone(func() error { return d.PutStack(ctx, spec, lease) }))
		healthy(t, d, id, c)
	}
	task := target.TaskSpec{Key: "suite", Kind: target.TaskTest, Slot: id, Color: target.Green, Release: "2", Task: apps{}.TaskHangs()}
	ok(untilDone(func() error { return d.PutTask(ctx, task, lease) }))
	for _, to := range []target.Traffic{{Color: target.Blue}, {Color: target.Blue, Percent: 20}, {Color: target.Green}} {
		ok(untilDone(func() error { _, err := d.SetTraffic(ctx, id, to, time.Second, lease); return err }))
		obs, err := d.Observe(ctx, id)
		ok(err)
		if obs.Serving != to.Color || obs.Percent != to.Percent {
			t.Fatalf("%q serves but for %d percent, want %+v", obs.Serving, obs.Percent, to)
		}
	}
	at := time.Now().Add(24 * time.Hour)
	ok(untilDone(func() error { return d.RetireStack(ctx, id, target.Blue, &at, lease) }))
	got := l.running(t, home)
	delete(got, "task")
	if words(got) != wholeSlot {
		t.Errorf("there is %s\nwant %s", words(got), wholeSlot)
	}
	ok(untilDone(func() error { return d.RetireStack(ctx, id, target.Blue, nil, lease) }))
	ok(untilDone(func() error { return d.DeleteTask(ctx, id, task.Key, lease) }))
	ok(untilDone(func() error { return d.DeleteStack(ctx, id, target.Blue, lease) }))
	ok(untilDone(func() error { return d.DeleteSlot(ctx, id, lease) }))
}

// stackOf asks for the stack of a slot's application, without its worker and its schedules.
func stackOf(s target.Slot, c target.Color) target.StackSpec {
	web := s.Definition.Components["web"]
	web.Scaling = target.Scaling{Min: 1, Max: 3}
	d := target.Definition{Release: s.Definition.Release, Components: map[string]target.Component{"web": web}}
	fingerprint, _ := d.Fingerprint(nil)
	return target.StackSpec{Slot: s.ID(), Color: c, SwapID: "swap to " + d.Release, Definition: d, Fingerprint: fingerprint}
}

// healthy waits until a stack's instances are, by the machine's clock: the containers have no other.
func healthy(t *testing.T, d *awstarget.Target, id target.SlotID, c target.Color) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err := wait.Until(ctx, wait.Options{}, func(ctx context.Context) (sight, bool, error) {
		obs, err := d.Observe(ctx, id)
		all := obs.Stacks[c].Instances
		return "not yet", len(all) == 1 && all[0].Healthy, err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// sight is what was seen last.
type sight string

func (w sight) String() string { return string(w) }
