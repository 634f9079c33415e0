//go:build !windows

package platform

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/process"
	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/store"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// newTestSlot is a leased slot of a new environment.
func newTestSlot(t *testing.T, p *Platform) (*slot, target.Lease) {
	t.Helper()
	id := target.SlotID{Environment: target.EnvironmentID{Region: "eu", Name: "production"}, Name: "oms"}
	e := p.newEnvironment(id.Environment)
	p.environments[id.Environment] = e
	s := e.newSlot(id)
	e.slots[id.Name] = s
	if err := p.passage(e.files.slot(id.Name)); err != nil {
		t.Fatal(err)
	}
	l, err := p.AcquireLease(t.Context(), id, "ours", "the test", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return s, l
}

func TestAFailedChangeLeavesASlotThatCanBeChanged(t *testing.T) {
	t.Parallel()
	p := newTestPlatform(t)
	s, l := newTestSlot(t, p)
	refused := errors.New("refused")
	if err := s.change(func(*slotFile) error { return refused }); !errors.Is(err, refused) {
		t.Fatalf("got %v, want the refusal", err)
	}
	spec := target.TaskSpec{Slot: s.id, Key: "migrate", Kind: target.TaskMigrate, Task: target.Task{Command: []string{"true"}, TimeoutSeconds: 60}}
	if err := p.PutTask(t.Context(), spec, l); err != nil {
		t.Fatal(err)
	}
	if err := s.change(func(f *slotFile) error { f.Seats[target.Blue] = &seat{}; delete(f.Seats, target.Blue); return nil }); err != nil {
		t.Fatal(err)
	}
	if err := p.DeleteTask(t.Context(), s.id, spec.Key, l); err != nil {
		t.Fatal(err)
	}
}

// TestResumeReadsTheRecordBeforeItChanges brings back many instances that don't run any more:
// each is started and written into the record while others are still looked up in it.
func TestResumeReadsTheRecordBeforeItChanges(t *testing.T) {
	t.Parallel()
	p := newTestPlatform(t)
	s, _ := newTestSlot(t, p)
	const count = 12
	for _, c := range []target.Color{target.Blue, target.Green} {
		old := map[string]*instanceFile{}
		for n := range count {
			old["api/"+strconv.Itoa(n+1)] = &instanceFile{Identity: process.Identity{PID: 1 << 22, BootID: "another"}}
		}
		s.file.Seats[c] = &seat{Instances: old, Spec: target.StackSpec{
			Slot: s.id, Color: c, SwapID: "swap-" + string(c), Capacity: map[string]int{"api": count},
			Definition: target.Definition{Release: "1", Components: map[string]target.Component{"api": {Command: []string{"sleep", "600"}}}},
		}}
	}
	s.resume(t.Context())
	defer func() {
		if err := s.stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}()
	for c, st := range s.stacks {
		if n := len(st.all()); n != count {
			t.Errorf("%s has %d instances, want %d", c, n, count)
		}
	}
}

// TestAnInstanceIsTriedAgainWhenItsProgramIsBack takes the program away for a moment, as who
// replaces it does.
func TestAnInstanceIsTriedAgainWhenItsProgramIsBack(t *testing.T) {
	t.Parallel()
	p := newTestPlatform(t)
	s, _ := newTestSlot(t, p)
	program := filepath.Join(t.TempDir(), "api")
	spec := target.StackSpec{
		Slot: s.id, Color: target.Blue, SwapID: "swap", Capacity: map[string]int{"api": 1},
		Definition: target.Definition{Release: "1", Components: map[string]target.Component{"api": {Command: []string{program}}}},
	}
	s.file.Seats[target.Blue] = &seat{Spec: spec}
	st := s.newStack(spec)
	s.stacks[target.Blue] = st
	st.resume(t.Context(), seat{Spec: spec})
	defer func() {
		if err := st.stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}()
	if seen := st.status().Instances[0]; seen.Running || !seen.Permanent {
		t.Fatalf("without its program it is %+v", seen)
	}
	if err := os.WriteFile(program, []byte("#!/bin/sh\nexec sleep 600\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	limited, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err := wait.Until(limited, wait.Options{Max: 100 * time.Millisecond}, func(context.Context) (seenInstance, bool, error) {
		seen := st.status().Instances[0]
		return seenInstance(seen), seen.Running && !seen.Permanent, nil
	})
	if err != nil {
		t.Error(err)
	}
}

type seenInstance target.InstanceStatus

func (s seenInstance) String() string { return fmt.Sprintf("%+v", target.InstanceStatus(s)) }

func TestAStopIsFinishedWhenNobodyWaitsForItAnyMore(t *testing.T) {
	t.Parallel()
	p := newTestPlatform(t)
	s, l := newTestSlot(t, p)
	spec := target.StackSpec{
		Slot: s.id, Color: target.Blue, SwapID: "swap", Capacity: map[string]int{"api": 1},
		Definition: target.Definition{Release: "1", Components: map[string]target.Component{"api": {Command: []string{"sleep", "600"}}}},
	}
	s.file.Seats[target.Blue] = &seat{Spec: spec}
	s.stacks[target.Blue] = s.newStack(spec)
	s.stacks[target.Blue].resume(t.Context(), seat{Spec: spec})
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.DeleteStack(gone, s.id, target.Blue, l); err != nil {
		t.Fatal(err)
	}
	if s.stacks[target.Blue] != nil || s.file.Seats[target.Blue] != nil {
		t.Error("the seat still holds a stack of which nothing runs")
	}
}

func TestALostRecordIsNoReasonToRemoveWhatItDescribes(t *testing.T) {
	t.Parallel()
	var bad *store.BadRecordError
	for _, kept := range []string{"postgres/data/PG_VERSION", "clusters/acme/data/PG_VERSION", "databases/acme.json", "slots/oms/slot.json"} {
		p := newTestPlatform(t)
		id := target.EnvironmentID{Region: "eu", Name: "production"}
		path := filepath.Join(p.dir.environment(id).dir, filepath.FromSlash(kept))
		if err := errors.Join(p.passage(filepath.Dir(path)), os.WriteFile(path, []byte("16"), 0o600)); err != nil {
			t.Fatal(err)
		}
		if e, err := p.loadEnvironment(t.Context(), id); e != nil || !errors.As(err, &bad) {
			t.Errorf("with %s: got %v, %v, want a refusal", kept, e, err)
		}
		if _, err := os.Stat(path); err != nil {
			t.Errorf("%s was removed: %v", kept, err)
		}
	}
	p := newTestPlatform(t)
	s, _ := newTestSlot(t, p)
	home := filepath.Join(s.files.stack("oms", "swap"), "home")
	if err := errors.Join(p.passage(home), os.Remove(s.files.slotRecord("oms"))); err != nil {
		t.Fatal(err)
	}
	again := p.newEnvironment(s.e.id)
	if err := again.loadSlots(t.Context()); err != nil || !errors.As(again.bad.slots[s.id.Name], &bad) {
		t.Errorf("a slot without its record: got %v, %v, want it refused", err, again.bad)
	}
	if _, err := os.Stat(home); err != nil {
		t.Errorf("what the slot's stack had was removed: %v", err)
	}
}

func TestALostInstallationIsNotMadeAnewOverWhatIsThere(t *testing.T) {
	t.Parallel()
	p := newTestPlatform(t)
	_, _ = newTestSlot(t, p)
	if err := os.Remove(p.dir.installation()); err != nil {
		t.Fatal(err)
	}
	p.installation = nil // as after a start
	var bad *store.BadRecordError
	if _, err := p.PutRegion(t.Context(), target.Region{Name: "us"}, target.PutOptions{}); !errors.As(err, &bad) {
		t.Errorf("got %v, want a refusal", err)
	}
}

func TestAnEnvironmentWithAnAccountsOwnServerIsNotEmpty(t *testing.T) {
	t.Parallel()
	p := newTestPlatform(t)
	id := target.EnvironmentID{Region: "eu", Name: "production"}
	e := p.newEnvironment(id)
	e.servers[""] = &server{} // which knows nothing of that account
	file := databaseFile{Name: "acct_1", Meta: target.Meta{Ready: true}, Spec: target.AccountDatabase{Environment: id, Account: "acme", Isolation: target.IsolationCluster}}
	e.databases["acme"] = &file
	if err := e.refuseRemoval(t.Context()); !errors.Is(err, target.ErrNotEmpty) {
		t.Errorf("got %v, want ErrNotEmpty", err)
	}
	delete(e.databases, "acme")
	if err := e.refuseRemoval(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := e.saveDatabase(file); !errors.Is(err, target.ErrUnavailable) {
		t.Errorf("a database of an environment that is being removed: got %v, want ErrUnavailable", err)
	}
	e.servers = map[string]*server{}
}

// A lease of a slot that there is not leaves nothing, and can be had again.
func TestALeaseAloneLeavesNothing(t *testing.T) {
	t.Parallel()
	p := newTestPlatform(t)
	s, l := newTestSlot(t, p)
	dir := s.files.slot(s.id.Name)
	for range 2 {
		if _, err := os.Stat(dir); err != nil {
			t.Fatalf("the lease is not remembered: %v", err)
		}
		if err := p.ReleaseLease(t.Context(), s.id, l.Token); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("it left %s: %v", dir, err)
		}
		var err error
		if l, err = p.AcquireLease(t.Context(), s.id, "ours", "the test", time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := p.PutSlot(t.Context(), target.SlotRecord{Asked: target.Slot{Environment: s.id.Environment, Name: s.id.Name}}, l); err != nil {
		t.Fatal(err)
	}
	if err := p.ReleaseLease(t.Context(), s.id, l.Token); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Errorf("the slot's record went with its lease: %v", err)
	}
}

func TestATaskRunAgainShowsOnlyItsOwnOutput(t *testing.T) {
	t.Parallel()
	p := newTestPlatform(t)
	s, l := newTestSlot(t, p)
	spec := target.TaskSpec{Slot: s.id, Key: "migrate", Kind: target.TaskMigrate, Task: target.Task{Command: []string{"true"}, TimeoutSeconds: 60}}
	log := s.files.taskLog(s.id.Name, spec.Key)
	if err := p.passage(filepath.Dir(log)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(log, []byte("of the run before\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := p.PutTask(t.Context(), spec, l); err != nil {
		t.Fatal(err)
	}
	if lines := s.tasks[spec.Key].status().LastLines; len(lines) > 0 {
		t.Errorf("it shows %q", lines)
	}
	if err := p.DeleteTask(t.Context(), s.id, spec.Key, l); err != nil {
		t.Fatal(err)
	}
}
