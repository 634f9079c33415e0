package swap

import (
	"strconv"
	"strings"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

const (
	// abandonAfter is how much longer than it may need a candidate stands before its target
	// removes it without us.
	abandonAfter = 15 * time.Minute
	// reuseLimit is how long a fallback may take to be healthy before a new stack is brought
	// up in its place.
	reuseLimit = 15 * time.Second
	// taskGrace is how much longer than its limit a task is waited for: its target ends it.
	taskGrace = 30 * time.Second
	// maxVerifications is how often a candidate may have to pass the health gate.
	maxVerifications = 5
)

func (f Facts) migrating() Decision {
	return f.task(target.TaskMigrate, f.Want.Definition.Expand().Migrate, "", Decision{Next: target.PhaseStarting})
}

// starting puts the candidate.
func (f Facts) starting() Decision {
	if d, more := f.bringUp(); more {
		return d
	}
	return Decision{Next: target.PhaseVerifying}
}

// bringUp makes the candidate what it is to be: with the live stack's capacity, not its own
// minimum, without workers, and with a deadline in case that nobody comes back to it.
func (f Facts) bringUp() (Decision, bool) {
	w, st := f.Record.Swap, f.Seen.Stacks[f.Record.Swap.To]
	if w.Reuse {
		return Decision{}, false
	}
	want := f.inPlace(target.StackSpec{
		Slot: f.Want.ID(), Color: w.To, SwapID: w.ID, Fingerprint: f.Fingerprint,
		Capacity: f.Seen.Stacks[w.From].Spec.Capacity, HoldWorkers: true,
	})
	if !f.seated() || !target.Same(want, st.Spec) {
		return Decision{Do: PutStack, Stack: want}, true
	}
	limit := time.Duration(f.Want.Policy.StartTimeoutSeconds) * time.Second
	if suite := f.Want.Definition.TestSuite; suite != nil {
		limit += time.Duration(suite.TimeoutSeconds)*time.Second + taskGrace
	}
	if st.RetireAt == nil || st.RetireAt.Before(f.Now.Add(limit)) {
		at := f.Now.Add(limit + abandonAfter)
		return Decision{Do: RetireStack, Color: w.To, At: &at}, true
	}
	return Decision{}, false
}

// keepUp keeps what is to be switched to as it is to be. If it is gone, its target removed it,
// since nobody came back to it in time: then everything begins anew.
func (f Facts) keepUp() (Decision, bool) {
	if !f.seated() {
		return f.begin(true, "what was to be switched to was removed, since its time was up"), true
	}
	return f.bringUp()
}

// verifying waits for the health gate.
func (f Facts) verifying() Decision {
	w := f.Record.Swap
	if d, more := f.keepUp(); more {
		return d
	}
	st, limit := f.Seen.Stacks[w.To], time.Duration(f.Want.Policy.StartTimeoutSeconds)*time.Second
	broken, gap := broken(st), f.missing(st, !w.Reuse)
	switch {
	case gap == nil && w.Reuse:
		return Decision{Next: target.PhaseSwitching}
	case w.Reuse && f.waited() >= reuseLimit:
		return f.begin(false, "the fallback is not healthy")
	case w.Reuse:
		return Decision{Wait: true}
	case broken != nil:
		return Decision{Fail: broken.String()}
	case gap == nil:
		return Decision{Next: target.PhaseTesting}
	case f.waited() >= limit:
		return Decision{Fail: gap.within(limit)}
	}
	return Decision{Wait: true}
}

// testing runs the suite against the very instances that are to be switched to.
func (f Facts) testing() Decision {
	w := f.Record.Swap
	if d, more := f.keepUp(); more {
		return d
	}
	tested := *w
	tested.TestedSuite = f.Suite
	passed := Decision{Swap: &tested, Next: target.PhaseSwitching}
	switch gap := broken(f.Seen.Stacks[w.To]); {
	case w.TestedSuite == f.Suite:
		return passed
	case gap != nil:
		return Decision{Fail: "the candidate broke while it was tested: " + gap.String()}
	case f.Want.Definition.TestSuite == nil:
		passed.Note = "untested, as asked"
		return passed
	}
	return f.task(target.TaskTest, f.Want.Definition.Expand().TestSuite, "-"+f.Suite[:8], passed)
}

// task runs a task for this swap and goes on with passed when it passes. One that ended
// without an exit code is a failure if this run started it; one that another run left behind
// is run once more.
func (f Facts) task(kind string, t *target.Task, suffix string, passed Decision) Decision {
	if t == nil {
		return passed
	}
	w, n := f.Record.Swap, 0
	all := w.ID + "-" + kind
	base := all + suffix + "-"
	for _, key := range target.SortedKeys(f.Seen.Tasks) {
		switch {
		case strings.HasPrefix(key, base):
			n++
		case strings.HasPrefix(key, all):
			return Decision{Do: DeleteTask, Key: key} // of another suite
		}
	}
	key := base + strconv.Itoa(n)
	st, limit := f.Seen.Tasks[key], time.Duration(t.TimeoutSeconds)*time.Second
	foreign := !st.Running && st.ExitCode == nil && key != f.Started
	switch {
	case n == 0 || foreign:
		return Decision{Do: PutTask, Task: target.TaskSpec{
			Key: base + strconv.Itoa(n+1), Kind: kind, Slot: f.Want.ID(), Color: w.To, Release: w.Release, Task: *t,
		}}
	case st.Running && f.waited() < limit+taskGrace:
		return Decision{Wait: true}
	}
	if gap := verdict(st, limit); gap != nil {
		return Decision{Fail: gap.String()}
	}
	return passed
}
