package awstarget_test

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget/awstest"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/targettest"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	targettest.Run(t, harness())
}

func TestConformanceOverDirectConnections(t *testing.T) {
	t.Parallel()
	h := harness()
	h.Environment = func(t *testing.T, region, name string) target.Environment {
		e := environment(t, region, name)
		e.AWS.Database.Access = target.AccessDirect
		return e
	}
	targettest.Run(t, h, "account databases")
}

func harness() targettest.Harness {
	labs := sync.Map{} // by client
	of := func(d target.Driver) *lab {
		l, _ := labs.Load(d)
		return l.(*lab)
	}
	client := func(t *testing.T, l *lab) target.Driver {
		d := l.client(t)
		labs.Store(d, l)
		return d
	}
	return targettest.Harness{
		New:         func(t *testing.T) (target.Driver, wait.Clock) { return client(t, newLab(t)), wait.Real{} },
		Reopen:      func(t *testing.T, d target.Driver) target.Driver { return client(t, of(d)) },
		Environment: environment,
		Apps:        apps{},
		Location:    home,
		Patience:    2 * time.Minute,
		NotStickyBy: target.StickyByAccount,
		MeterPeriod: awstest.MeterPeriod,
		Request: func(t *testing.T, d target.Driver, _ target.EnvironmentID, host, path string) (string, int) {
			return of(d).request(t, host, path)
		},
		Secret: func(t *testing.T, d target.Driver, secretID string) string {
			login, err := d.(target.Secrets).ReadSecret(t.Context(), secretID)
			if err != nil {
				t.Fatal(err)
			}
			return login.Password
		},
		Vanish: func(t *testing.T, d target.Driver, id target.AccountDatabaseID) {
			// By another client: d keeps what it has read for its run.
			rec, err := of(d).client(t).GetAccountDatabase(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			awstest.Execute(t, "DROP DATABASE "+rec.Status.DatabaseName+" WITH (FORCE)")
		},
		PlantForeign: func(t *testing.T, d target.Driver, id target.AccountDatabaseID) {
			spec := target.AccountDatabase{Environment: id.Environment, Account: id.Account, Isolation: target.IsolationDatabase, ConnectionLimit: 1, CredentialVersion: 1}
			rec, err := d.PutAccountDatabase(t.Context(), spec, target.PutOptions{Owner: "to learn its name"})
			if err == nil {
				err = d.DeleteAccountDatabase(t.Context(), id)
			}
			if err != nil {
				t.Fatal(err)
			}
			awstest.Execute(t, "CREATE ROLE "+rec.Status.RoleName)
		},
		Leftovers: func(t *testing.T, d target.Driver) (all []string) {
			left := of(d).left(t, home)
			maps.DeleteFunc(left, func(kind string, n int) bool { return kind == "zone" && n == 1 || kind == "record" && n == 2 }) // of the lab
			for kind, n := range left {
				all = append(all, fmt.Sprint(n, " ", kind))
			}
			return all
		},
	}
}

// environment is a definition that can be built beside others.
func environment(_ *testing.T, region, name string) target.Environment {
	id := target.EnvironmentID{Region: region, Name: name}
	settings := target.DefaultAWS(target.KindSandbox)
	domain := id.Name + "." + id.Region
	if len(domain) > 40 { // ACM makes certificates for names of at most 64 characters
		domain = fmt.Sprintf("%x", sha256.Sum256([]byte(domain)))[:20]
	}
	return target.Environment{
		Region: region, Name: name, Kind: target.KindSandbox, Tenancy: target.TenancyMultiTenant,
		DomainName: domain + ".example.com", AWS: &settings,
		Network: target.Network{HTTPSPort: target.AWSHTTPSPort, PreviewPort: target.AWSPreviewPort},
	}
}

// apps are the images that every account of the emulator has.
type apps struct{}

// image is that of a component.
func (apps) image(name string) target.Component {
	return target.Component{
		Image: "registry.example.com/" + name + ":1", Port: 8080, CPU: 256, MemoryMiB: 512, Scaling: target.Scaling{Min: 1, Max: 3},
		// A load balancer checks every five seconds at most; a new target is healthy after one check.
		HealthCheck: &target.HealthCheck{Path: "/healthz", IntervalSeconds: 5, TimeoutSeconds: 2, HealthyThreshold: 1, UnhealthyThreshold: 2},
	}
}

func (a apps) Healthy() target.Component        { return a.image("well") }
func (a apps) NeverHealthy() target.Component   { return a.image("sick") }
func (a apps) CrashesAtStart() target.Component { return a.image("crash") }
func (a apps) MissingCommand() target.Component {
	c := a.image("well")
	c.Command = []string{"missing"}
	return c
}

func (a apps) Worker() target.Component {
	c := a.image("worker")
	c.Port, c.HealthCheck = 0, nil
	return c
}

func (a apps) Unbuildable() target.Component {
	c := a.image("well")
	c.Image, c.Command = "", []string{"sh"}
	return c
}

func (apps) task(command ...string) target.Task {
	return target.Task{Image: "registry.example.com/exit:1", Command: command}
}

func (a apps) TaskPasses() target.Task        { return a.task("0") }
func (a apps) TaskFails(code int) target.Task { return a.task(strconv.Itoa(code)) }
func (a apps) TaskHangs() target.Task         { return target.Task{Image: "registry.example.com/hang:1"} }
func (a apps) TaskMissing() target.Task       { return a.task("missing") }
