package provision_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/memtarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

var (
	noon       = time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)
	production = target.EnvironmentID{Region: "eu", Name: "production"}
	acme       = target.AccountDatabaseID{Environment: production, Account: "acme"}
	oms        = target.SlotID{Environment: production, Name: "oms"}
)

func region(changes ...func(*target.Region)) target.Region {
	return changed(target.Region{Name: "eu", Location: "Frankfurt", Jurisdiction: "EU"}, changes)
}

func environment(changes ...func(*target.Environment)) target.Environment {
	return changed(target.Environment{
		Region: "eu", Name: "production", Kind: target.KindProduction, Tenancy: target.TenancyMultiTenant,
		DomainName: production.DefaultDomainName(), Database: target.Database{MaxConnections: 100},
		Network: target.Network{ListenAddress: "127.0.0.1", HTTPSPort: 20443, PreviewPort: 28443},
	}, changes)
}

func database(changes ...func(*target.AccountDatabase)) target.AccountDatabase {
	return changed(target.AccountDatabase{
		Environment: production, Account: "acme", Isolation: target.IsolationDatabase, ConnectionLimit: 5, CredentialVersion: 1,
	}, changes)
}

func slot(changes ...func(*target.Slot)) target.Slot {
	return changed(target.Slot{
		Environment: production, Name: "oms",
		Definition: target.Definition{
			Release: "1", AllowUntested: true,
			Components: map[string]target.Component{"api": {
				Command: []string{"app-{release}"}, Scaling: target.Scaling{Min: 1, Max: 1}, Routes: []target.Route{{PathPrefix: "/"}},
				HealthCheck: &target.HealthCheck{Path: "/healthz", IntervalSeconds: 1, TimeoutSeconds: 1, HealthyThreshold: 2, UnhealthyThreshold: 2},
			}},
		},
		Policy: target.Policy{StartTimeoutSeconds: 60, MinimumHealthySeconds: 1, DrainSeconds: 5, FallbackWindowSeconds: 600},
	}, changes)
}

func release(r string) func(*target.Slot) { return func(s *target.Slot) { s.Definition.Release = r } }

func changed[T any](v T, changes []func(*T)) T {
	for _, change := range changes {
		change(&v)
	}
	return v
}

// world is a target in memory and the provisioner of one owner on it.
type world struct {
	*testing.T
	*provision.Provisioner
	target *memtarget.Target
	clock  *wait.Fake
}

func newWorld(t *testing.T, o memtarget.Options) *world {
	t.Helper()
	clock := wait.NewFake(noon)
	o.Clock = clock
	m := memtarget.New(o)
	return &world{T: t, target: m, clock: clock, Provisioner: provision.New(m, "this state", provision.Options{Clock: clock})}
}

// built is a world with everything in it.
func built(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, memtarget.Options{})
	for _, n := range nouns() {
		_, err := n.create(w, w.Provisioner, "")
		w.ok(err)
	}
	return w
}

// of is the provisioner of another owner on the same target.
func (w *world) of(owner string) *provision.Provisioner {
	return provision.New(w.target.Client(), owner, provision.Options{Clock: w.clock})
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// refused wants an error of a kind whose message has all the parts.
func (w *world) refused(err, kind error, parts ...string) {
	w.Helper()
	if !errors.Is(err, kind) {
		w.Errorf("got error %v, want one that matches %v", err, kind)
	}
	w.says(err, parts...)
}

func (w *world) says(err error, parts ...string) {
	w.Helper()
	if err == nil {
		w.Error("got no error")
		return
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			w.Errorf("the message lacks %q:\n%v", p, err)
		}
	}
}
