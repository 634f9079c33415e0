package provision_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/memtarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/swap"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// A platform from nothing: a region, an environment in it, the database of an account, and a
// slot with the first release. Another target is another driver; nothing else changes.
func Example() {
	ctx := context.Background()
	p := provision.New(memtarget.New(memtarget.Options{}), "the example", provision.Options{})

	if _, _, err := p.CreateRegion(ctx, target.Region{Name: "eu", Location: "Frankfurt", Jurisdiction: "EU"}); err != nil {
		fmt.Println(err)
		return
	}
	id := target.EnvironmentID{Region: "eu", Name: "production"}
	env, _, err := p.CreateEnvironment(ctx, target.Environment{
		Region: id.Region, Name: id.Name, Kind: target.KindProduction, Tenancy: target.TenancyMultiTenant,
		DomainName: id.DefaultDomainName(), Database: target.Database{MaxConnections: 100},
		Network: target.Network{ListenAddress: "127.0.0.1", HTTPSPort: 20443, PreviewPort: 28443},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	db, origin, err := p.CreateAccountDatabase(ctx, target.AccountDatabase{
		Environment: id, Account: "acme", DataResidency: []string{"EU"},
		Isolation: target.IsolationDatabase, ConnectionLimit: 20, CredentialVersion: 1,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(env.Status.URL)
	fmt.Println(db.Status.DatabaseName, origin)

	_, _, err = p.CreateAccountDatabase(ctx, target.AccountDatabase{
		Environment: id, Account: "globex", DataResidency: []string{"US"},
		Isolation: target.IsolationDatabase, ConnectionLimit: 20, CredentialVersion: 1,
	})
	fmt.Println(err)
	// Output:
	// https://production.eu.localhost:20443
	// a_acme made
	// data_residency: account "globex" may keep data in ["US"], and region "eu" is under jurisdiction "EU": choose an environment in another region, or add "EU" if the law allows it
}

// A release is swapped in beside the one that serves. One that does not come up is removed
// again, and its error says what was seen and what is true now.
func ExampleProvisioner_UpdateSlot() {
	ctx := context.Background()
	clock := wait.NewFake(time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC))
	p := provision.New(memtarget.New(memtarget.Options{Clock: clock}), "the example", provision.Options{Clock: clock})
	if _, _, err := p.CreateRegion(ctx, region()); err != nil {
		fmt.Println(err)
	}
	if _, _, err := p.CreateEnvironment(ctx, environment()); err != nil {
		fmt.Println(err)
	}
	if _, _, err := p.CreateSlot(ctx, slot()); err != nil {
		fmt.Println(err)
	}

	state, err := p.UpdateSlot(ctx, slot(release("2")))
	live, _ := state.Serving()
	fallback, _ := state.Fallback()
	fmt.Println(live.Spec.Definition.Release, "serves,", fallback.Spec.Definition.Release, "is kept until", fallback.RetireAt.Format(time.TimeOnly), err)

	_, err = p.UpdateSlot(ctx, slot(release("3"), broken))
	var failed *swap.FailedError
	fmt.Println(errors.As(err, &failed), failed.Phase)
	fmt.Println(err)
	// Output:
	// 2 serves, 1 is kept until 12:10:02 <nil>
	// true verifying
	// Slot "oms" of "eu/production": component "api" of release 3 can't be started (instance 1: program "missing" does not exist). Release 2 still serves all traffic; the candidate was removed. Put the cause right and apply again.
}

// A rollback sends the traffic back to the fallback in one switch and holds the release that
// it took away until somebody asks for another one, or for this one once more.
func ExampleProvisioner_RollBack() {
	ctx := context.Background()
	clock := wait.NewFake(time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC))
	p := provision.New(memtarget.New(memtarget.Options{Clock: clock}), "the example", provision.Options{Clock: clock})
	if _, _, err := p.CreateRegion(ctx, region()); err != nil {
		fmt.Println(err)
	}
	if _, _, err := p.CreateEnvironment(ctx, environment()); err != nil {
		fmt.Println(err)
	}
	if _, _, err := p.CreateSlot(ctx, slot()); err != nil {
		fmt.Println(err)
	}
	if _, err := p.UpdateSlot(ctx, slot(release("2"))); err != nil {
		fmt.Println(err)
	}

	state, err := p.RollBack(ctx, oms, "an operator", "orders were lost")
	live, _ := state.Serving()
	fmt.Println(live.Spec.Definition.Release, err)
	_, err = p.UpdateSlot(ctx, slot(release("2")))
	fmt.Println(err)
	// Output:
	// 1 <nil>
	// Slot "oms" of "eu/production": release 2 is on hold: an operator rolled it back at 2026-11-03T12:00:02Z (orders were lost). Release 1 serves all traffic; nothing was touched. To go on, set another release, or raise retry above 0 to try this one again.
}
