package swap

import (
	"fmt"
	"strings"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// Facts is all that a decision is made from.
type Facts struct {
	// Want is what is asked, with the fingerprint of its definition and the digest of its suite.
	Want        target.Slot
	Fingerprint string
	Suite       string
	Record      target.SlotRecord
	Seen        target.Observation
	Now         time.Time
	// NewID is the id that a swap gets if one begins.
	NewID string
}

// Effect is what a decision asks to be done: at most one thing, safe to repeat.
type Effect string

// The effects.
const (
	None        Effect = ""
	Begin       Effect = "begin"        // record a new swap
	PutStack    Effect = "put stack"    // Decision.Stack
	DeleteStack Effect = "delete stack" // Decision.Color
	RetireStack Effect = "retire stack" // Decision.Color at Decision.At
	PutTask     Effect = "put task"     // Decision.Task
	DeleteTask  Effect = "delete task"  // Decision.Key
	Serve       Effect = "serve"        // Decision.Color
	Probe       Effect = "probe"        // the front door, for the release of Decision.Color
)

// Decision is the next thing to do, and the phase to record when it is done.
type Decision struct {
	Do    Effect
	Color target.Color
	Stack target.StackSpec
	Task  target.TaskSpec
	Key   string
	At    *time.Time
	// Swap is the swap to record: a new one for Begin, else the current one where it changes.
	Swap *target.Swap
	// Next is the phase to go to once Do is done; Note goes into the journal with it.
	Next target.Phase
	Note string
	// Fail is why the swap can't go on. It leads to aborting before the switch.
	Fail string
	// Wait means that there is nothing to do but to look again later.
	Wait bool
	// End means that nothing is left to do.
	End bool
}

// Decide is the whole policy of a swap. It reads no clock and touches nothing.
func Decide(f Facts) Decision {
	w := f.Record.Swap
	if w == nil || w.Phase.Finished() {
		return f.idle()
	}
	switch w.Phase {
	case target.PhaseAborting:
		return f.aborting()
	case target.PhaseRollingBack:
		return f.rollingBack()
	}
	if w.Release != f.Want.Definition.Release || w.Fingerprint != f.Fingerprint {
		if w.Phase == target.PhaseSwitching && f.Seen.Serving == w.To {
			return f.switching() // it passed every gate and serves: finish it, then start anew
		}
		return Decision{Fail: fmt.Sprintf("release %s was asked for meanwhile", f.Want.Definition.Release)}
	}
	switch w.Phase {
	case target.PhasePreparing:
		return f.preparing()
	case target.PhaseMigrating:
		return f.migrating()
	case target.PhaseStarting, target.PhaseVerifying:
		return f.starting()
	case target.PhaseTesting:
		return f.testing()
	case target.PhaseSwitching:
		return f.switching()
	}
	return Decision{Fail: fmt.Sprintf("phase %q is not known to this version", w.Phase)}
}

// idle decides where no swap is under way.
func (f Facts) idle() Decision {
	serving, ok := f.Seen.Stacks[f.Seen.Serving]
	if !ok || serving.Spec.Definition.Release != f.Want.Definition.Release || serving.Spec.Fingerprint != f.Fingerprint {
		return f.begin()
	}
	if want := f.inPlace(serving); !target.Same(want, serving.Spec) {
		return Decision{Do: PutStack, Stack: want}
	}
	other := f.Seen.Serving.Other()
	if st, there := f.Seen.Stacks[other]; there {
		leftover := f.Record.Passed[other].SwapID != st.Spec.SwapID
		overdue := st.RetireAt != nil && f.Now.After(*st.RetireAt)
		if leftover || overdue {
			return Decision{Do: DeleteStack, Color: other}
		}
	}
	return Decision{End: true}
}

// inPlace is the serving stack as it is to be without a swap.
func (f Facts) inPlace(st target.StackStatus) target.StackSpec {
	spec := st.Spec
	spec.Definition = f.Want.Definition
	spec.Capacity = map[string]int{}
	for name, c := range f.Want.Definition.Components {
		spec.Capacity[name] = min(max(st.Spec.Capacity[name], c.Scaling.Min), c.Scaling.Max)
	}
	spec.HoldWorkers = false
	return spec
}

func (f Facts) begin() Decision {
	from := f.Seen.Serving
	to := from.Other()
	w := &target.Swap{
		ID: f.NewID, Phase: target.PhasePreparing,
		Release: f.Want.Definition.Release, Fingerprint: f.Fingerprint,
		From: from, FromRelease: f.Seen.Stacks[from].Spec.Definition.Release, To: to,
		StartedAt: f.Now, PhaseAt: f.Now,
		Steps: []target.Step{{Phase: target.PhasePreparing, At: f.Now}},
	}
	if st, ok := f.Seen.Stacks[to]; ok && from != "" {
		passed := f.Record.Passed[to]
		w.Reuse = st.Spec.Definition.Release == w.Release && st.Spec.Fingerprint == w.Fingerprint &&
			passed.SwapID == st.Spec.SwapID && passed.Release == w.Release && passed.Fingerprint == w.Fingerprint
	}
	return Decision{Do: Begin, Swap: w}
}

// preparing empties the seat, or readies the fallback in it.
func (f Facts) preparing() Decision {
	w := f.Record.Swap
	for _, key := range target.SortedKeys(f.Seen.Tasks) {
		if !strings.HasPrefix(key, w.ID) {
			return Decision{Do: DeleteTask, Key: key}
		}
	}
	st, there := f.Seen.Stacks[w.To]
	switch {
	case w.Reuse && !there:
		fresh := *w
		fresh.Reuse = false
		return Decision{Swap: &fresh, Note: "the fallback is gone: a new stack is brought up"}
	case w.Reuse:
		if want := f.spec(w, st.Spec.SwapID, st.Spec.HoldWorkers); !target.Same(want, st.Spec) {
			return Decision{Do: PutStack, Stack: want}
		}
		return Decision{Next: target.PhaseVerifying, Note: "the fallback stands: nothing to bring up"}
	case there && st.Spec.SwapID != w.ID:
		return Decision{Do: DeleteStack, Color: w.To}
	case f.Want.Definition.Migrate != nil:
		return Decision{Next: target.PhaseMigrating}
	}
	return Decision{Next: target.PhaseStarting}
}

// spec is the candidate's stack. Its capacity is the live stack's, not its own minimum.
func (f Facts) spec(w *target.Swap, swapID string, holdWorkers bool) target.StackSpec {
	capacity := map[string]int{}
	for name, c := range f.Want.Definition.Components {
		live := f.Seen.Stacks[w.From].Spec.Capacity[name]
		capacity[name] = min(max(c.Scaling.Min, live), c.Scaling.Max)
	}
	return target.StackSpec{
		Slot: f.Want.ID(), Color: w.To, SwapID: swapID, Definition: f.Want.Definition,
		Fingerprint: f.Fingerprint, Capacity: capacity, HoldWorkers: holdWorkers,
	}
}

func (f Facts) migrating() Decision {
	return f.task(target.TaskMigrate, f.Want.Definition.Migrate, "", Decision{Next: target.PhaseStarting})
}

func (f Facts) testing() Decision {
	w := f.Record.Swap
	if f.Suite == w.TestedSuite {
		return Decision{Next: target.PhaseSwitching}
	}
	tested := *w
	tested.TestedSuite = f.Suite
	passed := Decision{Swap: &tested, Next: target.PhaseSwitching}
	if f.Want.Definition.TestSuite == nil {
		passed.Note = "untested, as asked"
		return passed
	}
	if why := f.broken(f.Seen.Stacks[w.To]); why != "" {
		return Decision{Fail: "the candidate broke while it was tested: " + why}
	}
	return f.task(target.TaskTest, f.Want.Definition.TestSuite, "-"+f.Suite[:8], passed)
}

// task runs a task once for this swap and goes on with passed when it passes.
func (f Facts) task(kind string, t *target.Task, suffix string, passed Decision) Decision {
	w := f.Record.Swap
	if t == nil {
		return passed
	}
	key := w.ID + "-" + kind + suffix
	st, there := f.Seen.Tasks[key]
	limit := time.Duration(t.TimeoutSeconds) * time.Second
	switch {
	case !there:
		expanded := f.Want.Definition.Expand()
		task := expanded.Migrate
		if kind == target.TaskTest {
			task = expanded.TestSuite
		}
		return Decision{Do: PutTask, Task: target.TaskSpec{Key: key, Kind: kind, Slot: f.Want.ID(), Color: w.To, Release: w.Release, Task: *task}}
	case st.Running && f.Now.Sub(st.StartedAt) < limit:
		return Decision{Wait: true}
	}
	if why := verdict(st, limit); why != "" {
		return Decision{Fail: taskWords[kind] + " " + why + lines(st.LastLines)}
	}
	return passed
}

// abandonAfter is how much longer than its own limits a candidate may stand before its
// target removes it without us.
const abandonAfter = 15 * time.Minute

// starting puts the candidate and waits for the health gate.
func (f Facts) starting() Decision {
	w, d := f.Record.Swap, f.Want.Definition
	st, there := f.Seen.Stacks[w.To]
	if !there || st.Spec.SwapID != w.ID && !w.Reuse {
		if w.Phase == target.PhaseVerifying {
			return Decision{Fail: "the candidate vanished"}
		}
		return Decision{Do: PutStack, Stack: f.spec(w, w.ID, true)}
	}
	if !w.Reuse && st.RetireAt == nil {
		limit := time.Duration(f.Want.Policy.StartTimeoutSeconds) * time.Second
		if d.TestSuite != nil {
			limit += time.Duration(d.TestSuite.TimeoutSeconds) * time.Second
		}
		at := f.Now.Add(limit + abandonAfter)
		return Decision{Do: RetireStack, Color: w.To, At: &at}
	}
	if why := f.broken(st); why != "" {
		return Decision{Fail: why}
	}
	missing := f.missing(st, !w.Reuse)
	switch {
	case missing == "" && w.Reuse:
		return Decision{Next: target.PhaseSwitching}
	case missing == "" && w.Phase == target.PhaseStarting:
		return Decision{Next: target.PhaseVerifying}
	case missing == "":
		return Decision{Next: target.PhaseTesting}
	case w.Phase == target.PhaseStarting && running(st):
		return Decision{Next: target.PhaseVerifying}
	}
	timeout := time.Duration(f.Want.Policy.StartTimeoutSeconds) * time.Second
	if f.Now.Sub(startedAt(w)) >= timeout {
		return Decision{Fail: fmt.Sprintf("%s within %s", missing, timeout)}
	}
	return Decision{Wait: true}
}
