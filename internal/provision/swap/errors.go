package swap

import (
	"fmt"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// FailedError says that a swap ended without its release taking the traffic. Its message is
// complete: what was awaited, what was seen last, what is true now.
type FailedError struct {
	Slot    target.SlotID
	Release string
	// Phase is where the swap was when it failed.
	Phase target.Phase
	// Reason is what went wrong, Truth what is the case now.
	Reason, Truth string
}

func (e *FailedError) Error() string {
	return fmt.Sprintf("Slot %q: release %s failed while %s: %s\n%s", e.Slot, e.Release, e.Phase, e.Reason, e.Truth)
}

// HoldError refuses a release that was rolled back and not released since. Nothing was touched.
type HoldError struct {
	Slot    target.SlotID
	Hold    target.Hold
	Serving string
}

func (e *HoldError) Error() string {
	return fmt.Sprintf("Slot %q: release %s was rolled back by %s at %s (%s) and is on hold. Release %s serves all traffic; nothing was touched.\n"+
		"To go on, set another release, or raise retry above %d to try this one again.",
		e.Slot, e.Hold.Release, e.Hold.By, e.Hold.At.UTC().Format(time.RFC3339), e.Hold.Reason, e.Serving, e.Hold.Retry)
}

// InterruptedError says that a run was ended from outside: by Ctrl-C or by a timeout.
type InterruptedError struct {
	Slot    target.SlotID
	Release string
	Phase   target.Phase
	Truth   string
	Cause   error
}

func (e *InterruptedError) Error() string {
	return fmt.Sprintf("Slot %q: the swap to release %s was interrupted while %s. %s (%v)", e.Slot, e.Release, e.Phase, e.Truth, e.Cause)
}

// Unwrap leads to context.Canceled or context.DeadlineExceeded.
func (e *InterruptedError) Unwrap() error { return e.Cause }

// NoFallbackError refuses a rollback for which nothing stands ready.
type NoFallbackError struct {
	Slot target.SlotID
	Why  string
}

func (e *NoFallbackError) Error() string {
	return fmt.Sprintf("Slot %q can't be rolled back: %s. To go back to an earlier release, set release to it and apply.", e.Slot, e.Why)
}
