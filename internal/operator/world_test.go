package operator

import (
	"bytes"
	"strings"
	"testing"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/memtarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/targets"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

var (
	production = target.EnvironmentID{Region: "eu", Name: "production"}
	oms        = target.SlotID{Environment: production, Name: "oms"}
)

// world is a platform in memory with a slot, and whoever calls the commands.
type world struct {
	*testing.T
	*memtarget.Target
	*provision.Provisioner
	clock *wait.Fake
	// driver is what the commands work with.
	driver target.Driver
	// terminal says that the commands write to one.
	terminal bool
	// opened is what the last command was called with.
	opened targets.Settings
}

func newWorld(t *testing.T) *world {
	t.Helper()
	clock := wait.NewFake(noon)
	w := &world{T: t, clock: clock, Target: memtarget.New(memtarget.Options{Clock: clock})}
	w.driver = w.Target
	w.Provisioner = provision.New(w.Target, "the configuration", provision.Options{Clock: clock})
	_, _, err := w.CreateRegion(t.Context(), target.Region{Name: "eu", Location: "Frankfurt", Jurisdiction: "EU"})
	w.ok(err)
	_, _, err = w.CreateEnvironment(t.Context(), target.Environment{
		Region: "eu", Name: "production", Kind: target.KindProduction, Tenancy: target.TenancyMultiTenant,
		DomainName: production.DefaultDomainName(), Database: target.Database{MaxConnections: 100},
		Network: target.Network{ListenAddress: "127.0.0.1", HTTPSPort: 20443, PreviewPort: 28443},
	})
	w.ok(err)
	return w
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func slot(release string, change ...func(*target.Policy)) target.Slot {
	s := target.Slot{
		Environment: production, Name: "oms",
		Definition: target.Definition{
			Release: release, AllowUntested: true,
			Components: map[string]target.Component{"api": {
				Command: []string{"app"}, Scaling: target.Scaling{Min: 1, Max: 2}, Routes: []target.Route{{PathPrefix: "/"}},
				HealthCheck: &target.HealthCheck{Path: "/healthz", IntervalSeconds: 1, TimeoutSeconds: 1, HealthyThreshold: 1, UnhealthyThreshold: 1},
			}},
		},
		Policy: target.Policy{StartTimeoutSeconds: 60, DrainSeconds: 1, FallbackWindowSeconds: 600},
	}
	for _, c := range change {
		c(&s.Policy)
	}
	return s
}

// live brings releases live, one after the other.
func (w *world) live(releases ...string) {
	w.Helper()
	for i, r := range releases {
		if i == 0 {
			_, _, err := w.CreateSlot(w.Context(), slot(r))
			w.ok(err)
			continue
		}
		_, err := w.UpdateSlot(w.Context(), slot(r))
		w.ok(err)
	}
}

// call calls a command and returns what it printed.
func (w *world) call(args ...string) (code int, stdout, stderr string) {
	w.Helper()
	var out, errs bytes.Buffer
	code = Main(w.Context(), args, System{
		Stdout: &out, Stderr: &errs, Terminal: w.terminal, Clock: w.clock,
		Getenv: func(name string) string {
			return map[string]string{"USER": "kim", "SLIPWAY_DATA_DIR": "/nowhere"}[name]
		},
		Open: func(s targets.Settings) (target.Driver, error) { w.opened = s; return w.driver, nil },
	})
	return code, out.String(), errs.String()
}

// says wants a command to end with a code and to print every part.
func (w *world) says(code int, args []string, parts ...string) {
	w.Helper()
	got, stdout, stderr := w.call(args...)
	if got != code {
		w.Errorf("%q ended with code %d, want %d:\n%s%s", args, got, code, stdout, stderr)
	}
	for _, p := range parts {
		if !strings.Contains(stdout+stderr, p) {
			w.Errorf("%q does not say %q:\n%s%s", args, p, stdout, stderr)
		}
	}
}
