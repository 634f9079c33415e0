package decide

import (
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/swap/judge"
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
	// it began the watch that it is in, Moved when it set the share that is not watched yet, and
	// Trouble why its last effect has to be done again.
	Since   time.Time
	Started string
	Watched *time.Time
	Moved   *time.Time
	Trouble error
	// Repaired are the seats whose stack the present run has repaired, and when.
	Repaired map[target.Color]time.Time
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
	RepairStack Effect = "repair stack" // Decision.Stack, which somebody else has changed
	DeleteStack Effect = "delete stack" // Decision.Color
	RetireStack Effect = "retire stack" // Decision.Color at Decision.At
	PutTask     Effect = "put task"     // Decision.Task
	DeleteTask  Effect = "delete task"  // Decision.Key
	SetTraffic  Effect = "set traffic"  // Decision.Traffic
	Probe       Effect = "probe"        // the front door, for the release of the swap
	Answer      Effect = "answer"       // record what becomes of a request
	DropRequest Effect = "drop request" // Decision.Key
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
	// says that the release is not to come again by itself, HeldBy who wants that, "" for the
	// watch.
	Next   target.Phase
	Note   string
	Hold   bool
	HeldBy string
	// Fail is why the swap can't go on; it leads to aborting. Stop is why the run can't go
	// on where there is nothing to undo.
	Fail, Stop string
	// Wait means that there is nothing to do but to look again later.
	Wait bool
	// End means that nothing is left to do.
	End bool
}

// first is the first of the things on a list that is to be done: those that are so already
// are nil.
func first(list ...*Decision) *Decision {
	for _, d := range list {
		if d != nil {
			return d
		}
	}
	return nil
}

func wait() *Decision { return &Decision{Wait: true} }

func fail(why string) *Decision { return &Decision{Fail: why} }

func stop(why string) *Decision { return &Decision{Stop: why} }

func enter(p target.Phase, note string) *Decision { return &Decision{Next: p, Note: note} }

// swap is the swap under way, to be changed and recorded.
func (f Facts) swap() *target.Swap {
	w := *f.Record.Swap
	return &w
}

// waited is how long the run has been waiting.
func (f Facts) waited() time.Duration { return f.Now.Sub(f.Since) }

func (f Facts) startLimit() time.Duration { return seconds(f.Want.Policy.StartTimeoutSeconds) }

// Patient says whether an effect that the target can't do now is to be tried again.
func (f Facts) Patient() bool { return f.waited() < max(switchLimit, f.startLimit()) }

// missing says what keeps a stack from passing a gate, nil if it passes.
func (f Facts) missing(st target.StackStatus, g judge.Gate) *judge.Gap {
	return judge.Missing(st, g, seconds(f.Want.Policy.MinimumHealthySeconds), f.Seen.At)
}

// gate waits for a stack to pass a gate within the time to start; otherwise is what follows
// if it does not.
func (f Facts) gate(st target.StackStatus, g judge.Gate, otherwise func(string) *Decision) *Decision {
	switch gap := f.missing(st, g); {
	case gap == nil:
		return nil
	case f.waited() < f.startLimit():
		return wait()
	default:
		return otherwise(gap.Within(f.startLimit()))
	}
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }
