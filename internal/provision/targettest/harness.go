package targettest

import (
	"slices"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// Harness is what the suite must be told of a target.
type Harness struct {
	// New makes an empty target, without an installation, and returns a client of it and the
	// clock it runs by. The harness removes the target, with whatever is left, when t ends.
	New func(t *testing.T) (target.Driver, wait.Clock)
	// Reopen makes another client of the target that d is a client of, as another process
	// would.
	Reopen func(t *testing.T, d target.Driver) target.Driver
	// Environment is the definition of an environment that can be built beside every other
	// one the harness returned: with free ports and a domain name of its own.
	Environment func(t *testing.T, region, name string) target.Environment
	Apps        Apps
	// Patience is how long anything may take by the target's clock; 30 s if zero.
	Patience time.Duration
	// Location is a place that the target can build in; any will do if empty.
	Location string
	// NotStickyBy is what the target can't divide traffic by, and refuses; "" if there is nothing.
	NotStickyBy target.StickyBy
	// MeterPeriod is the time that the target counts requests by, where it does so by the clock;
	// 0 if it begins to count anew with each SetTraffic.
	MeterPeriod time.Duration
	// Lacks says what the target lacks for a test, "" for one that it must pass.
	Lacks func(group, test string) string

	// The rest is optional: without it the tests that need it are skipped.

	// Secret returns the password that the secret id of an account database names.
	Secret func(t *testing.T, d target.Driver, secretID string) string
	// Vanish removes an account's database behind the driver's back.
	Vanish func(t *testing.T, d target.Driver, id target.AccountDatabaseID)
	// PlantForeign makes an object with the name that the account's database would have.
	PlantForeign func(t *testing.T, d target.Driver, id target.AccountDatabaseID)
	// Obstruct keeps an environment that is put after it from ever being finished.
	Obstruct func(t *testing.T, d target.Driver, e target.Environment)
	// Request sends a GET through the front door of the environment and returns the release
	// that answered, "" if none did, and the status code.
	Request func(t *testing.T, d target.Driver, id target.EnvironmentID, host, path string) (release string, status int)
	// Leftovers names what is there though everything was deleted.
	Leftovers func(t *testing.T, d target.Driver) []string
}

// Apps makes programs for the target. Components come without routes, for one to three
// instances, and with a health check where they take requests; its interval and thresholds
// decide how long the suite takes. Everything that differs between releases is added by the
// suite as a variable.
type Apps interface {
	// Healthy answers every request and check.
	Healthy() target.Component
	// NeverHealthy runs and fails every check.
	NeverHealthy() target.Component
	// CrashesAtStart writes a line and ends with exit code 1 as soon as it starts.
	CrashesAtStart() target.Component
	// MissingCommand names a program that does not exist.
	MissingCommand() target.Component
	// Worker takes no requests, has no health check and runs until it is stopped.
	Worker() target.Component
	// Unbuildable is something that this kind of target can't run at all.
	Unbuildable() target.Component

	// TaskPasses writes a line and ends with exit code 0.
	TaskPasses() target.Task
	// TaskFails writes a line and ends with a code.
	TaskFails(code int) target.Task
	// TaskHangs never ends by itself. The suite sets its timeout.
	TaskHangs() target.Task
	// TaskMissing names a program that does not exist.
	TaskMissing() target.Task
}

// Run runs the suite, or those of its groups that are named.
func Run(t *testing.T, h Harness, groups ...string) {
	t.Helper()
	if h.Patience == 0 {
		h.Patience = 30 * time.Second
	}
	if h.Location == "" {
		h.Location = "Frankfurt"
	}
	if h.Lacks == nil {
		h.Lacks = func(string, string) string { return "" }
	}
	for _, g := range []struct {
		name  string
		tests []test
	}{
		{"installations", installationTests()},
		{"regions", regionTests()},
		{"environments", environmentTests()},
		{"account databases", accountDatabaseTests()},
		{"slots", slotTests()},
		{"leases", leaseTests()},
		{"requests", requestTests()},
		{"effects", effectTests()},
		{"stacks", stackTests()},
		{"stacks that fail", failingStackTests()},
		{"retirement", retirementTests()},
		{"tasks", taskTests()},
		{"router", routerTests()},
		{"traffic", trafficTests()},
		{"scaling", scalingTests()},
		{"journals", journalTests()},
		{"routes", routeTests()},
		{"names", nameTests()},
	} {
		if len(groups) > 0 && !slices.Contains(groups, g.name) {
			continue
		}
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			shared := &group{Harness: h}
			shared.driver, shared.clock = h.New(t)
			for _, c := range g.tests {
				t.Run(c.name, func(t *testing.T) {
					if why := h.Lacks(g.name, c.name); why != "" {
						t.Skip(why)
					}
					c.run(&world{T: t, group: shared})
				})
			}
		})
	}
}

// test is one test; its name is a sentence.
type test struct {
	name string
	run  func(w *world)
}
