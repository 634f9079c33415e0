package decide_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/swap/decide"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// picture is a slot as a decision sees it: release 1 in blue serves, a swap of it to
// release 2 in green is under way, and everything in it is well.
type picture struct{ decide.Facts }

func draw(changes ...func(*picture)) *picture {
	p := &picture{decide.Facts{
		Want: slot("2"), Fingerprint: "fp-2", Suite: "suite-of-2", Now: noon, Since: noon, NewID: "new",
		Seen: target.Observation{At: noon, Serving: target.Blue, Stacks: map[target.Color]target.StackStatus{}, Tasks: map[string]target.TaskStatus{}},
		Record: target.SlotRecord{
			Passed: map[target.Color]target.Passed{target.Blue: {SwapID: "s1", Release: "1", Fingerprint: "fp-1"}},
			Swap:   &target.Swap{ID: "s2", Release: "2", Fingerprint: "fp-2", From: target.Blue, FromRelease: "1", To: target.Green},
		},
	}}
	p.stand(target.Blue, "1", "s1", false)
	for _, change := range changes {
		change(p)
	}
	return p
}

// stand puts a healthy stack in a seat.
func (p *picture) stand(c target.Color, release, swapID string, holdWorkers bool) {
	d := slot(release).Definition
	st := target.StackStatus{Spec: target.StackSpec{
		Slot: oms, Color: c, SwapID: swapID, Definition: d, Fingerprint: "fp-" + release, HoldWorkers: holdWorkers,
	}, Scale: map[string]int{"api": 1, "mailer": 1}}
	if holdWorkers { // a candidate or a fallback
		st.Spec.Capacity = map[string]int{"api": 1, "mailer": 1}
		st.Scale["mailer"] = 0
	}
	since := noon.Add(-time.Minute)
	st.Instances = append(st.Instances, target.InstanceStatus{
		Component: "api", Index: 1, Running: true, Healthy: true, Passes: 9, HealthySince: &since, LastProbe: "GET /healthz -> 200",
	})
	if !holdWorkers {
		st.Instances = append(st.Instances, target.InstanceStatus{Component: "mailer", Index: 1, Running: true, Healthy: true, HealthySince: &since})
	}
	p.Seen.Stacks[c] = st
}

// candidate stands in green with its deadline.
func (p *picture) candidate() {
	p.stand(target.Green, "2", "s2", true)
	p.retire(target.Green, time.Hour)
}

func (p *picture) retire(c target.Color, in time.Duration) {
	at, st := noon.Add(in), p.Seen.Stacks[c]
	st.RetireAt = &at
	p.Seen.Stacks[c] = st
}

// fallback makes release 2 the one that served before, in green.
func (p *picture) fallback() {
	p.stand(target.Green, "2", "s0", true)
	p.retire(target.Green, time.Minute)
	p.Record.Passed[target.Green] = target.Passed{SwapID: "s0", Release: "2", Fingerprint: "fp-2"}
}

func in(phase target.Phase) func(*picture) {
	return func(p *picture) { p.Record.Swap.Phase = phase }
}

func candidate(p *picture) { p.candidate() }
func fallback(p *picture)  { p.fallback() }

// reusing makes the swap one back to the fallback.
func reusing(p *picture) {
	p.fallback()
	p.Record.Swap.Reuse = true
}

// tested says that the candidate has passed its suite.
func tested(p *picture) { p.Record.Swap.TestedSuite, p.Record.Swap.TestedAt = p.Suite, &noon }

// switched says that green serves and answers.
func switched(p *picture) {
	at := noon.Add(-time.Second)
	p.candidate()
	st := p.Seen.Stacks[target.Green]
	st.RetireAt = nil
	p.Seen.Stacks[target.Green] = st
	p.Seen.Serving = target.Green
	p.Record.Swap.SwitchedAt, p.Record.Swap.Probed = &at, true
}

// switchedBefore says how long ago the switch was.
func switchedBefore(d time.Duration) func(*picture) {
	return func(p *picture) { at := noon.Add(-d); p.Record.Swap.SwitchedAt = &at }
}

// handedOver says that only green works.
func handedOver(p *picture) {
	p.stand(target.Blue, "1", "s1", true)
	p.stand(target.Green, "2", "s2", false)
}

func sick(c target.Color) func(*picture) {
	return func(p *picture) {
		i := &p.Seen.Stacks[c].Instances[0]
		i.Healthy, i.Passes, i.HealthySince, i.LastProbe = false, 0, nil, "GET /healthz -> 503"
	}
}

// busy says that a stack has a request in flight.
func busy(c target.Color) func(*picture) {
	return func(p *picture) {
		st := p.Seen.Stacks[c]
		st.InFlight = 1
		p.Seen.Stacks[c] = st
	}
}

func drift(c target.Color) func(*picture) {
	return func(p *picture) {
		st := p.Seen.Stacks[c]
		st.Drift = []string{"a rule is missing"}
		p.Seen.Stacks[c] = st
	}
}

func repaired(c target.Color, ago time.Duration) func(*picture) {
	return func(p *picture) { p.Repaired = map[target.Color]time.Time{c: noon.Add(-ago)} }
}

func mending(c target.Color) func(*picture) {
	return func(p *picture) {
		st := p.Seen.Stacks[c]
		st.Mending = []string{"tasks are replaced"}
		p.Seen.Stacks[c] = st
	}
}

func waited(d time.Duration) func(*picture) {
	return func(p *picture) { p.Since = noon.Add(-d) }
}

func noSwap(p *picture) { p.Record.Swap = nil }

func ask(release string) func(*picture) {
	return func(p *picture) { p.Want, p.Fingerprint = slot(release), "fp-"+release }
}

func task(key string, st target.TaskStatus) func(*picture) {
	return func(p *picture) { st.Key = key; p.Seen.Tasks[key] = st }
}

func exit(code int) target.TaskStatus {
	return target.TaskStatus{Kind: target.TaskMigrate, ExitCode: &code}
}

func started(key string) func(*picture) { return func(p *picture) { p.Started = key } }

func entered(p target.Phase, times int) func(*picture) {
	return func(pic *picture) {
		for range times {
			pic.Record.Swap.Steps = append(pic.Record.Swap.Steps, target.Step{Phase: p})
		}
	}
}

