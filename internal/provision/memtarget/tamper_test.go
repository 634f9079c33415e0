package memtarget_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/memtarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func TestInventoryNamesEverything(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	_, err := f.PutAccountDatabase(t.Context(), database, by)
	f.ok(err)
	_, err = f.PutSlot(t.Context(), target.SlotRecord{Asked: target.Slot{Environment: environ, Name: oms.Name}}, f.lease)
	f.ok(err)
	f.put(target.Green, "1", "app")
	f.ok(f.PutTask(t.Context(), target.TaskSpec{Key: "k", Slot: oms}, f.lease))
	f.PlantForeign(target.AccountDatabaseID{Environment: environ, Account: "other"})
	want := []string{
		"account database eu/production/acme", "environment eu/production", "foreign database eu/production/other",
		"installation memory", "lease eu/production/oms of the test", "region eu", "slot eu/production/oms",
		"stack eu/production/oms green 1", "task eu/production/oms k",
	}
	if diff := cmp.Diff(want, f.Inventory()); diff != "" {
		t.Errorf("inventory (-want +got):\n%s", diff)
	}
	f.VanishInstallation()
	if diff := cmp.Diff([]string{"foreign database eu/production/other"}, f.Inventory()); diff != "" {
		t.Errorf("inventory without an installation (-want +got):\n%s", diff)
	}
	if _, err := f.GetRegion(t.Context(), "eu"); !errors.Is(err, target.ErrNoInstallation) {
		t.Errorf("got error %v, want %v", err, target.ErrNoInstallation)
	}
}

func TestVanishedObjectsAreNotFound(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	_, err := f.PutSlot(t.Context(), target.SlotRecord{Asked: target.Slot{Environment: environ, Name: oms.Name}}, f.lease)
	f.ok(err)
	f.VanishSlot(oms)
	if _, err := f.GetSlot(t.Context(), oms); !errors.Is(err, target.ErrNotFound) {
		t.Errorf("got error %v, want %v", err, target.ErrNotFound)
	}
	f.VanishEnvironment(environ)
	if _, err := f.GetEnvironment(t.Context(), environ); !errors.Is(err, target.ErrNotFound) {
		t.Errorf("got error %v, want %v", err, target.ErrNotFound)
	}
	if diff := cmp.Diff([]string{"installation memory", "region eu"}, f.Inventory()); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
}

func TestDriftIsSeenAndRepairedByAPut(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	_, err := f.PutAccountDatabase(t.Context(), database, by)
	f.ok(err)
	f.Drift(acme, 99)
	rec, err := f.GetAccountDatabase(t.Context(), acme)
	f.ok(err)
	if rec.Status.ObservedConnectionLimit != 99 || len(rec.Status.Drift) != 1 {
		t.Errorf("the drift is not seen: %+v", rec.Status)
	}
	o := by
	o.IfGeneration = 1
	rec, err = f.PutAccountDatabase(t.Context(), database, o)
	f.ok(err)
	if rec.Status.ObservedConnectionLimit != 5 || len(rec.Status.Drift) != 0 || rec.Meta.Generation != 1 {
		t.Errorf("the drift is not repaired: %+v", rec)
	}
}

func TestDriftOfAStackIsSeenWhileNoSwapIsUnderWayAndRepairedByAPut(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	spec := f.put(target.Blue, "1", "app")
	f.DriftStack(oms, target.Blue, "a rule is missing")
	seen := func() int {
		t.Helper()
		obs, err := f.Observe(t.Context(), oms)
		f.ok(err)
		return len(obs.Stacks[target.Blue].Drift)
	}
	if seen() != 1 {
		t.Error("the drift is not seen")
	}
	_, err := f.PutSlot(t.Context(), target.SlotRecord{Asked: target.Slot{Environment: environ, Name: oms.Name}, Swap: &target.Swap{Phase: target.PhaseTesting}}, f.lease)
	f.ok(err)
	if seen() != 0 {
		t.Error("drift is seen during a swap")
	}
	_, err = f.PutSlot(t.Context(), target.SlotRecord{Revision: 1, Asked: target.Slot{Environment: environ, Name: oms.Name}, Swap: &target.Swap{Phase: target.PhaseFailed}}, f.lease)
	f.ok(err)
	if seen() != 1 {
		t.Error("the drift is not seen after the swap")
	}
	f.ok(f.PutStack(t.Context(), spec, f.lease))
	if seen() != 0 {
		t.Error("the drift is not repaired")
	}
}

func TestAHinderedDatabaseIsUnfinishedAndCanBeResumed(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	d := database
	d.DeletionProtection = true
	f.HinderAccountDatabase(acme, "the disk is full")
	if _, err := f.PutAccountDatabase(t.Context(), d, by); !errors.Is(err, target.ErrUnavailable) {
		t.Errorf("got error %v, want %v", err, target.ErrUnavailable)
	}
	rec, err := f.GetAccountDatabase(t.Context(), acme)
	f.ok(err)
	if rec.Meta.Ready || rec.Meta.Problem != "the disk is full" {
		t.Errorf("got %+v, want it unfinished", rec.Meta)
	}
	f.HinderAccountDatabase(acme, "")
	d.ConnectionLimit = 6
	o := by
	o.IfGeneration = 1
	rec, err = f.PutAccountDatabase(t.Context(), d, o)
	f.ok(err)
	if !rec.Meta.Ready || rec.Meta.Problem != "" || rec.Meta.Generation != 1 || f.Secret(rec.Status.SecretID) == "" {
		t.Errorf("got %+v, want it finished at generation 1", rec)
	}
}

