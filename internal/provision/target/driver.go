package target

import (
	"context"
	"time"
)

// Driver is a place to build things in. Every method
//
//   - is safe to repeat after a crash or a lost answer,
//   - is safe to call from several goroutines and processes at once,
//   - returns as soon as ctx ends, with what it began left in a state that the same call
//     picks up again,
//   - reports an object that is not there as [ErrNotFound] only where it knows the
//     installation that would hold it, and as [ErrNoInstallation] otherwise.
//
// A Put of a region, an environment or an account database that could not finish what this very
// call began, and that is empty, returns [MadeError].
type Driver interface {
	Installations
	Regions
	Environments
	AccountDatabases
	Slots
	Leases
	Stacks
	Tasks
	Router
	Meters
	Requests
	Journals
	Logs
}

// Installations tells one installation of a target from another.
type Installations interface {
	// Installation returns the id of the installation, [ErrNoInstallation] if there is none;
	// the first Put makes one. One that ended with its last region keeps answering with its
	// id, until another begins: it is known to hold nothing, which one that went missing is
	// not. Where names what the driver looks into, for messages.
	Installation(ctx context.Context) (id string, err error)
	Where() string
}

// Paced is of drivers whose target limits, or bills, how often it is asked.
type Paced interface {
	// LookEvery is how long to wait between two looks at a slot while nothing can be done.
	LookEvery() time.Duration
}

// Regions holds regions.
type Regions interface {
	PutRegion(ctx context.Context, r Region, o PutOptions) (RegionRecord, error)
	GetRegion(ctx context.Context, id string) (RegionRecord, error)
	// DeleteRegion refuses with ErrNotEmpty while there are environments. Not found is success.
	DeleteRegion(ctx context.Context, id string) error
	ListRegions(ctx context.Context) ([]RegionRecord, error)
}

// Locations is of drivers whose target is not everywhere.
type Locations interface {
	// CheckRegion refuses with ErrInvalid a region whose location is unknown or can't be used.
	CheckRegion(ctx context.Context, r Region) error
}

// Tagging is of drivers that give everything the provider's tags too.
type Tagging interface {
	// TagFaults are those of tags beside the provider's. Roles says that they are an environment's, whose
	// roles bear them, too.
	TagFaults(tags map[string]string, roles bool) Faults
}

// Sites is of drivers that can tell before an apply what an environment would be refused for.
type Sites interface {
	// CheckEnvironment looks at what the definition names and somebody else looks after, in a
	// region that need not be there yet. It returns the definition's faults; an error says that
	// it could not look.
	CheckEnvironment(ctx context.Context, e Environment, r Region) (Faults, error)
}

// Rooms is of drivers that can tell before an apply what a slot would be refused for.
type Rooms interface {
	// SlotFaults are those of a slot by itself, in an environment and a region that need not be
	// there yet: what is zero of them, and of the slot's environment, is not known. It may look
	// where the region is.
	SlotFaults(ctx context.Context, s Slot, e Environment, r Region) Faults
	// CheckRoom returns the faults of a slot beside the others of its environment, which need not
	// be there yet, and beside what it is so far, which the others may have; an error says that it
	// could not look.
	CheckRoom(ctx context.Context, s Slot, others []Slot, r Region) (Faults, error)
}

// Environments holds environments. PutEnvironment may return before the environment is
// ready: the caller asks GetEnvironment until Meta.Ready, and Meta.Problem says meanwhile
// what keeps it. Putting again goes on where it stood.
type Environments interface {
	PutEnvironment(ctx context.Context, e Environment, o PutOptions) (EnvironmentRecord, error)
	GetEnvironment(ctx context.Context, id EnvironmentID) (EnvironmentRecord, error)
	// DeleteEnvironment refuses with ErrNotEmpty while there are databases that have not
	// vanished, or slots (leases and refused calls leave none), and with ErrProtected while
	// protected and ready. It returns when everything is gone.
	DeleteEnvironment(ctx context.Context, id EnvironmentID) error
	ListEnvironments(ctx context.Context) ([]EnvironmentRecord, error)
}

// AccountDatabases holds account databases. A Put returns when the database can be used.
type AccountDatabases interface {
	// PutAccountDatabase refuses with ErrVanished where the record is finished and the
	// database is gone, and with ErrForeign where an object of the name is not ours.
	PutAccountDatabase(ctx context.Context, d AccountDatabase, o PutOptions) (AccountDatabaseRecord, error)
	// GetAccountDatabase may answer from one catalogue query per environment and run.
	GetAccountDatabase(ctx context.Context, id AccountDatabaseID) (AccountDatabaseRecord, error)
	// DeleteAccountDatabase refuses with ErrProtected while protected and ready, unless the
	// database has vanished. It never touches an object that is not ours.
	DeleteAccountDatabase(ctx context.Context, id AccountDatabaseID) error
	ListAccountDatabases(ctx context.Context, environment EnvironmentID) ([]AccountDatabaseRecord, error)
}