// changed says in a word what a decision records that does nothing else.
func changed(w *target.Swap) string {
	switch {
	case w.SwitchedAt != nil && w.SwitchedAt.Equal(noon):
		return "switched"
	case w.WatchedFrom != nil && w.WatchedFrom.Equal(noon):
		return "watched from now"
	case w.Baseline != nil:
		return fmt.Sprintf("baseline of %d", w.Baseline.Requests)
	case w.TestedAt == nil:
		return "untested"
	}
	return "something"
}

// tell is a decision in a few words.
func tell(d decide.Decision) string {
	var out []string
	switch d.Do {
	case decide.None:
		if d.Next == "" && d.Swap != nil {
			out = append(out, changed(d.Swap))
		}
	case decide.Begin:
		out = append(out, fmt.Sprintf("begin %s: %s to %s", d.Swap.ID, d.Swap.Release, d.Swap.To))
		if d.Swap.Reuse {
			out = append(out, "reusing")
		}
	case decide.PutStack:
		out = append(out, fmt.Sprintf("put %s %s", d.Stack.Color, d.Stack.Definition.Release))
		if n := d.Stack.Capacity["api"]; n > 0 {
			out = append(out, fmt.Sprintf("%d api", n))
		}
		if d.Stack.HoldWorkers {
			out = append(out, "workers held")
		}
	case decide.RepairStack:
		out = append(out, fmt.Sprintf("%s %s", d.Do, d.Stack.Color))
	case decide.SetTraffic:
		out = append(out, fmt.Sprintf("%s to %s", d.Do, d.Traffic.Color))
		if d.Traffic.Percent > 0 {
			out = append(out, fmt.Sprintf("but for %d", d.Traffic.Percent))
		}
	case decide.DeleteStack:
		out = append(out, fmt.Sprintf("%s %s", d.Do, d.Color))
	case decide.RetireStack:
		out = append(out, fmt.Sprintf("%s %s", d.Do, d.Color))
		if d.At == nil {
			out = append(out, "never")
		} else {
			out = append(out, "in "+d.At.Sub(noon).String())
		}
	case decide.PutTask:
		out = append(out, fmt.Sprintf("%s %s", d.Do, d.Task.Key))
	case decide.DeleteTask:
		out = append(out, fmt.Sprintf("%s %s", d.Do, d.Key))
	case decide.Answer:
		out = append(out, fmt.Sprintf("answer %s", d.Swap.Answered.RequestID))
		if why := d.Swap.Answered.Refusal; why != "" {
			out = append(out, "refused: "+why)
		}
		if d.Hold {
			out = append(out, "held by "+d.HeldBy)
		}
	case decide.DropRequest:
		out = append(out, fmt.Sprintf("%s %s", d.Do, d.Key))
	default:
		out = append(out, string(d.Do))
	}
	for _, more := range []struct {
		said bool
		word string
	}{{d.Next != "", "→ " + string(d.Next)}, {d.Fail != "", "fail: " + d.Fail}, {d.Stop != "", "stop: " + d.Stop}, {d.Wait, "wait"}, {d.End, "end"}} {
		if more.said {
			out = append(out, more.word)
		}
	}
	return strings.Join(out, ", ")
}

