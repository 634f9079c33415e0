package decide

import (
	"strconv"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/swap/judge"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// taskGrace is how much longer than its limit a task is waited for: its target ends it.
const taskGrace = 30 * time.Second

// testing runs the suite against the very instances that are to be switched to.
func (f Facts) testing() *Decision {
	w := f.swap()
	passed := &Decision{Swap: w, Next: target.PhaseSwitching}
	if !f.approved() {
		passed.Next = target.PhaseAwaitingApproval
	}
	if d := f.keepUp(); d != nil {
		return d
	}
	if f.tested() && !f.renewed() {
		return passed
	}
	if d := f.unbroken("the candidate broke while it was tested: "); d != nil {
		return d
	}
	if w.TestedAt != nil { // another suite, or other instances: what was passed counts no more
		w.TestedAt, w.TestedSuite = nil, ""
		return first(f.endTasks(begins(w.ID+"-"+target.TaskTest)), &Decision{Swap: w})
	}
	w.TestedAt, w.TestedSuite = &f.Seen.At, f.Suite
	if f.Want.Definition.TestSuite == nil {
		passed.Note = "untested, as asked"
		return passed
	}
	return f.task(target.TaskTest, f.Want.Definition.Expand().TestSuite, "-"+f.Suite[:8], passed)
}

// tested says that the candidate passed the suite that is asked for now.
func (f Facts) tested() bool {
	w := f.Record.Swap
	return w.TestedAt != nil && w.TestedSuite == f.Suite
}

// renewed says that an instance was started, or lost its health, after the candidate's test.
func (f Facts) renewed() bool {
	st, at := f.Seen.Stacks[f.Record.Swap.To], f.Record.Swap.TestedAt
	for _, i := range st.Instances {
		if !st.Spec.Definition.Components[i.Component].Worker() && (i.HealthySince == nil || i.HealthySince.After(*at)) {
			return true
		}
	}
	return false
}

// task runs a task for this swap and goes on with passed when it passes. One that ended
// without an exit code is a failure if this run started it; one that another run left behind
// is run once more.
func (f Facts) task(kind string, t *target.Task, suffix string, passed *Decision) *Decision {
	if t == nil {
		return passed
	}
	w, n := f.Record.Swap, 0
	ours, mine := begins(w.ID+"-"+kind), begins(w.ID+"-"+kind+suffix+"-")
	if d := f.endTasks(func(key string) bool { return ours(key) && !mine(key) }); d != nil { // of another suite
		return d
	}
	for key := range f.Seen.Tasks {
		if mine(key) {
			n++
		}
	}
	key := func(n int) string { return w.ID + "-" + kind + suffix + "-" + strconv.Itoa(n) }
	st, limit := f.Seen.Tasks[key(n)], seconds(t.TimeoutSeconds)
	foreign := !st.Running && st.ExitCode == nil && key(n) != f.Started
	switch {
	case n == 0 || foreign:
		return &Decision{Do: PutTask, Task: target.TaskSpec{
			Key: key(n + 1), Kind: kind, Slot: f.Want.ID(), Color: w.To, Release: w.Release, Task: *t,
		}}
	case st.Running && f.waited() < limit+taskGrace:
		return wait()
	}
	if gap := judge.Task(st, limit); gap != nil {
		return fail(gap.String())
	}
	return passed
}
