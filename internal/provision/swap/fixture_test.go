package swap_test

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/memtarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/swap"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

var (
	noon       = time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)
	production = target.EnvironmentID{Region: "eu", Name: "production"}
	oms        = target.SlotID{Environment: production, Name: "oms"}
	window     = 10 * time.Minute
)

// reporter is a test, or one check of a property.
type reporter interface {
	rapid.TB
	Context() context.Context
}

// world is a target in memory with an environment, as a bystander sees it.
type world struct {
	reporter
	*memtarget.Target
	clock *wait.Fake
	audit *auditor
	// pause is the time between two looks of a machine.
	pause time.Duration
}

func newWorld(t reporter) *world {
	t.Helper()
	clock := wait.NewFake(noon)
	w := &world{reporter: t, clock: clock, pause: time.Second, Target: memtarget.New(memtarget.Options{Clock: clock})}
	w.audit = newAuditor(w)
	by := target.PutOptions{Owner: "the test"}
	_, err := w.PutRegion(t.Context(), target.Region{Name: "eu", Location: "Frankfurt", Jurisdiction: "EU"}, by)
	w.ok(err)
	_, err = w.PutEnvironment(t.Context(), target.Environment{
		Region: "eu", Name: "production", Kind: target.KindProduction, Tenancy: target.TenancyMultiTenant,
		DomainName: production.DefaultDomainName(), Database: target.Database{MaxConnections: 100},
		Network: target.Network{ListenAddress: "127.0.0.1", HTTPSPort: 20443, PreviewPort: 28443},
	}, by)
	w.ok(err)
	return w
}

// Log is the reporter's; what happened to the slots is in w.Target.Log.
func (w *world) Log(args ...any) { w.reporter.Log(args...) }

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// slot is a slot with two components, one of them a worker, a migration and a test suite.
func slot(release string, changes ...func(*target.Slot)) target.Slot {
	s := target.Slot{
		Environment: production, Name: "oms",
		Definition: target.Definition{
			Release: release,
			Components: map[string]target.Component{
				"api": {
					Command: []string{"app-{release}"}, Scaling: target.Scaling{Min: 1, Max: 3}, Routes: []target.Route{{PathPrefix: "/"}},
					HealthCheck: &target.HealthCheck{Path: "/healthz", IntervalSeconds: 1, TimeoutSeconds: 1, HealthyThreshold: 2, UnhealthyThreshold: 2},
				},
				"mailer": {Command: []string{"mailer-{release}"}, Scaling: target.Scaling{Min: 1, Max: 1}},
			},
			Migrate:   &target.Task{Command: []string{"migrate"}, TimeoutSeconds: 60},
			TestSuite: &target.Task{Command: []string{"suite"}, TimeoutSeconds: 60},
		},
		Policy: target.Policy{StartTimeoutSeconds: 60, MinimumHealthySeconds: 1, DrainSeconds: 5, FallbackWindowSeconds: int(window.Seconds())},
	}
	for _, change := range changes {
		change(&s)
	}
	return s
}

// command makes a component run something else.
func command(component string, words ...string) func(*target.Slot) {
	return func(s *target.Slot) {
		c := s.Definition.Components[component]
		c.Command = words
		s.Definition.Components[component] = c
	}
}

func migrate(words ...string) func(*target.Slot) {
	return func(s *target.Slot) { s.Definition.Migrate.Command = words }
}

func suite(words ...string) func(*target.Slot) {
	return func(s *target.Slot) { s.Definition.TestSuite.Command = words }
}

func retry(n int64) func(*target.Slot) { return func(s *target.Slot) { s.Retry = n } }

// fork is the same world, which goes its own way.
func (w *world) fork() *world {
	f := &world{reporter: w.reporter, pause: w.pause, clock: wait.NewFake(w.clock.Now())}
	f.Target, f.audit = w.Fork(f.clock), w.audit.fork(f)
	return f
}

// machine is what another process on this target would run.
func (w *world) machine() *swap.Machine { return w.machineOn(w.Client(), nil) }

// machineOn is a machine on a client; changed is called after each call that may have changed
// something.
func (w *world) machineOn(client *memtarget.Target, changed func()) *swap.Machine {
	return swap.New(w.audit.of(client, changed), "the test", swap.Options{Clock: w.clock, Pause: w.pause})
}

