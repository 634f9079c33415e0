package memtarget_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/memtarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/targettest"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

var start = time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)

func harness(o memtarget.Options) targettest.Harness {
	return targettest.Harness{
		New: func(*testing.T) (target.Driver, wait.Clock) {
			own := o
			own.Clock = wait.NewFake(start)
			return memtarget.New(own), own.Clock
		},
		Reopen: func(_ *testing.T, d target.Driver) target.Driver { return d.(*memtarget.Target).Client() },
		Environment: func(_ *testing.T, region, name string) target.Environment {
			id := target.EnvironmentID{Region: region, Name: name}
			return target.Environment{
				Region: region, Name: name, Kind: target.KindProduction, Tenancy: target.TenancyMultiTenant,
				DomainName: id.DefaultDomainName(), Database: target.Database{MaxConnections: 100},
				Network: target.Network{ListenAddress: "127.0.0.1", HTTPSPort: id.DefaultHTTPSPort(), PreviewPort: id.DefaultPreviewPort()},
			}
		},
		Apps: apps{},
		Secret: func(_ *testing.T, d target.Driver, secretID string) string {
			return d.(*memtarget.Target).Secret(secretID)
		},
		Vanish: func(_ *testing.T, d target.Driver, id target.AccountDatabaseID) {
			d.(*memtarget.Target).VanishAccountDatabase(id)
		},
		PlantForeign: func(_ *testing.T, d target.Driver, id target.AccountDatabaseID) {
			d.(*memtarget.Target).PlantForeign(id)
		},
		Obstruct: func(_ *testing.T, d target.Driver, e target.Environment) {
			d.(*memtarget.Target).HinderEnvironment(e.ID(), "port is taken", true)
		},
		Request: func(_ *testing.T, d target.Driver, id target.EnvironmentID, host, path string) (string, int) {
			return d.(*memtarget.Target).Answer(id, host, path)
		},
		Leftovers: func(_ *testing.T, d target.Driver) []string { return d.(*memtarget.Target).Inventory() },
	}
}

// apps names the programs that the memory target knows.
type apps struct{}

func (apps) program(words ...string) target.Component {
	return target.Component{
		Command: words, Scaling: target.Scaling{Min: 1, Max: 3},
		HealthCheck: &target.HealthCheck{Path: "/healthz", IntervalSeconds: 1, TimeoutSeconds: 1, HealthyThreshold: 2, UnhealthyThreshold: 2},
	}
}

func (a apps) Healthy() target.Component        { return a.program("app") }
func (a apps) NeverHealthy() target.Component   { return a.program(memtarget.ProgramNeverHealthy) }
func (a apps) CrashesAtStart() target.Component { return a.program(memtarget.ProgramCrashes) }
func (a apps) MissingCommand() target.Component { return a.program(memtarget.ProgramMissing) }
func (a apps) Unbuildable() target.Component {
	c := a.program()
	c.Command, c.Image = nil, "app:1"
	return c
}

func (a apps) Worker() target.Component {
	c := a.program("worker")
	c.HealthCheck = nil
	return c
}

func (apps) TaskPasses() target.Task { return target.Task{Command: []string{"suite"}} }
func (apps) TaskHangs() target.Task  { return target.Task{Command: []string{memtarget.ProgramHangs}} }
func (apps) TaskMissing() target.Task {
	return target.Task{Command: []string{memtarget.ProgramMissing}}
}
func (apps) TaskFails(code int) target.Task {
	return target.Task{Command: []string{memtarget.ProgramExit, strconv.Itoa(code)}}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	for _, after := range []int{0, 3} {
		t.Run(fmt.Sprintf("environments are ready after %d more looks", after), func(t *testing.T) {
			t.Parallel()
			targettest.Run(t, harness(memtarget.Options{EnvironmentReadyAfter: after}))
		})
	}
}