func TestAnEnvironmentGetsReadyAfterAsManyLooksAsAsked(t *testing.T) {
	t.Parallel()
	m := memtarget.New(memtarget.Options{EnvironmentReadyAfter: 2})
	f := &fixture{T: t, Target: m}
	_, err := m.PutRegion(t.Context(), region, by)
	f.ok(err)
	rec, err := m.PutEnvironment(t.Context(), environment(environ), by)
	f.ok(err)
	for look := range 3 {
		if rec.Meta.Ready || rec.Meta.Problem == "" {
			t.Fatalf("look %d: got %+v, want it unfinished", look, rec.Meta)
		}
		rec, err = m.GetEnvironment(t.Context(), environ)
		f.ok(err)
	}
	if !rec.Meta.Ready || rec.Meta.Problem != "" {
		t.Errorf("got %+v, want it ready", rec.Meta)
	}
}

func TestRequestsInFlightOutliveASwitch(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.serve(target.Blue, "1")
	f.HoldRequests(oms, target.Blue, 3)
	before := f.clock.Now()
	f.serve(target.Green, "2")
	if took := f.clock.Now().Sub(before); took > 10*time.Second {
		t.Errorf("the switch took %s", took)
	}
	blue := func() target.StackStatus {
		seen, err := f.Observe(t.Context(), oms)
		f.ok(err)
		return seen.Stacks[target.Blue]
	}
	if st := blue(); st.InFlight != 3 || st.LastAnswerAt != nil {
		t.Errorf("got %+v, want 3 requests in flight", st)
	}
	f.HoldRequests(oms, target.Blue, 0)
	if st := blue(); st.InFlight != 0 || st.LastAnswerAt == nil {
		t.Errorf("got %+v, want that all were answered", st)
	}
}

func TestTheFrontDoorMayLagBehindTheSwitch(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.serve(target.Blue, "1")
	f.serve(target.Green, "2")
	f.LagFrontDoor(oms, 2)
	var got []string
	for range 3 {
		p, err := f.ProbeFrontDoor(t.Context(), oms)
		f.ok(err)
		got = append(got, p.Release)
	}
	if diff := cmp.Diff([]string{"1", "1", "2"}, got); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
}

func TestAKilledInstanceStartsAnew(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.serve(target.Blue, "1")
	before := f.web(target.Blue)
	f.clock.Advance(time.Second)
	f.KillInstance(oms, target.Blue, "web", 1)
	if i := f.web(target.Blue); i.Healthy || i.Restarts != 1 || !i.HealthySince.After(*before.HealthySince) {
		t.Errorf("got %+v, want it restarted and not healthy yet", i)
	}
	if i := f.web(target.Blue); !i.Healthy {
		t.Errorf("got %+v, want it healthy again", i)
	}
}

func TestTheLogTellsWhatServedAndWhatWent(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.serve(target.Blue, "1")
	f.serve(target.Green, "2")
	at := f.clock.Now().Add(time.Second)
	f.ok(f.RetireStack(t.Context(), oms, target.Blue, &at, f.lease))
	f.clock.Advance(time.Minute)
	f.web(target.Green)
	f.ok(f.PutTask(t.Context(), target.TaskSpec{Key: "k", Slot: oms, Color: target.Blue}, f.lease))
	f.ok(f.DeleteSlot(t.Context(), oms, f.lease))
	var got []string
	for _, e := range f.Log() {
		got = append(got, e.String())
	}
	if diff := cmp.Diff([]string{
		"eu/production/oms stack made blue 1", "eu/production/oms served blue 1",
		"eu/production/oms stack made green 2", "eu/production/oms served green 2",
		"eu/production/oms stack retired blue 1", "eu/production/oms task started blue k", "eu/production/oms stack removed green 2",
	}, got); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"1", "2"}, f.ServedLog(oms)); diff != "" {
		t.Errorf("served (-want +got):\n%s", diff)
	}
}

func TestNothingIsSharedBetweenTheCallerAndTheStore(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	r := region
	r.Name, r.Tags = "us", map[string]string{"a": "b"}
	rec, err := f.PutRegion(t.Context(), r, by)
	f.ok(err)
	r.Tags["a"], rec.Spec.Tags["a"] = "changed", "changed"
	got, err := f.GetRegion(t.Context(), "us")
	f.ok(err)
	got.Spec.Tags["a"] = "changed"
	got, err = f.GetRegion(t.Context(), "us")
	f.ok(err)
	if got.Spec.Tags["a"] != "b" {
		t.Error("the caller changed what is stored")
	}

	spec := f.put(target.Blue, "1", "app")
	spec.Capacity["web"] = 7
	obs, err := f.Observe(t.Context(), oms)
	f.ok(err)
	obs.Stacks[target.Blue].Spec.Capacity["web"] = 8
	obs, err = f.Observe(t.Context(), oms)
	f.ok(err)
	if n := obs.Stacks[target.Blue].Spec.Capacity["web"]; n != 1 {
		t.Errorf("the caller changed the stored capacity to %d", n)
	}
}

func TestAStackOfOtherComponentsUnderTheSameFingerprintIsInvalid(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	spec := f.put(target.Blue, "1", "app")
	spec.Definition.Components = map[string]target.Component{"web": apps{}.program("another")}
	if err := f.PutStack(t.Context(), spec, f.lease); !errors.Is(err, target.ErrInvalid) {
		t.Errorf("got error %v, want %v", err, target.ErrInvalid)
	}
}

func TestAnIDThatIsNoneIsInvalid(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	d := database
	d.Environment.Name = "Not a name"
	if _, err := f.PutAccountDatabase(t.Context(), d, by); !errors.Is(err, target.ErrInvalid) {
		t.Errorf("got error %v, want %v", err, target.ErrInvalid)
	}
}