func TestDecide(t *testing.T) {
	t.Parallel()
	wide := func(p *picture) {
		c := p.Want.Definition.Components["api"]
		c.Scaling.Min = 2
		p.Want.Definition.Components["api"] = c
	}
	empty := func(p *picture) {
		p.Seen.Serving, p.Seen.Stacks = "", map[target.Color]target.StackStatus{}
		p.Record.Swap.From, p.Record.Swap.To = "", target.Blue
	}
	gone := func(c target.Color) func(*picture) { return func(p *picture) { delete(p.Seen.Stacks, c) } }
	instance := func(change func(*target.InstanceStatus)) func(*picture) {
		return func(p *picture) { change(&p.Seen.Stacks[target.Green].Instances[0]) }
	}
	later := noon.Add(time.Second)
	running := target.TaskStatus{Kind: target.TaskMigrate, Running: true}
	killed := target.TaskStatus{Kind: target.TaskMigrate, Problem: "killed"}
	for _, c := range []struct {
		name string
		pic  *picture
		want string
	}{
		// Without a swap under way.
		{"nothing serves: a first deployment begins in blue", draw(empty, noSwap), "begin new: 2 to blue"},
		{"another release serves: a swap begins in the other seat", draw(noSwap), "begin new: 2 to green"},
		{"the same release of other components serves: a swap begins", draw(noSwap, ask("1"), func(p *picture) { p.Fingerprint = "fp-x" }), "begin new: 1 to green"},
		{"the fallback is what is wanted: it is reused", draw(noSwap, fallback), "begin new: 2 to green, reusing"},
		{"what stands in the other seat never served: it is not reused", draw(noSwap, candidate), "begin new: 2 to green"},
		{"what stands there is another stack of what served there: it is not reused", draw(noSwap, fallback, func(p *picture) { p.stand(target.Green, "2", "s9", true) }), "begin new: 2 to green"},
		{"the fallback served with other components: it is not reused", draw(noSwap, fallback, func(p *picture) { p.Fingerprint = "fp-x" }), "begin new: 2 to green"},
		{"a swap that ended is no swap under way", draw(in(target.PhaseFailed)), "begin new: 2 to green"},
		{"what is wanted serves: nothing is left to do", draw(noSwap, ask("1")), "end"},
		{"what is wanted serves with a fallback: nothing is left to do", draw(noSwap, ask("1"), fallback), "end"},
		{"more instances are wanted: the stack changes in place", draw(noSwap, ask("1"), wide), "put blue 1"},
		{"its size is still held from a swap: it is let go", draw(noSwap, ask("1"), func(p *picture) {
			p.stand(target.Blue, "1", "s1", true)
			p.Seen.Stacks[target.Blue] = unheld(p.Seen.Stacks[target.Blue])
		}), "put blue 1"},
		{"new instances are not healthy yet: they are waited for", draw(noSwap, ask("1"), func(p *picture) { p.Seen.Stacks[target.Blue].Scale["api"] = 3 }, waited(59*time.Second)), "wait"},
		{"a new instance never is: the run says so", draw(noSwap, ask("1"), func(p *picture) { p.Seen.Stacks[target.Blue].Scale["api"] = 3 }, waited(time.Minute)), `stop: component "api" of release 1 did not reach 3 instance(s) within 1m0s (it has 1)`},
		{"a worker is not healthy: it is waited for as well", draw(noSwap, ask("1"), func(p *picture) { p.Seen.Stacks[target.Blue].Instances[1].Running = false }), "wait"},
		{"a share was left with the other seat: it is taken back", draw(noSwap, ask("1"), fallback, func(p *picture) { p.Seen.Percent = 10 }), "set traffic to blue"},
		{"somebody else has moved it there and it can't be taken back", draw(noSwap, ask("1"), fallback, waited(30*time.Second), func(p *picture) { p.Seen.Percent = 10 }), "stop: the share of the other stack could not be taken back within 30s"},
		{"somebody else has changed what serves: it is repaired", draw(noSwap, ask("1"), drift(target.Blue)), "repair stack blue"},
		{"somebody else has changed the fallback: it is repaired", draw(noSwap, ask("1"), fallback, drift(target.Green)), "repair stack green"},
		{"another release is asked for: what serves is not repaired before", draw(noSwap, drift(target.Blue)), "begin new: 2 to green"},
		{"what was repaired still shows: it may need a while", draw(noSwap, ask("1"), drift(target.Blue), repaired(target.Blue, time.Second)), "wait"},
		{"what was repaired shows for long: it is told of, and nothing is left to do", draw(noSwap, ask("1"), drift(target.Blue), repaired(target.Blue, 2*time.Minute)), "end"},
		{"what was repaired shows for long: the fallback is repaired nevertheless", draw(noSwap, ask("1"), fallback, drift(target.Blue), drift(target.Green), repaired(target.Blue, 2*time.Minute)), "repair stack green"},
		{"instances are replaced for a repair: that takes a while", draw(noSwap, ask("1"), mending(target.Blue), drift(target.Blue), repaired(target.Blue, 2*time.Minute)), "wait"},
		{"instances are being replaced: nothing is put again", draw(noSwap, ask("1"), mending(target.Blue)), "wait"},
		{"instances are replaced for longer than a start takes", draw(noSwap, ask("1"), mending(target.Blue), waited(time.Hour)), "stop: what somebody else has changed could not be repaired: tasks are replaced"},
		{"a candidate was left over: it is removed", draw(noSwap, ask("1"), candidate), "delete stack green"},
		{"a fallback is overdue: it is removed", draw(noSwap, ask("1"), fallback, func(p *picture) { p.retire(target.Green, 0) }), "delete stack green"},
		{"a task was left over: it is forgotten", draw(noSwap, ask("1"), task("s0-test", running)), "delete task s0-test"},
		{"the workers of both would run: those of the fallback are held first", draw(noSwap, ask("1"), func(p *picture) {
			p.stand(target.Blue, "1", "s1", true)
			p.stand(target.Green, "2", "s0", false)
		}), "put green 2, workers held"},
		{"somebody else has started the workers of the fallback: it is repaired before they are waited for", draw(noSwap, ask("1"), fallback, startedBySomebody, drift(target.Green)), "repair stack green"},
		{"they are waited for then", draw(noSwap, ask("1"), fallback, startedBySomebody, drift(target.Green), repaired(target.Green, time.Second)), "wait"},

		// Preparing.
		{"tasks of other swaps are forgotten first", draw(in(target.PhasePreparing), task("s1-test-1", exit(0))), "delete task s1-test-1"},
		{"the seat is taken: it is emptied", draw(in(target.PhasePreparing), func(p *picture) { p.stand(target.Green, "0", "s0", true) }), "delete stack green"},
		{"the seat is empty: the migration comes next", draw(in(target.PhasePreparing)), "→ migrating"},
		{"there is no migration: the start comes next", draw(in(target.PhasePreparing), func(p *picture) { p.Want.Definition.Migrate = nil }), "→ starting"},
		{"the fallback stands: only its health is looked at", draw(in(target.PhasePreparing), reusing), "→ verifying"},
		{"the fallback's routes differ: they are changed, its capacity is not", draw(in(target.PhasePreparing), reusing, func(p *picture) {
			p.Seen.Stacks[target.Blue].Scale["api"] = 3
			c := p.Want.Definition.Components["api"]
			c.Routes = append(c.Routes, target.Route{Host: "api", PathPrefix: "/"})
			p.Want.Definition.Components["api"] = c
		}), "put green 2, 1 api, workers held"},
		{"the fallback has fewer instances than wanted: they follow after the switch", draw(in(target.PhasePreparing), reusing, wide), "put green 2, 1 api, workers held"},
		{"the fallback is gone: a whole swap begins", draw(in(target.PhasePreparing), reusing, gone(target.Green)), "begin new: 2 to green"},
		{"another stack serves than when the swap began: it begins anew", draw(in(target.PhasePreparing), fallback, func(p *picture) { p.Seen.Serving = target.Green; p.Want.Definition.Release = "2" }), "begin new: 2 to blue"},

		// Tasks.
		{"the migration was not started: it is", draw(in(target.PhaseMigrating)), "put task s2-migrate-1"},
		{"it runs: it is waited for", draw(in(target.PhaseMigrating), task("s2-migrate-1", running), waited(89*time.Second)), "wait"},
		{"it runs far beyond its time: the swap fails", draw(in(target.PhaseMigrating), task("s2-migrate-1", running), waited(90*time.Second)), "fail: the migration was inconclusive: it did not end within 1m0s"},
		{"it passed: the start comes next", draw(in(target.PhaseMigrating), task("s2-migrate-1", exit(0))), "→ starting"},
		{"it failed: the swap fails", draw(in(target.PhaseMigrating), task("s2-migrate-1", exit(2))), "fail: the migration failed with exit code 2"},
		{"it was killed under this run: the swap fails", draw(in(target.PhaseMigrating), task("s2-migrate-1", killed), started("s2-migrate-1")), "fail: the migration was inconclusive (killed)"},
		{"it was killed under an earlier run: it is run again", draw(in(target.PhaseMigrating), task("s2-migrate-1", killed)), "put task s2-migrate-2"},
		{"the second one passed", draw(in(target.PhaseMigrating), task("s2-migrate-1", killed), task("s2-migrate-2", exit(0))), "→ starting"},

		// Starting and verifying.
		{"the candidate is put with the live stack's capacity, without workers", draw(in(target.PhaseStarting), func(p *picture) { p.Seen.Stacks[target.Blue].Scale["api"] = 3 }), "put green 2, 3 api, workers held"},
		{"its own limits come before the live stack's capacity", draw(in(target.PhaseStarting), func(p *picture) { p.Seen.Stacks[target.Blue].Scale["api"] = 30 }), "put green 2, 3 api, workers held"},
		{"it has no deadline: it gets one", draw(in(target.PhaseStarting), func(p *picture) { p.stand(target.Green, "2", "s2", true) }), "retire stack green, in 17m30s"},
		{"it stands: its health comes next", draw(in(target.PhaseStarting), candidate), "→ verifying"},
		{"its deadline comes near: it is put off", draw(in(target.PhaseVerifying), candidate, func(p *picture) { p.retire(target.Green, 149*time.Second) }), "retire stack green, in 17m30s"},
		{"its definition changed meanwhile: it follows", draw(in(target.PhaseVerifying), candidate, wide), "put green 2, 1 api, workers held"},
		{"the live stack grew meanwhile: it follows", draw(in(target.PhaseVerifying), candidate, func(p *picture) { p.Seen.Stacks[target.Blue].Scale["api"] = 2 }), "put green 2, 2 api, workers held"},
		{"the live stack got smaller meanwhile: it does not follow", draw(in(target.PhaseVerifying), candidate, func(p *picture) {
			p.Seen.Stacks[target.Green].Spec.Capacity["api"] = 2
		}), "→ testing"},
		{"it is healthy: its test comes next", draw(in(target.PhaseVerifying), candidate), "→ testing"},
		{"it is not healthy yet: it is waited for", draw(in(target.PhaseVerifying), candidate, sick(target.Green), waited(59*time.Second)), "wait"},
		{"it is not healthy in time: the swap fails", draw(in(target.PhaseVerifying), candidate, sick(target.Green), waited(time.Minute)), `fail: component "api" of release 2 did not become healthy within 1m0s (instance 1: GET /healthz -> 503)`},
		{"it has passed too few checks in a row: it is waited for", draw(in(target.PhaseVerifying), candidate, instance(func(i *target.InstanceStatus) { i.Passes = 1 })), "wait"},
		{"it was healthy for too short a time: it is waited for", draw(in(target.PhaseVerifying), candidate, instance(func(i *target.InstanceStatus) { i.HealthySince = &noon })), "wait"},
		{"it does not run: it is waited for", draw(in(target.PhaseVerifying), candidate, instance(func(i *target.InstanceStatus) { i.Running = false })), "wait"},
		{"zero instances are not healthy", draw(in(target.PhaseVerifying), candidate, func(p *picture) {
			st := p.Seen.Stacks[target.Green]
			st.Instances = nil
			p.Seen.Stacks[target.Green] = st
		}, waited(time.Hour)), `fail: component "api" of release 2 did not reach 1 instance(s) within 1m0s (it has 0)`},
		{"it can't be started: the swap fails at once", draw(in(target.PhaseVerifying), candidate, instance(func(i *target.InstanceStatus) { i.Permanent, i.Problem, i.LastProbe = true, "no such file", "" })), `fail: component "api" of release 2 can't be started (instance 1: no such file)`},
		{"it keeps ending: the swap fails at once", draw(in(target.PhaseVerifying), candidate, instance(func(i *target.InstanceStatus) { i.Restarts = 3 })), `fail: component "api" of release 2 ended 3 times (instance 1: GET /healthz -> 200)`},
		{"it is gone: the swap begins anew", draw(in(target.PhaseVerifying)), "begin new: 2 to green"},
		{"the fallback is healthy: the switch comes next", draw(in(target.PhaseVerifying), reusing), "→ switching"},
		{"the fallback is not healthy: it gets a little time", draw(in(target.PhaseVerifying), reusing, sick(target.Green)), "wait"},
		{"the fallback does not get healthy: a new stack is brought up", draw(in(target.PhaseVerifying), reusing, sick(target.Green), waited(15*time.Second)), "begin new: 2 to green"},

		// Testing.
		{"the suite was not started: it is", draw(in(target.PhaseTesting), candidate), "put task s2-test-suite-of-1"},
		{"the suite passed: the switch comes next", draw(in(target.PhaseTesting), candidate, task("s2-test-suite-of-1", exit(0))), "→ switching"},
		{"another suite runs: it is ended", draw(in(target.PhaseTesting), candidate, task("s2-test-oldsuite-1", running)), "delete task s2-test-oldsuite-1"},
		{"this suite was passed before", draw(in(target.PhaseTesting), candidate, tested), "→ switching"},
		{"there is no suite, as asked", draw(in(target.PhaseTesting), candidate, func(p *picture) {
			p.Want.Definition.TestSuite = nil
			st := p.Seen.Stacks[target.Green]
			st.Spec.Definition.TestSuite = nil
			p.Seen.Stacks[target.Green] = st
		}), "→ switching"},
		{"it keeps ending, and the instance of now is well: how it ended is told", draw(in(target.PhaseVerifying), candidate, instance(func(i *target.InstanceStatus) { i.Restarts, i.LastEnd = 3, "exited with code 7" })), `fail: component "api" of release 2 ended 3 times (instance 1: exited with code 7)`},
		{"the candidate breaks meanwhile: the swap fails", draw(in(target.PhaseTesting), candidate, instance(func(i *target.InstanceStatus) { i.Restarts = 3 })), `fail: the candidate broke while it was tested: component "api" of release 2 ended 3 times (instance 1: GET /healthz -> 200)`},
		{"the tested candidate is gone: the swap begins anew", draw(in(target.PhaseTesting), task("s2-test-suite-of-1", exit(0))), "begin new: 2 to green"},

		{"an instance is newer than the test: what was passed is forgotten", draw(in(target.PhaseTesting), candidate, tested, task("s2-test-suite-of-1", exit(0)), instance(func(i *target.InstanceStatus) { i.HealthySince = &later })), "delete task s2-test-suite-of-1"},
		{"the suite is another one than was passed: what was passed is forgotten", draw(in(target.PhaseTesting), candidate, tested, func(p *picture) { p.Record.Swap.TestedSuite = "old" }), "untested"},
		{"approval is asked for: the candidate waits for it", draw(in(target.PhaseTesting), candidate, tested, manual), "→ awaiting_approval"},
		{"it is approved already", draw(in(target.PhaseTesting), candidate, tested, manual, func(p *picture) { p.Want.ApprovedRelease = "2" }), "→ switching"},
		{"another release is approved", draw(in(target.PhaseTesting), candidate, tested, manual, func(p *picture) { p.Want.ApprovedRelease = "1" }), "→ awaiting_approval"},

		// Approval.
		{"the waiting candidate gets its end", draw(in(target.PhaseAwaitingApproval), candidate, tested, manual), "retire stack green, in 10m0s"},
		{"the waiting candidate keeps a part of its size", draw(in(target.PhaseAwaitingApproval), candidate, tested, manual, func(p *picture) {
			p.Want.Policy.WaitingCapacityPercent = 34
			p.Seen.Stacks[target.Blue].Scale["api"] = 3
			p.Seen.Stacks[target.Green].Spec.Capacity["api"] = 3
		}), "put green 2, 2 api, workers held"},
		{"nobody approved it yet: the run ends", draw(in(target.PhaseAwaitingApproval), candidate, tested, manual, func(p *picture) { p.retire(target.Green, 10*time.Minute) }), "end"},
		{"it is approved: it goes through the gates again", draw(in(target.PhaseAwaitingApproval), candidate, tested, manual, func(p *picture) { p.Want.ApprovedRelease = "2" }), "→ verifying"},
		{"approval is not asked for any more: it goes on", draw(in(target.PhaseAwaitingApproval), candidate, tested), "→ verifying"},
		{"its time is up: it is removed, approved or not", draw(in(target.PhaseAwaitingApproval), candidate, tested, manual, func(p *picture) {
			p.Want.ApprovedRelease = "2"
			p.Record.Swap.PhaseAt = noon.Add(-10 * time.Minute)
		}), "delete stack green"},
		{"it was removed: a new swap begins", draw(in(target.PhaseAwaitingApproval), tested, manual), "begin new: 2 to green"},
		{"another release is asked for while it waits: it is given up", draw(in(target.PhaseAwaitingApproval), candidate, tested, manual, ask("3")), "fail: release 3 was asked for meanwhile"},

		// Switching.
		{"the live stack's size is held before traffic moves", draw(in(target.PhaseSwitching), candidate, tested), "put blue 1, 1 api"},
		{"everything is proven: the traffic moves", draw(in(target.PhaseSwitching), candidate, tested, frozen), "set traffic to green"},
		{"what the old stack answers is kept to compare with", draw(in(target.PhaseSwitching), candidate, tested, frozen, measured(ok(0), ok(500))), "baseline of 500"},
		{"there are steps: the first share moves", draw(in(target.PhaseSwitching), candidate, tested, frozen, steps), "set traffic to blue, but for 10"},
		{"the share moved: it is watched", draw(in(target.PhaseSwitching), steps, split(10)), "→ watching"},
		{"the first share was passed: the second moves", draw(in(target.PhaseSwitching), steps, split(10), passed(1)), "set traffic to blue, but for 50"},
		{"all were passed: all of it moves", draw(in(target.PhaseSwitching), steps, split(50), passed(2)), "set traffic to green"},
		{"the candidate lost all health with a share: back", draw(in(target.PhaseSwitching), steps, split(10), passed(1), sick(target.Green)), "→ rolling_back"},
		{"the router does not give it more: back", draw(in(target.PhaseSwitching), steps, split(10), passed(1), waited(30*time.Second)), "→ rolling_back"},
		{"a switch back and a first deployment have no steps", draw(in(target.PhaseSwitching), reusing, steps), "set traffic to green"},
		{"the suite changed: the candidate is tested again", draw(in(target.PhaseSwitching), candidate), "→ testing"},
		{"approval is asked for at the last moment: it is waited for", draw(in(target.PhaseSwitching), candidate, tested, manual), "→ awaiting_approval"},
		{"the candidate lost its health: it must get well first", draw(in(target.PhaseSwitching), candidate, tested, sick(target.Green)), "→ verifying"},
		{"an instance is newer than the test: the gates come again", draw(in(target.PhaseSwitching), candidate, tested, instance(func(i *target.InstanceStatus) { i.HealthySince = &later })), "→ verifying"},
		{"it lost it again and again: the swap fails", draw(in(target.PhaseSwitching), candidate, tested, sick(target.Green), entered(target.PhaseVerifying, 5)), `fail: the candidate lost its health again and again: component "api" of release 2 did not become healthy (instance 1: GET /healthz -> 503)`},
		{"the router does not take it: the swap fails", draw(in(target.PhaseSwitching), candidate, tested, waited(30*time.Second), func(p *picture) { p.Trouble = errors.New("not now") }), "fail: the router did not take the candidate within 30s (not now)"},
		{"the candidate is gone: the swap begins anew, and nothing untested serves", draw(in(target.PhaseSwitching), tested), "begin new: 2 to green"},
		{"the fallback needs no test", draw(in(target.PhaseSwitching), reusing), "set traffic to green"},

		// After the switch.
		{"the front door is asked", draw(in(target.PhaseSwitching), switched, unprobed), "probe"},
		{"it answers with the release: the watch begins", draw(in(target.PhaseSwitching), switched), "→ watching"},
		{"the switch was another run's, whose answer is not known: it is made once more", draw(in(target.PhaseSwitching), switched, unprobed, func(p *picture) { p.Record.Swap.SwitchedAt = nil }), "set traffic to green"},
		{"then its time is recorded", draw(in(target.PhaseSwitching), switched, unprobed, func(p *picture) { p.Record.Swap.SwitchedAt, p.Moved = nil, &noon }), "switched"},
		{"the time of the switch is unknown: now is recorded", draw(in(target.PhaseSwitching), switched, unprobed, waited(time.Hour), func(p *picture) { p.Record.Swap.SwitchedAt = nil }), "switched"},
		{"the front door answers wrongly for too long: back", draw(in(target.PhaseSwitching), switched, unprobed, waited(30*time.Second)), "→ rolling_back"},
		{"the release breaks a guardrail before that: back", draw(in(target.PhaseSwitching), steps, switched, unprobed, measured(bad(100, 50), ok(0))), "→ rolling_back"},
		{"however long ago the switch was, this run asks first", draw(in(target.PhaseSwitching), switched, unprobed, func(p *picture) {
			long := noon.Add(-24 * time.Hour)
			p.Record.Swap.SwitchedAt, p.Record.Swap.PhaseAt = &long, long
		}), "probe"},
		{"nothing healthy stands behind it: it stays", draw(in(target.PhaseSwitching), switched, sick(target.Blue), unprobed, waited(time.Hour)), "→ degraded"},
		{"another release is asked for: first back", draw(in(target.PhaseSwitching), switched, unprobed, ask("3")), "→ rolling_back"},
		{"another is asked for and nothing healthy stands behind it: on from here", draw(in(target.PhaseSwitching), switched, sick(target.Blue), ask("3")), "begin new: 3 to blue"},
		{"another is asked for, and it went back in vain before: on from here", draw(in(target.PhaseSwitching), switched, ask("3"), entered(target.PhaseRollingBack, 1)), "begin new: 3 to blue"},
		{"another is asked for during the steps, and the old stack is sick: all of it moves first", draw(in(target.PhaseSwitching), steps, split(10), sick(target.Blue), ask("3")), "set traffic to green"},

		// Watching a share.
		{"the watch begins now", draw(in(target.PhaseWatching), steps, split(10)), "watched from now"},
		{"the watch of a run that died begins anew", draw(watched(10), steps, split(10), func(p *picture) { p.Watched = nil }), "watched from now"},
		{"the share is held", draw(watched(19), steps, split(10), measured(ok(100), ok(900))), "wait"},
		{"it was held: the next one comes", draw(watched(20), steps, split(10), measured(ok(100), ok(900))), "→ switching"},
		{"too few requests: promoted, as asked", draw(watched(20), steps, split(10), measured(ok(1), ok(9))), "→ switching"},
		{"too few requests: back, as asked", draw(watched(20), steps, split(10), measured(ok(1), ok(9)), cautious), "→ rolling_back"},
		{"too few requests of the old stack to compare with: back, as asked", draw(watched(20), steps, split(10), measured(ok(100), ok(9)), cautious, limited(func(g *target.Guardrails) { g.MaxP99Ratio = new(9.0) })), "→ rolling_back"},
		{"enough of both: on", draw(watched(20), steps, split(10), measured(ok(100), ok(900)), cautious, limited(func(g *target.Guardrails) { g.MaxP99Ratio = new(9.0) })), "→ switching"},
		{"nothing is compared: on", draw(watched(20), steps, split(10), measured(ok(100), ok(9)), cautious), "→ switching"},
		{"the old stack had too few before it lost its traffic: back, as asked", draw(watched(10), switched, handedOver, baked, measured(ok(100), ok(0)), cautious, limited(func(g *target.Guardrails) { g.MaxP99Ratio = new(9.0) }), func(p *picture) {
			p.Record.Swap.Baseline = new(ok(9))
		}), "→ rolling_back"},
		{"it had enough before: on", draw(watched(10), switched, handedOver, baked, measured(ok(100), ok(0)), cautious, limited(func(g *target.Guardrails) { g.MaxP99Ratio = new(9.0) }), func(p *picture) {
			p.Record.Swap.Baseline = new(ok(900))
		}), "retire stack blue, in 9m59s"},
		{"too few requests, and no time passed: nothing was to be judged", draw(watched(0), split(10), measured(ok(1), ok(9)), cautious, func(p *picture) {
			p.Want.Policy.Steps = []target.TrafficStep{{Percent: 10}}
		}), "→ switching"},
		{"too many errors: back", draw(watched(1), steps, split(10), measured(bad(100, 6), ok(900))), "→ rolling_back"},
		{"too many errors of too few requests: it goes on", draw(watched(1), steps, split(10), measured(bad(19, 19), ok(900))), "wait"},
		{"just as many errors as may be", draw(watched(1), steps, split(10), measured(bad(100, 5), ok(900))), "wait"},
		{"too slow: back", draw(watched(1), steps, split(10), limited(func(g *target.Guardrails) { g.MaxP99Milliseconds = new(99.0) }), measured(ok(100), ok(900))), "→ rolling_back"},
		{"too many more errors than the old stack: back", draw(watched(1), steps, split(10), limited(func(g *target.Guardrails) { g.MaxErrorPercentOverOld = new(1.0) }), measured(bad(100, 3), bad(900, 9))), "→ rolling_back"},
		{"the old stack has as many errors", draw(watched(1), steps, split(10), limited(func(g *target.Guardrails) { g.MaxErrorPercentOverOld = new(1.0) }), measured(bad(100, 3), bad(900, 27))), "wait"},
		{"slower than the old stack: back", draw(watched(1), steps, split(10), limited(func(g *target.Guardrails) { g.MaxP99Ratio = new(0.9) }), measured(ok(100), ok(900))), "→ rolling_back"},
		{"too few requests of the old stack to compare with", draw(watched(1), steps, split(10), limited(func(g *target.Guardrails) { g.MaxP99Ratio = new(0.9) }), measured(ok(100), ok(9))), "wait"},
		{"at last it is compared with what the old stack answered before", draw(watched(1), switched, held, frozen, limited(func(g *target.Guardrails) { g.MaxP99Ratio = new(0.9) }), measured(ok(100), ok(0)), func(p *picture) { p.Record.Swap.Baseline = new(ok(500)) }), "→ rolling_back"},
		{"an instance is sick for long: back", draw(watched(1), steps, split(10), pair, sickSince(10*time.Second)), "→ rolling_back"},
		{"an instance is sick for a moment", draw(watched(1), steps, split(10), pair, sickSince(9*time.Second)), "wait"},
		{"an instance is sick for a moment when the time is over: the share is held on", draw(watched(20), steps, split(10), pair, sickSince(9*time.Second), measured(ok(100), ok(900))), "wait"},
		{"an instance is sick for a moment when the next share is to move: it does not", draw(in(target.PhaseSwitching), steps, split(10), passed(1), pair, sickSince(9*time.Second)), "wait"},
		{"an instance is sick for a moment when the bake is over: it goes on", draw(watched(10), switched, pair, sickSince(9*time.Second), held, baked, working), "wait"},
		{"one that the load asked for does not keep the share from being passed", draw(watched(20), steps, split(10), pair, sickSince(9*time.Second), measured(ok(100), ok(900)), func(p *picture) { p.Seen.Stacks[target.Green].Spec.Capacity["api"] = 1 }), "→ switching"},
		{"an instance that the load asked for may take its time", draw(watched(1), steps, split(10), pair, sickSince(59*time.Second), func(p *picture) { p.Seen.Stacks[target.Green].Spec.Capacity["api"] = 1 }), "wait"},
		{"an instance keeps ending: back", draw(watched(1), steps, split(10), instance(func(i *target.InstanceStatus) { i.Restarts = 3 })), "→ rolling_back"},
		{"a fallback may have restarted in its life", draw(watched(1), switched, handedOver, asReuse, instance(func(i *target.InstanceStatus) { i.Restarts = 3 })), "retire stack blue, in 9m59s"},
		{"nothing answers: back at once", draw(watched(1), steps, split(10), sick(target.Green)), "→ rolling_back"},
		{"nothing answers, the old stack neither: it stays", draw(watched(1), steps, split(10), sick(target.Green), sick(target.Blue)), "→ degraded"},
		{"the policy has a larger step now: it comes next", draw(watched(1), split(10), func(p *picture) { p.Want.Policy.Steps = []target.TrafficStep{{Percent: 30, HoldSeconds: 9}} }), "→ switching"},
		{"the policy has a step before it now: it is held on", draw(watched(1), split(10), func(p *picture) {
			p.Want.Policy.Steps = []target.TrafficStep{{Percent: 5}, {Percent: 10, HoldSeconds: 9}}
		}), "wait"},
		{"the policy has no steps any more: all of it comes next", draw(watched(1), split(10)), "→ switching"},
		{"the traffic went away: it is moved again", draw(watched(1), candidate, tested, steps), "→ switching"},
		{"another release is asked for: back first", draw(watched(1), steps, split(10), ask("3")), "→ rolling_back"},

		// Watching all of it.
		{"the front door was not asked: it is", draw(watched(1), switched, unprobed), "→ switching"},
		{"the old workers are held first", draw(watched(1), switched), "put blue 1, workers held"},
		{"the old workers still run: they are waited for", draw(watched(1), switched, func(p *picture) {
			st := p.Seen.Stacks[target.Blue]
			st.Spec.HoldWorkers = true
			p.Seen.Stacks[target.Blue] = st
		}, waited(99*time.Second)), "wait"},
		{"none runs, and one is to still: it is waited for", draw(watched(1), switched, held, func(p *picture) { p.Seen.Stacks[target.Blue].Scale["mailer"] = 1 }), "wait"},
		{"they run beyond their limit: nothing else is started", draw(watched(1), switched, func(p *picture) {
			st := p.Seen.Stacks[target.Blue]
			st.Spec.HoldWorkers = true
			p.Seen.Stacks[target.Blue] = st
		}, waited(100*time.Second)), `stop: component "mailer" of release 1 did not stop within 1m40s, so that the workers of the other release were not started`},
		{"the old workers have stopped: the new ones start", draw(watched(1), switched, held), "put green 2, 1 api"},
		{"a new worker ended: back", draw(watched(1), switched, handedOver, func(p *picture) { p.Seen.Stacks[target.Green].Instances[1].Restarts = 1 }), "→ rolling_back"},
		{"a new worker does not run yet: it is waited for", draw(watched(1), switched, handedOver, func(p *picture) { p.Seen.Stacks[target.Green].Instances[1].Running = false }), "wait"},
		{"it never does: back", draw(watched(1), switched, handedOver, waited(time.Minute), func(p *picture) { p.Seen.Stacks[target.Green].Instances[1].Running = false }), "→ rolling_back"},
		{"a new worker did not hold its health yet", draw(watched(1), switched, handedOver, func(p *picture) { p.Seen.Stacks[target.Green].Instances[1].HealthySince = &noon }), "wait"},
		{"it is baked", draw(watched(9), switched, handedOver, baked), "wait"},
		{"the traffic is baked, the new workers are not", draw(watched(10), switched, handedOver, baked, func(p *picture) {
			p.Seen.Stacks[target.Green].Instances[1].HealthySince = new(noon.Add(-9 * time.Second))
		}), "wait"},
		{"too few requests of a first deployment: there is nothing to go back to", draw(watched(10), switched, handedOver, baked, cautious, gone(target.Blue), func(p *picture) { p.Record.Swap.From = "" }), "→ live"},
		{"too few requests at last: back, as asked", draw(watched(10), switched, handedOver, baked, cautious), "→ rolling_back"},
		{"the old stack gets its deadline", draw(watched(10), switched, handedOver, baked), "retire stack blue, in 9m59s"},
		{"the old stack's size is held", draw(watched(1), switched, handedOver, func(p *picture) {
			st := p.Seen.Stacks[target.Blue]
			st.Spec.Capacity = nil
			p.Seen.Stacks[target.Blue] = st
		}), "put blue 1, 1 api, workers held"},
		{"the old stack stays until the next release", draw(watched(1), switched, handedOver, func(p *picture) { p.Want.Policy.FallbackUntilNextRelease = true }), "→ live"},
		{"an old deadline of it is taken away then", draw(watched(1), switched, handedOver, func(p *picture) { p.Want.Policy.FallbackUntilNextRelease = true; p.retire(target.Blue, time.Minute) }), "retire stack blue, never"},
		{"the old stack is not wanted", draw(watched(1), switched, handedOver, noWindow), "delete stack blue"},
		{"the old stack was no good itself", draw(watched(1), switched, handedOver, func(p *picture) { delete(p.Record.Passed, target.Blue) }), "delete stack blue"},
		{"the old stack is not wanted, and still answers requests: it is waited for", draw(watched(1), switched, handedOver, noWindow, busy(target.Blue), waited(4*time.Second)), "wait"},
		{"it answers requests beyond the drain limit: it is removed", draw(watched(1), switched, handedOver, noWindow, busy(target.Blue), waited(5*time.Second), switchedBefore(5*time.Second)), "delete stack blue"},
		{"the old stack still answers requests: the release is watched on", draw(watched(1), switched, handedOver, busy(target.Blue), waited(time.Hour), switchedBefore(4*time.Second)), "wait"},
		{"for longer than the drain limit: the watch ends", draw(watched(1), switched, handedOver, busy(target.Blue), waited(time.Hour), switchedBefore(5*time.Second)), "retire stack blue, in 9m55s"},
		{"the new stack's size follows its load again", draw(watched(1), switched, handedOver, gone(target.Blue), func(p *picture) {
			st := p.Seen.Stacks[target.Green]
			st.Spec.Capacity = map[string]int{"api": 1}
			p.Seen.Stacks[target.Green] = st
		}), "put green 2"},
		{"the tasks are forgotten", draw(watched(1), switched, handedOver, gone(target.Blue), task("s2-migrate-1", exit(0))), "delete task s2-migrate-1"},
		{"everything is done", draw(watched(1), switched, handedOver, gone(target.Blue)), "→ live"},
		{"what is degraded is watched again", draw(in(target.PhaseDegraded), switched, handedOver), "→ watching"},
		{"another release is asked for than the degraded one, and the old stack is well: back first", draw(in(target.PhaseDegraded), switched, ask("3")), "→ rolling_back"},

		// What was left for the run.
		{"a rollback is requested of what has a share: back, with a hold", draw(split(10), watched(1), requested("s2")), "answer r, held by an operator, → rolling_back"},
		{"one of what was switched", draw(in(target.PhaseSwitching), switched, requested("s2")), "answer r, held by an operator, → rolling_back"},
		{"one of what is aborted and has a share after all", draw(in(target.PhaseAborting), split(10), requested("s2")), "answer r, held by an operator, → rolling_back"},
		{"one of what is superseded: the hold is kept all the same", draw(split(10), watched(1), ask("3"), requested("s2")), "answer r, held by an operator, → rolling_back"},
		{"one while the way back is taken already", draw(in(target.PhaseRollingBack), switched, requested("s2")), "answer r"},
		{"one before the first share", draw(in(target.PhaseTesting), candidate, requested("s2")), "answer r, refused: release 2 has no traffic yet"},
		{"one while the old stack is dead", draw(split(10), watched(1), sick(target.Blue), requested("s2")), `answer r, refused: what served before is not healthy: component "api" of release 1 has no healthy instance (instance 1: GET /healthz -> 503)`},
		{"one of a kind that is not known", draw(split(10), watched(1), requested("s2"), func(p *picture) { p.Seen.Request.Kind = "ponder" }), `answer r, refused: this version of Slipway does not know what "ponder" is`},
		{"one that was answered is removed", draw(in(target.PhaseRollingBack), switched, requested("s2"), answered), "drop request r"},
		{"one that was refused is removed", draw(in(target.PhaseTesting), candidate, requested("s2"), answered), "drop request r"},
		{"one about another swap is removed", draw(split(10), watched(1), requested("s1")), "drop request r"},
		{"one about a swap that ended is removed", draw(in(target.PhaseLive), requested("s2")), "drop request r"},
		{"one without any swap is removed", draw(noSwap, requested("s2")), "drop request r"},

		// The side exits.
		{"another release was asked for: the swap is given up", draw(in(target.PhaseTesting), candidate, ask("3")), "fail: release 3 was asked for meanwhile"},
		{"other components were asked for: the swap is given up", draw(in(target.PhaseStarting), func(p *picture) { p.Fingerprint = "fp-x" }), "fail: another definition of release 2 was asked for meanwhile"},
		{"a phase is not known: nothing is done", draw(in("pondering")), `stop: the swap to release 2 is in phase "pondering", which this version of Slipway does not know: finish it with the version that began it`},
		{"aborting ends the tasks", draw(in(target.PhaseAborting), candidate, task("s2-test-1", running)), "delete task s2-test-1"},
		{"aborting removes the candidate", draw(in(target.PhaseAborting), candidate), "delete stack green"},
		{"aborting leaves a fallback in its seat", draw(in(target.PhaseAborting), fallback), "→ failed"},
		{"aborting lets the live stack's size go", draw(in(target.PhaseAborting), frozen), "put blue 1"},
		{"aborting what has a share after all goes on with it", draw(in(target.PhaseAborting), split(10)), "→ switching"},
		{"aborting what serves after all goes on with it", draw(in(target.PhaseAborting), switched), "→ switching"},
		{"rolling back moves the traffic", draw(in(target.PhaseRollingBack), switched), "set traffic to blue"},
		{"rolling back takes a share back", draw(in(target.PhaseRollingBack), split(10)), "set traffic to blue"},
		{"rolling back to what lost its health is given up", draw(in(target.PhaseRollingBack), switched, sick(target.Blue), entered(target.PhasePreparing, 1)), "→ degraded"},
		{"what somebody asked for is given up as well, and the watch goes on", draw(in(target.PhaseRollingBack), switched, sick(target.Blue), entered(target.PhasePreparing, 1), func(p *picture) { p.Record.Swap.Requested = true }), "→ watching"},
		{"what was live before it was to go stays live", draw(in(target.PhaseRollingBack), switched, sick(target.Blue), func(p *picture) { p.Record.Swap.Requested = true }), "→ live"},
		{"rolling back holds the workers of the bad release", draw(in(target.PhaseRollingBack), switched, handedOver, func(p *picture) { p.Seen.Serving = target.Blue }), "put green 2, workers held"},
		{"rolling back removes the bad release", draw(in(target.PhaseRollingBack), candidate), "delete stack green"},
		{"rolling back waits for what the bad release still answers", draw(in(target.PhaseRollingBack), candidate, busy(target.Green)), "wait"},
		{"rolling back lets the old stack's size go", draw(in(target.PhaseRollingBack), frozen), "put blue 1"},
		{"rolled back", draw(in(target.PhaseRollingBack)), "→ rolled_back"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := tell(decide.Next(c.pic.Facts)); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// A share is judged by all that was answered since it was set, and held from when its watch began.
func TestAShareIsMeasuredFromItsFirstRequest(t *testing.T) {
	t.Parallel()
	set := noon.Add(-25 * time.Second)
	p := draw(in(target.PhaseWatching), steps, split(10), func(p *picture) { p.Moved, p.Record.Swap.PhaseAt = &set, noon })
	w := decide.Next(p.Facts).Swap
	if w == nil || w.WatchedFrom == nil || !w.WatchedFrom.Equal(set) {
		t.Fatalf("got swap %+v, want it watched from %s", w, set)
	}
	p.Record.Swap, p.Watched = w, w.WatchedFrom
	if got := tell(decide.Next(p.Facts)); got != "wait" {
		t.Errorf("got %s while the share is to be held", got)
	}
}

func TestAnApprovalThatWasGivenSaysHowFarTheSwapIs(t *testing.T) {
	t.Parallel()
	p := draw(in(target.PhaseWatching), candidate, tested, manual)
	p.Record.Swap.Approved = &target.ApprovedBy{By: "an operator"}
	p.Seen.Percent = 50
	w, refusal := decide.Approve(p.Facts, "an operator", "2")
	if want := "the swap to it is under way: it is watching with 50 percent"; w != nil || !strings.Contains(refusal, want) {
		t.Errorf("got %q, want %q in it", refusal, want)
	}
}
