package swap

import (
	"maps"
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
)

// preparing empties the seat, or readies the fallback in it.
func (f Facts) preparing() Decision {
	w := f.Record.Swap
	if d, more := f.tidy(w.ID); more {
		return d
	}
	st, there := f.Seen.Stacks[w.To]
	switch {
	case w.Reuse && !f.seated():
		return f.begin(true, "the fallback is gone")
	case w.Reuse:
		want := st.Spec // its size follows after the switch, which comes first
		want.Definition = f.Want.Definition
		if !target.Same(want, st.Spec) {
			return Decision{Do: PutStack, Stack: want}
		}
		return Decision{Next: target.PhaseVerifying, Note: "the fallback stands: nothing to bring up"}
	case there && st.Spec.SwapID != w.ID:
		return f.remove(w.To)
	case f.Want.Definition.Migrate != nil:
		return Decision{Next: target.PhaseMigrating}
	}
	return Decision{Next: target.PhaseStarting}
}

// seated says whether the stack that the swap is to switch to sits where it should.
func (f Facts) seated() bool {
	w := f.Record.Swap
	st, there := f.Seen.Stacks[w.To]
	if w.Reuse {
		return there && st.Spec.SwapID == f.Record.Passed[w.To].SwapID
	}
	return there && st.Spec.SwapID == w.ID
}

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

// bringUp makes the candidate what it is to be: as large as the live stack is now, without
// workers, and with a deadline in case that nobody comes back to it.
func (f Facts) bringUp() (Decision, bool) {
	w, st := f.Record.Swap, f.Seen.Stacks[f.Record.Swap.To]
	if w.Reuse {
		return Decision{}, false
	}
	if d, more := f.putCandidate(100); more {
		return d, true
	}
	limit := seconds(f.Want.Policy.StartTimeoutSeconds)
	if suite := f.Want.Definition.TestSuite; suite != nil {
		limit += seconds(suite.TimeoutSeconds) + taskGrace
	}
	if st.RetireAt == nil || st.RetireAt.Before(f.Now.Add(limit)) {
		at := f.Now.Add(limit + abandonAfter)
		return Decision{Do: RetireStack, Color: w.To, At: &at}, true
	}
	return Decision{}, false
}

// putCandidate puts the candidate with a part of the size that it is to have. At its full
// size it does not follow a live stack that gets smaller; with a part of it its own minimum
// is lowered as well, and schedules don't count.
func (f Facts) putCandidate(percent int) (Decision, bool) {
	w, st := f.Record.Swap, f.Seen.Stacks[f.Record.Swap.To]
	want := target.StackSpec{
		Slot: f.Want.ID(), Color: w.To, SwapID: w.ID, Fingerprint: f.Fingerprint,
		Definition: f.Want.Definition, HoldWorkers: true,
	}
	want.Definition.Components = maps.Clone(want.Definition.Components)
	live := size(f.Seen.Stacks[w.From])
	for name, c := range f.Want.Definition.Components {
		n := live[name]
		if percent == 100 && f.seated() {
			n = max(n, st.Spec.Capacity[name])
		}
		if percent < 100 {
			n = (max(n, c.Scaling.Min)*percent + 99) / 100
			c.Scaling.Min, c.Scaling.Schedules = min(c.Scaling.Min, n), nil
			want.Definition.Components[name] = c
		}
		if n = min(n, c.Scaling.Max); n > 0 {
			if want.Capacity == nil {
				want.Capacity = map[string]int{}
			}
			want.Capacity[name] = n
		}
	}
	return Decision{Do: PutStack, Stack: want}, !f.seated() || !target.Same(want, st.Spec)
}

// size is how many instances each component of a stack is to have now.
func size(st target.StackStatus) map[string]int {
	if st.Scale != nil {
		return st.Scale
	}
	return st.Spec.Capacity
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
	how := steadily
	if w.Reuse {
		how = routed
	}
	st, limit := f.Seen.Stacks[w.To], seconds(f.Want.Policy.StartTimeoutSeconds)
	broken, gap := broken(st), f.missing(st, how)
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
	changed := *w
	passed := Decision{Swap: &changed, Next: target.PhaseSwitching}
	if !f.approved() {
		passed.Next = target.PhaseAwaitingApproval
	}
	switch gap := broken(f.Seen.Stacks[w.To]); {
	case f.tested() && !f.renewed():
		return passed
	case gap != nil:
		return Decision{Fail: "the candidate broke while it was tested: " + gap.String()}
	case w.TestedAt != nil: // another suite, or other instances: what was passed counts no more
		if d, more := f.forget(w.ID + "-" + target.TaskTest); more {
			return d
		}
		changed.TestedAt, changed.TestedSuite = nil, ""
		return Decision{Swap: &changed}
	}
	changed.TestedAt, changed.TestedSuite = &f.Seen.At, f.Suite
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

// forget ends the tasks whose keys begin so.
func (f Facts) forget(prefix string) (Decision, bool) {
	for _, key := range target.SortedKeys(f.Seen.Tasks) {
		if strings.HasPrefix(key, prefix) {
			return Decision{Do: DeleteTask, Key: key}, true
		}
	}
	return Decision{}, false
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
	st, limit := f.Seen.Tasks[key], seconds(t.TimeoutSeconds)
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