func (w *world) run(s target.Slot) error {
	w.Helper()
	return w.machine().Run(w.Context(), s)
}

func (w *world) mustRun(releases ...string) {
	w.Helper()
	for _, r := range releases {
		w.ok(w.run(slot(r)))
	}
}

func (w *world) rollBack() error {
	return w.machine().RollBack(w.Context(), oms, "an operator", "orders were lost")
}

func (w *world) record() target.SlotRecord {
	w.Helper()
	rec, err := w.GetSlot(w.withoutCancel(), oms)
	if !errors.Is(err, target.ErrNotFound) {
		w.ok(err)
	}
	return rec
}

func (w *world) withoutCancel() context.Context { return context.WithoutCancel(w.Context()) }

func (w *world) observe() target.Observation {
	w.Helper()
	seen, err := w.Observe(w.withoutCancel(), oms)
	w.ok(err)
	return seen
}

// serving is the release that answers at the front door, "" for none.
func (w *world) serving() string {
	release, _ := w.Answer(production, production.DefaultDomainName(), "/orders")
	return release
}

// stands wants exactly these stacks in the slot and nothing under way.
func (w *world) stands(want ...string) {
	w.Helper()
	w.seats(want...)
	w.nothingRuns()
}

// seats wants exactly these stacks, each "color release", the serving one first.
func (w *world) seats(want ...string) {
	w.Helper()
	seen := w.observe()
	var got []string
	for _, c := range []target.Color{seen.Serving, seen.Serving.Other()} {
		if st, ok := seen.Stacks[c]; ok {
			got = append(got, string(c)+" "+st.Spec.Definition.Release)
		}
	}
	if seen.Serving == "" && len(seen.Stacks) > 0 {
		got = append([]string{"nothing"}, got...)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		w.Errorf("stacks (-want +got):\n%s", diff)
	}
}

// nothingRuns wants no task and no lease left.
func (w *world) nothingRuns() {
	w.Helper()
	for _, left := range w.Inventory() {
		if strings.HasPrefix(left, "task ") || strings.HasPrefix(left, "lease ") {
			w.Errorf("left over: %s", left)
		}
	}
}

// phases are the phases that the last swap passed.
func (w *world) phases() string {
	w.Helper()
	var names []string
	if s := w.record().Swap; s != nil {
		for _, step := range s.Steps {
			names = append(names, string(step.Phase))
		}
	}
	return strings.Join(names, " ")
}

// made is how many stacks of a release, or tasks whose keys contain a word, were begun.
func (w *world) made(kind memtarget.EventKind, name string) int {
	n := 0
	for _, e := range w.Target.Log(kind) {
		if e.Name == name || kind == memtarget.TaskStarted && strings.Contains(e.Name, name) {
			n++
		}
	}
	return n
}

// saysAll wants every part in an error's message.
func saysAll(t reporter, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("the message lacks %q:\n%v", p, err)
		}
	}
}

func wantError[E error](t reporter, err error) E {
	t.Helper()
	var e E
	if !errors.As(err, &e) {
		t.Fatalf("got error %v (%T), want %T", err, err, e)
	}
	return e
}

func equal[T comparable](t reporter, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

// sicken makes the instances of a release fail their checks for a time.
func (w *world) sicken(release string, d time.Duration) {
	until := w.clock.Now().Add(d)
	w.Script("api", release, memtarget.Behaviour{Answers: func(int) bool { return w.clock.Now().After(until) }})
	w.observe()
	w.observe()
}

// served is the moment after the switch, before it is recorded.
const served target.Phase = "served"

// when makes a function that calls do as soon as the slot's swap is in a phase.
func (w *world) when(p target.Phase, do func()) func() {
	done, serves := false, w.observe().Serving
	return func() {
		s := w.record().Swap
		reached := s != nil && s.Phase == p
		if p == served {
			reached = w.observe().Serving != serves
		}
		if reached && !done {
			done = true
			do()
		}
	}
}

// whenStarted makes a function that calls do as soon as a task of a kind is started.
func (w *world) whenStarted(kind string, do func()) func() {
	before := len(w.Target.Log(memtarget.TaskStarted))
	return func() {
		if all := w.Target.Log(memtarget.TaskStarted); len(all) > before && strings.Contains(all[len(all)-1].Name, "-"+kind) {
			do()
		}
	}
}