// Slots holds the records of slots, each under its own revision.
type Slots interface {
	// PutSlot writes the record if the stored revision is r.Revision (0: none stored) and
	// the lease is valid, and returns it with the new revision. A write whose answer was
	// lost and is repeated succeeds: the stored record then already equals the one put.
	PutSlot(ctx context.Context, r SlotRecord, l Lease) (SlotRecord, error)
	GetSlot(ctx context.Context, id SlotID) (SlotRecord, error)
	// DeleteSlot removes the slot with its stacks, whatever serves, its journals and its lease. It
	// refuses with ErrProtected while protected and ready.
	DeleteSlot(ctx context.Context, id SlotID, l Lease) error
	ListSlots(ctx context.Context, environment EnvironmentID) ([]SlotRecord, error)
}

// Leases hands out the right to change a slot. A slot need not exist to be leased.
type Leases interface {
	// AcquireLease returns a lease of ttl, or *LeaseHeldError while somebody else's is valid.
	// Acquiring with a token that holds the lease renews it.
	AcquireLease(ctx context.Context, id SlotID, token, holder string, ttl time.Duration) (Lease, error)
	// ReleaseLease gives a lease back. One that is not held is success.
	ReleaseLease(ctx context.Context, id SlotID, token string) error
	// LeaseTTL is how long a lease lasts on this target.
	LeaseTTL() time.Duration
}

// Stacks brings up and takes down stacks. Each effect carries a lease and is refused with
// ErrLeaseLost if it is not valid at that moment.
type Stacks interface {
	// Fingerprint digests what makes a stack different from another: the components without
	// scaling and routes, "{release}" replaced, and where the target can tell, the artifacts.
	Fingerprint(ctx context.Context, d Definition) (string, error)
	// CheckSlot refuses with ErrInvalid a slot whose stacks can't be built here, whose policy
	// can't be followed here, or whose suite is to use an account that has no database.
	CheckSlot(ctx context.Context, s Slot) error
	// PutStack makes the seat hold this stack and may return before its instances run. The
	// same fingerprint and swap in the seat: routes, scaling and capacity change in place.
	// The capacity is the fewest instances: above it the target scales by load by itself.
	// Another one in the seat: ErrConflict; it must be removed first.
	PutStack(ctx context.Context, s StackSpec, l Lease) error
	// DeleteStack stops and removes what sits in the seat and returns when it is gone. It
	// refuses with ErrServing what carries traffic, or a share of it. An empty seat is success.
	DeleteStack(ctx context.Context, id SlotID, c Color, l Lease) error
	// RetireStack sets when the target removes the stack by itself; nil: never. It never
	// removes what carries traffic.
	RetireStack(ctx context.Context, id SlotID, c Color, at *time.Time, l Lease) error
	// Observe sees everything of a slot. A slot without anything is an empty observation.
	Observe(ctx context.Context, id SlotID) (Observation, error)
}

// Tasks runs programs once.
type Tasks interface {
	// PutTask starts the task unless one with its key was started before.
	PutTask(ctx context.Context, t TaskSpec, l Lease) error
	// DeleteTask stops the task if it runs and forgets it. An unknown key is success.
	DeleteTask(ctx context.Context, id SlotID, key string, l Lease) error
}

// Router is the one commit point.
type Router interface {
	// SetTraffic divides a slot's traffic in one write. It refuses with ErrInvalid a share
	// that is none, and with ErrConflict a seat that is to carry more than it does and has a
	// routed component without a healthy instance. It takes back the retirement of every seat
	// that is to carry traffic. It returns as soon as the traffic is divided so: what a stack that
	// lost its share was asked before it goes on answering, for drain at least, and
	// StackStatus.InFlight counts. Setting what is set already changes nothing. Observations
	// then say Serving = t.Color and Percent = t.Percent.
	SetTraffic(ctx context.Context, id SlotID, t Traffic, drain time.Duration, l Lease) (Switched, error)
	// ProbeFrontDoor sends one request per routed component through the production entrance,
	// from where the entrance lets requests in.
	ProbeFrontDoor(ctx context.Context, id SlotID) (Probe, error)
}
