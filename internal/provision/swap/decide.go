package swap

import (
	"fmt"
	"strings"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// Facts is all that a decision is made from.
type Facts struct {
	// Want is what is asked, with the fingerprint of its definition and the digest of its
	// suite; By is who asks.
	Want        target.Slot
	Fingerprint string
	Suite       string
	By          string
	Record      target.SlotRecord
	Seen        target.Observation
	Now         time.Time
	// Since is when the present run last got something done, at first when it began: time
	// limits count from it. Started is the key of the task that it started last, Watched when
	// it began the watch that it is in, and Trouble why its last effect has to be done again.
	Since   time.Time
	Started string
	Watched *time.Time
	Trouble error
	// Recent is what each seat answered over the window of the guardrails, Whole since the
	// watch of the present share began; nil while nothing is judged.
	Recent, Whole map[target.Color]target.Measurement
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
	SetTraffic  Effect = "set traffic"  // Decision.Traffic
	Probe       Effect = "probe"        // the front door, for the release of the swap
)

// Decision is the next thing to do, and what to record when it is done.
type Decision struct {
	Do      Effect
	Color   target.Color
	Stack   target.StackSpec
	Task    target.TaskSpec
	Traffic target.Traffic
	Key     string
	At      *time.Time
	// Swap is the swap to record: a new one for Begin, else the current one where it changes.
	Swap *target.Swap
	// Next is the phase to go to once Do is done; Note goes into the journal with it. Hold
	// says that the release is not to come again by itself.
	Next target.Phase
	Note string
	Hold bool
	// Fail is why the swap can't go on; it leads to aborting. Stop is why the run can't go
	// on where there is nothing to undo.
	Fail, Stop string
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
	decide, known := map[target.Phase]func() Decision{
		target.PhasePreparing:        f.preparing,
		target.PhaseMigrating:        f.migrating,
		target.PhaseStarting:         f.starting,
		target.PhaseVerifying:        f.verifying,
		target.PhaseTesting:          f.testing,
		target.PhaseAwaitingApproval: f.awaitingApproval,
		target.PhaseSwitching:        f.switching,
		target.PhaseWatching:         f.watching,
		target.PhaseDegraded:         f.degraded,
		target.PhaseAborting:         f.aborting,
		target.PhaseRollingBack:      f.rollingBack,
	}[w.Phase]
	switch committed := f.reached() > 0; {
	case !known:
		return Decision{Stop: fmt.Sprintf("the swap to release %s is in phase %q, which this version of Slipway does not know: finish it with the version that began it", w.Release, w.Phase)}
	case w.Phase == target.PhaseAborting, w.Phase == target.PhaseRollingBack:
		return decide()
	case committed && f.superseded():
		return f.replaced()
	case f.superseded():
		return Decision{Fail: f.meanwhile()}
	case !committed && f.Seen.Serving != w.From:
		return f.begin(true, "another stack serves than when the swap began")
	}
	return decide()
}

// superseded says that the swap is not on its way to what is wanted.
func (f Facts) superseded() bool {
	w := f.Record.Swap
	return w.Release != f.Want.Definition.Release || w.Fingerprint != f.Fingerprint
}

func (f Facts) meanwhile() string {
	return fmt.Sprintf("release %s was asked for meanwhile", f.Want.Definition.Release)
}

// undoable says that a swap is before its commit point, its first share of the traffic.
func (f Facts) undoable() bool {
	w := f.Record.Swap
	if w == nil || w.Phase.Finished() || f.reached() > 0 {
		return false
	}
	switch w.Phase {
	case target.PhaseRollingBack, target.PhaseAwaitingApproval, target.PhaseWatching, target.PhaseDegraded:
		return false
	}
	return true
}

// waited is how long the run has been waiting.
func (f Facts) waited() time.Duration { return f.Now.Sub(f.Since) }

// patience is how long an effect is tried that the target can't do now.
func (f Facts) patience() time.Duration {
	return max(switchLimit, seconds(f.Want.Policy.StartTimeoutSeconds))
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

// idle decides where no swap is under way.
func (f Facts) idle() Decision {
	color, other := f.Seen.Serving, f.Seen.Serving.Other()
	serving, ok := f.Seen.Stacks[color]
	switch {
	case ok && f.Seen.Percent > 0:
		return Decision{Do: SetTraffic, Traffic: target.Traffic{Color: color}}
	case !ok || serving.Spec.Definition.Release != f.Want.Definition.Release || serving.Spec.Fingerprint != f.Fingerprint:
		return f.begin(true, "")
	}
	if d, more := f.handOver(other, color); more {
		return d
	}
	if d, more := f.free(color, f.Want.Definition); more {
		return d
	}
	if st, there := f.Seen.Stacks[other]; there {
		leftover := f.Record.Passed[other].SwapID != st.Spec.SwapID
		overdue := st.RetireAt != nil && !f.Seen.At.Before(*st.RetireAt)
		if leftover || overdue {
			return f.remove(other)
		}
	}
	if d, more := f.tidy(""); more {
		return d
	}
	limit := seconds(f.Want.Policy.StartTimeoutSeconds)
	switch gap := f.missing(serving, all); {
	case gap == nil:
		return Decision{End: true}
	case f.waited() < limit:
		return Decision{Wait: true}
	default:
		return Decision{Stop: gap.within(limit)}
	}
}

// free makes a stack what its definition says and lets its size follow its load.
func (f Facts) free(c target.Color, d target.Definition) (Decision, bool) {
	st, there := f.Seen.Stacks[c]
	want := st.Spec
	want.Definition, want.Capacity = d, nil
	return Decision{Do: PutStack, Stack: want}, there && !target.Same(want, st.Spec)
}

// remove removes a stack once it has answered what it was asked, or was given the time for it.
func (f Facts) remove(c target.Color) Decision {
	if f.Seen.Stacks[c].InFlight > 0 && f.waited() < seconds(f.Want.Policy.DrainSeconds) {
		return Decision{Wait: true}
	}
	return Decision{Do: DeleteStack, Color: c}
}

// tidy ends the tasks of all swaps but one.
func (f Facts) tidy(swapID string) (Decision, bool) {
	for _, key := range target.SortedKeys(f.Seen.Tasks) {
		if swapID == "" || !strings.HasPrefix(key, swapID) {
			return Decision{Do: DeleteTask, Key: key}, true
		}
	}
	return Decision{}, false
}

// begin starts a swap to what is wanted: to the fallback, if it is that and may be used.
func (f Facts) begin(reuse bool, note string) Decision {
	from := f.Seen.Serving
	to := from.Other()
	w := &target.Swap{
		ID: f.NewID, Phase: target.PhasePreparing,
		Release: f.Want.Definition.Release, Fingerprint: f.Fingerprint,
		From: from, FromRelease: f.Seen.Stacks[from].Spec.Definition.Release, To: to,
		StartedAt: f.Now, PhaseAt: f.Now,
		Steps: []target.Step{{Phase: target.PhasePreparing, At: f.Now, Note: note}},
	}
	st, there := f.Seen.Stacks[to]
	passed := f.Record.Passed[to]
	w.Reuse = reuse && there && from != "" && passed.SwapID == st.Spec.SwapID &&
		passed.Release == w.Release && passed.Fingerprint == w.Fingerprint
	return Decision{Do: Begin, Swap: w, Note: note}
}
