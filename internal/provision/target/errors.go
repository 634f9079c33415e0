package target

import (
	"errors"
	"fmt"
	"time"
)

// Sentinel errors of a driver. They are compared with errors.Is, never by their text.
var (
	// ErrNotFound: the object does not exist in a target that knows where to look.
	ErrNotFound = errors.New("not found")
	// ErrConflict: the object is at another generation or revision than the caller thought.
	ErrConflict = errors.New("changed by somebody else")
	// ErrForeign: an object is there that bears no mark of this installation.
	ErrForeign = errors.New("not made by this installation")
	// ErrNotEmpty: the object still holds others and can't be removed.
	ErrNotEmpty = errors.New("not empty")
	// ErrProtected: deletion protection is on.
	ErrProtected = errors.New("deletion protection is on")
	// ErrLeaseLost: the lease that came with an effect is not the valid one.
	ErrLeaseLost = errors.New("the lease is not held")
	// ErrServing: the effect would remove a stack that carries traffic.
	ErrServing = errors.New("the stack carries traffic")
	// ErrInvalid: the definition cannot be built on this target.
	ErrInvalid = errors.New("invalid")
	// ErrVanished: the object's record is there, what it describes is not.
	ErrVanished = errors.New("vanished")
	// ErrLost: what the target keeps of the object, and of all that is in it, can't be read, though it must be
	// there. Nothing of that may be said not to exist, or be made anew.
	ErrLost = errors.New("lost")
	// ErrNoInstallation: there is no installation of the target to look into.
	ErrNoInstallation = errors.New("no installation")
	// ErrEnding: the object's removal was begun and is not finished. It can be looked at and removed,
	// and nothing else.
	ErrEnding = errors.New("being removed")
	// ErrUnavailable: the target can't be reached or can't do it now; a later try may work.
	ErrUnavailable = errors.New("unavailable")
	// ErrSignIn: nothing of the target can be asked with the credentials that there are.
	ErrSignIn = errors.New("not signed in")
)

// LeaseHeldError says who holds a slot's lease. It matches [ErrConflict].
type LeaseHeldError struct {
	Slot  SlotID
	Lease Lease
}

func (e *LeaseHeldError) Error() string {
	return fmt.Sprintf("slot %q is held by %s until %s", e.Slot, e.Lease.Holder, e.Lease.ExpiresAt.UTC().Format(time.RFC3339))
}

// Is makes a held lease a conflict.
func (e *LeaseHeldError) Is(err error) bool { return err == ErrConflict }

// MadeError says of a Put that failed that this very call brought the object into being, and that
// nobody can have put anything into it as long as it is not ready: it can be removed without loss.
// It may have got ready all the same, if the answer that said so was lost. A driver that can't tell
// whose the object is returns the bare error.
type MadeError struct{ Err error }

func (e *MadeError) Error() string { return e.Err.Error() }
func (e *MadeError) Unwrap() error { return e.Err }

// MadeIf marks an error of a Put as a [MadeError] where made; nil stays nil.
func MadeIf(made bool, err error) error {
	if !made || err == nil {
		return err
	}
	return &MadeError{err}
}

// Error puts a sentinel under a message made for people: errors.Is finds the sentinel,
// Error prints the message only.
type Error struct {
	Kind    error
	Message string
}

func (e *Error) Error() string { return e.Message }
func (e *Error) Unwrap() error { return e.Kind }

// Errorf makes an [Error].
func Errorf(kind error, format string, args ...any) error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}
