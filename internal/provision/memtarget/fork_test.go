package memtarget_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/memtarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

func TestAForkGoesItsOwnWay(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	_, err := f.PutAccountDatabase(t.Context(), database, by)
	f.ok(err)
	f.put(target.Blue, "1", "app")
	f.ok(f.PutTask(t.Context(), target.TaskSpec{Key: "k", Slot: oms}, f.lease))
	fork := &fixture{T: t, clock: wait.NewFake(f.clock.Now()), lease: f.lease}
	fork.Target = f.Fork(fork.clock)
	before := f.Inventory()
	if diff := cmp.Diff(before, fork.Inventory()); diff != "" {
		t.Fatalf("the fork (-original +fork):\n%s", diff)
	}

	fork.serve(target.Green, "2")
	fork.Drift(acme, 99)
	fork.VanishSlot(oms)
	fork.VanishEnvironment(environ)
	fork.Script("", "", memtarget.Behaviour{Crashes: true})
	fork.clock.Advance(time.Hour)
	if diff := cmp.Diff(before, f.Inventory()); diff != "" {
		t.Errorf("the original (-before +after):\n%s", diff)
	}
	if i := f.web(target.Blue); i.Passes != 1 || i.Restarts != 0 {
		t.Errorf("got %+v, want the first check passed", i)
	}
	if n := len(f.Log(memtarget.Served)); n != 0 {
		t.Errorf("the original logs %d switches of the fork", n)
	}
	rec, err := f.GetAccountDatabase(t.Context(), acme)
	f.ok(err)
	if len(rec.Status.Drift) > 0 {
		t.Errorf("the fork's drift is seen: %v", rec.Status.Drift)
	}
}
