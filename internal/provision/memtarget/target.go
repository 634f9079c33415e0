package memtarget

import (
	"context"
	"fmt"
	"time"

	deep "github.com/huandu/go-clone"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

var _ target.Driver = (*Target)(nil)

// Options changes a new installation; the zero value works.
type Options struct {
	// Clock is the clock of leases, deadlines and timeouts; the machine's if nil.
	Clock wait.Clock
	// Installation is the id of the first installation, "memory" if empty. One that is made
	// after it ended has another id.
	Installation string
	// LeaseTTL is what LeaseTTL returns, 15 s if zero.
	LeaseTTL time.Duration
	// EnvironmentReadyAfter is how many GetEnvironment calls find a new or changed
	// environment unfinished; with 0 the Put finishes it.
	EnvironmentReadyAfter int
}

// Target is one client of an installation in memory. It is safe for concurrent use.
type Target struct {
	store  *store
	faults *faults
}

// New makes an empty target, without an installation until the first region is put.
func New(o Options) *Target {
	if o.Clock == nil {
		o.Clock = wait.Real{}
	}
	if o.Installation == "" {
		o.Installation = "memory"
	}
	if o.LeaseTTL == 0 {
		o.LeaseTTL = 15 * time.Second
	}
	return &Target{store: newStore(o), faults: newFaults()}
}

// Client makes another client of the same target, with a count of calls and faults of its own.
func (t *Target) Client() *Target { return &Target{store: t.store, faults: newFaults()} }

// Installation returns the id of the installation, [target.ErrNoInstallation] if there is none.
func (t *Target) Installation(ctx context.Context) (string, error) {
	return call(ctx, t, reads, "Installation", func(s *store) (string, error) {
		return s.installation, s.known()
	})
}

// Where names the target in messages.
func (t *Target) Where() string { return fmt.Sprintf("memory target %q", t.store.options.Installation) }

// call makes one call of a method: it counts it, lets the fault that is due strike, runs op
// alone and copies its result.
func call[T any](ctx context.Context, t *Target, k kind, method string, op func(*store) (T, error)) (T, error) {
	var none T
	if ctx.Err() != nil {
		return none, context.Cause(ctx)
	}
	after, err := t.faults.strike(method, k)
	if err != nil {
		return none, err
	}
	t.store.mu.Lock()
	defer t.store.mu.Unlock()
	v, err := op(t.store)
	if after != nil {
		return none, after
	}
	if err != nil {
		return none, err
	}
	return deep.Clone(v).(T), nil
}

// do is call for methods that return nothing but an error. All of them change something.
func do(ctx context.Context, t *Target, method string, op func(*store) error) error {
	_, err := call(ctx, t, changes, method, func(s *store) (struct{}, error) { return struct{}{}, op(s) })
	return err
}
