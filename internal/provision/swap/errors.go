package swap

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// What to do, and what happens by itself, as the last sentence of a message.
const (
	putRight   = " Put the cause right and apply again."
	applyAgain = " Apply again to go on."
	goesOn     = " The next apply goes on from there."
	// watchedAgain follows the truth about a degraded release.
	watchedAgain = " Apply again to have it judged once more, or set another release, which goes ahead at once."
)

// FailedError says that a run ended without making what was asked. Its message is complete:
// what was awaited, what was seen last, what is true now, what to do.
type FailedError struct {
	Slot    target.SlotID
	Release string
	// Phase is where the swap was when it failed, "" if none was under way.
	Phase target.Phase
	// Reason is what went wrong, Truth what is the case now and what to do.
	Reason, Truth string
	// Err is what the target reported, nil if it was not an error that made the swap fail.
	Err error
}

func (e *FailedError) Error() string {
	return fmt.Sprintf("%s: %s%s%s", slotWords(e.Slot), e.Reason, stop(e.Reason), e.Truth)
}

// Unwrap leads to what the target reported.
func (e *FailedError) Unwrap() error { return e.Err }

// HoldError refuses a release that was rolled back and not released since. Nothing was touched.
type HoldError struct {
	Slot target.SlotID
	Hold target.Hold
	// Serving is the release that serves, "" if none does.
	Serving string
}

func (e *HoldError) Error() string {
	serving := fmt.Sprintf("Release %s serves all traffic", e.Serving)
	switch e.Serving {
	case "":
		serving = "Nothing serves in this slot"
	case e.Hold.Release:
		serving = "An earlier definition of it serves all traffic"
	}
	return fmt.Sprintf("%s: release %s is on hold: %s rolled it back at %s (%s). %s; nothing was touched. "+
		"To go on, set another release, or raise retry above %d to try this one again.",
		slotWords(e.Slot), e.Hold.Release, e.Hold.By, e.Hold.At.UTC().Format(time.RFC3339), target.FirstLine(e.Hold.Reason), serving, e.Hold.Retry)
}

// InterruptedError says that a run was ended from outside: by Ctrl-C, by a timeout, or by
// the loss of its lease.
type InterruptedError struct {
	Slot target.SlotID
	// Release is what the swap was to bring, Phase where it was; "" before a swap began.
	Release string
	Phase   target.Phase
	// Truth is what is the case now, Next what to do about it, or what happens by itself; "" where
	// whoever reports it knows better.
	Truth, Next string
	Cause       error
}

func (e *InterruptedError) Error() string {
	what := "the change was interrupted"
	if e.Phase != "" {
		what = fmt.Sprintf("the swap to release %s was interrupted while %s", e.Release, strings.ReplaceAll(string(e.Phase), "_", " "))
	}
	return fmt.Sprintf("%s: %s%s. %s%s", slotWords(e.Slot), what, wait.Interruption(e.Cause), e.Truth, e.Next)
}

// Unwrap leads to [context.Canceled], [context.DeadlineExceeded] or [target.ErrLeaseLost].
func (e *InterruptedError) Unwrap() error { return e.Cause }

// lostHealth is why a rollback was given up on its way.
const lostHealth = "what served before lost its health on the way"

// NoFallbackError refuses a rollback for which nothing stands ready.
type NoFallbackError struct {
	Slot target.SlotID
	Why  string
}

func (e *NoFallbackError) Error() string {
	return fmt.Sprintf("%s can't be rolled back: %s%sNothing was changed. To go back to an earlier release, set release to it and apply.", slotWords(e.Slot), e.Why, stop(e.Why))
}

// NotWaitingError refuses a promotion of what does not wait for one.
type NotWaitingError struct {
	Slot target.SlotID
	Why  string
}

func (e *NotWaitingError) Error() string {
	return fmt.Sprintf("%s has nothing to promote: %s. Nothing was changed. To bring a release, set release to it and apply.", slotWords(e.Slot), e.Why)
}

// isOutcome says that an error is the end that a run came to by itself.
func isOutcome(err error) bool {
	var failed *FailedError
	var held *HoldError
	var interrupted *InterruptedError
	var none *NoFallbackError
	var idle *NotWaitingError
	return errors.As(err, &failed) || errors.As(err, &held) || errors.As(err, &interrupted) || errors.As(err, &none) || errors.As(err, &idle)
}

func slotWords(id target.SlotID) string {
	return fmt.Sprintf("Slot %q of %q", id.Name, id.Environment)
}

// stop ends a sentence, or a block of lines.
func stop(text string) string {
	if strings.Contains(text, "\n") {
		return "\n\n"
	}
	return ". "
}

// truth is what is the case now, in sentences.
func (r *run) truth(seen target.Observation) string {
	w := r.record.Swap
	if w == nil {
		w = &target.Swap{}
	}
	serving, serves := seen.Stacks[seen.Serving]
	other, stands := seen.Stacks[seen.Serving.Other()]
	release := serving.Spec.Definition.Release
	switch {
	case !serves:
		release = "Nothing serves in this slot"
	case seen.Percent > 0:
		return fmt.Sprintf("Release %s serves %d %% of the traffic and release %s the other %d %%.", release, 100-seen.Percent, other.Spec.Definition.Release, seen.Percent)
	case w.Phase == target.PhaseRolledBack:
		return fmt.Sprintf("Release %s serves all traffic again; release %s was removed and is on hold: set another release, or raise retry above %d to try it once more.", release, w.Release, r.record.Asked.Retry)
	case w.Phase == target.PhaseRollingBack:
		release = fmt.Sprintf("Release %s serves all traffic", release)
	case seen.Serving == w.To && !w.Phase.Finished():
		release = fmt.Sprintf("Release %s has taken the traffic", release)
	case seen.Serving == w.From && w.ID != "":
		release = fmt.Sprintf("Release %s still serves all traffic", release)
	default:
		release = fmt.Sprintf("Release %s serves all traffic", release)
	}
	switch {
	case w.Phase != target.PhaseFailed:
		return release + "."
	case stands && r.record.Passed[other.Spec.Color].SwapID == other.Spec.SwapID:
		return fmt.Sprintf("%s, and the fallback, release %s, still stands.", release, other.Spec.Definition.Release)
	}
	return release + "; the candidate was removed" + slowly(w) + "."
}

// slowRemoval is how long the removal of a candidate may take without a word.
const slowRemoval = 5 * time.Second

// slowly says how long the removal of a failed candidate took, if that was long.
func slowly(w *target.Swap) string {
	n := len(w.Steps)
	if n < 2 || w.Steps[n-2].Phase != target.PhaseAborting {
		return ""
	}
	took := w.Steps[n-1].At.Sub(w.Steps[n-2].At)
	if took < slowRemoval {
		return ""
	}
	return fmt.Sprintf(" (which took %s: it was slow to end when it was asked to)", took.Round(time.Second))
}
