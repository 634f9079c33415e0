package memtarget_test

import (
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/memtarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

var (
	region   = target.Region{Name: "eu", Location: "Frankfurt", Jurisdiction: "EU"}
	environ  = target.EnvironmentID{Region: "eu", Name: "production"}
	acme     = target.AccountDatabaseID{Environment: environ, Account: "acme"}
	oms      = target.SlotID{Environment: environ, Name: "oms"}
	by       = target.PutOptions{Owner: "the test"}
	database = target.AccountDatabase{
		Environment: environ, Account: "acme", Isolation: target.IsolationDatabase, ConnectionLimit: 5, CredentialVersion: 1,
	}
)

// fixture is a target with a region, an environment and the lease of a slot.
type fixture struct {
	*testing.T
	*memtarget.Target
	clock *wait.Fake
	lease target.Lease
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	clock := wait.NewFake(start)
	f := &fixture{T: t, clock: clock, Target: memtarget.New(memtarget.Options{Clock: clock})}
	_, err := f.PutRegion(t.Context(), region, by)
	f.ok(err)
	_, err = f.PutEnvironment(t.Context(), environment(environ), by)
	f.ok(err)
	f.lease, err = f.AcquireLease(t.Context(), oms, "token", "the test", time.Hour)
	f.ok(err)
	return f
}

func environment(id target.EnvironmentID) target.Environment {
	return target.Environment{
		Region: id.Region, Name: id.Name, Kind: target.KindProduction, Tenancy: target.TenancyMultiTenant,
		DomainName: id.DefaultDomainName(), Database: target.Database{MaxConnections: 100},
		Network: target.Network{ListenAddress: "127.0.0.1", HTTPSPort: id.DefaultHTTPSPort(), PreviewPort: id.DefaultPreviewPort()},
	}
}

func (f *fixture) ok(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// put puts a stack of one component of a program.
func (f *fixture) put(c target.Color, release string, command ...string) target.StackSpec {
	f.Helper()
	web := apps{}.program(command...)
	web.Routes = []target.Route{{PathPrefix: "/"}}
	d := target.Definition{Release: release, Components: map[string]target.Component{"web": web}, AllowUntested: true}
	fingerprint, err := d.Fingerprint(nil)
	f.ok(err)
	s := target.StackSpec{
		Slot: oms, Color: c, SwapID: "swap " + release, Definition: d, Fingerprint: fingerprint, Capacity: map[string]int{"web": 1},
	}
	f.ok(f.PutStack(f.Context(), s, f.lease))
	return s
}

// web observes the slot once and returns the instance of the seat.
func (f *fixture) web(c target.Color) target.InstanceStatus {
	f.Helper()
	obs, err := f.Observe(f.Context(), oms)
	f.ok(err)
	if len(obs.Stacks[c].Instances) != 1 {
		f.Fatalf("got %+v, want one instance", obs.Stacks[c])
	}
	return obs.Stacks[c].Instances[0]
}

// serve puts a healthy stack and lets it serve.
func (f *fixture) serve(c target.Color, release string) target.Switched {
	f.Helper()
	f.put(c, release, "app")
	for !f.web(c).Healthy {
	}
	s, err := f.SetTraffic(f.Context(), oms, target.Traffic{Color: c}, time.Minute, f.lease)
	f.ok(err)
	return s
}
