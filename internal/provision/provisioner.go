package provision

import (
	"context"
	"errors"
	"fmt"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// Provisioner provisions on one target on behalf of one owner. It is safe for concurrent use.
type Provisioner struct {
	driver target.Driver
	owner  string
	// held is another owner whose objects are this caller's too, "" for none.
	held  string
	clock wait.Clock
	pace  wait.Options
}

// Options changes how a Provisioner works; the zero value is right outside tests.
type Options struct {
	Clock wait.Clock
}

// New makes a Provisioner. Owner names the Terraform state that it works for; objects carry
// it, and an object of another owner is never adopted.
func New(driver target.Driver, owner string, o Options) *Provisioner {
	if o.Clock == nil {
		o.Clock = wait.Real{}
	}
	return &Provisioner{driver: driver, owner: owner, clock: o.Clock, pace: wait.Options{Clock: o.Clock}}
}

// Holding returns a Provisioner for a caller that holds objects in the name of another owner,
// as after an import, or a move of its configuration: it may change them, and they are its own
// owner's from then on.
func (p *Provisioner) Holding(owner string) *Provisioner {
	holding := *p
	holding.held = owner
	return &holding
}

// TakenError refuses to change or remove an object that belongs to somebody else by now.
type TakenError struct {
	Noun, ID string
	// Owner has it, Holder is who asked.
	Owner, Holder string
}

func (e *TakenError) Error() string {
	return fmt.Sprintf("%s %q belongs to %q and this is %q: another state has taken it over, so that nothing was changed", e.Noun, e.ID, e.Owner, e.Holder)
}

// mine refuses an object of somebody else.
func (p *Provisioner) mine(noun, id string, m target.Meta) error {
	if m.Owner == "" || m.Owner == p.owner || m.Owner == p.held {
		return nil
	}
	return &TakenError{noun, id, m.Owner, p.owner}
}

// Origin says how a create came to its object.
type Origin string

// Origins of a created object. State of a failed create may only be kept for a Made one.
const (
	Made    Origin = "made"    // this very call made it; after an error: it is unfinished and holds nothing
	Resumed Origin = "resumed" // an earlier call of this owner began it; after an error: or it may hold something
	Adopted Origin = "adopted" // an earlier call of this owner finished it and nothing was done to it since
)

// ExistsError refuses a create because the object is there and not for us to take.
type ExistsError struct {
	Noun, ID string
	// Owner is who has it; Why says what keeps it from being adopted.
	Owner, Why string
}

func (e *ExistsError) Error() string {
	return fmt.Sprintf("%s %q exists already: %s", e.Noun, e.ID, e.Why)
}

// claim decides whether a create may take over what exists.
func (p *Provisioner) claim(noun, id string, m target.Meta, same bool) (Origin, error) {
	switch {
	case m.Owner != p.owner:
		return "", &ExistsError{noun, id, m.Owner, fmt.Sprintf("it belongs to %q and this is %q", m.Owner, p.owner)}
	case m.Ending:
		return "", ending(noun, id)
	case !m.Ready:
		return Resumed, nil
	case !same:
		return "", &ExistsError{noun, id, m.Owner, "it has another definition than the one asked for"}
	case m.Generation != 1:
		return "", &ExistsError{noun, id, m.Owner, "it was changed since it was made"}
	}
	return Adopted, nil
}

// left is what there is after a create that ended in err, and whose it is. It is read on a context
// of its own, since err may come from the end of ctx. An object of somebody else, or that can't be
// read, is none.
func left[Record any](ctx context.Context, p *Provisioner, err error, get func(context.Context) (Record, target.Meta, error)) (Record, Origin, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), observeTimeout)
	defer cancel()
	rec, m, readErr := get(target.RecordsOnly(ctx))
	var none Record
	var made *target.MadeError
	switch {
	case readErr != nil || m.Owner != p.owner:
		return none, "", err
	case errors.As(err, &made) && !m.Ready:
		return rec, Made, err
	}
	return rec, Resumed, err
}

// ending refuses to change what is being removed.
func ending(noun, id string) error {
	return target.Errorf(target.ErrEnding, "%s %q is being removed and must be destroyed once more: some of it may be gone already", noun, id)
}

// missing says whether an error means that there is nothing yet.
func missing(err error) bool {
	return errors.Is(err, target.ErrNotFound) || errors.Is(err, target.ErrNoInstallation)
}
