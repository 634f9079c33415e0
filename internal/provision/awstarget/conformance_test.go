package awstarget_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/targettest"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

func TestConformance(t *testing.T) {
	t.Parallel()
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
	targettest.Run(t, targettest.Harness{
		New:         func(t *testing.T) (target.Driver, wait.Clock) { return client(t, newLab(t)), wait.Real{} },
		Reopen:      func(t *testing.T, d target.Driver) target.Driver { return client(t, of(d)) },
		Environment: environment,
		Apps:        apps{},
		Location:    home,
		Patience:    2 * time.Minute,
		Lacks:       notYet,
	})
}

// notYet says what this target lacks for a test.
func notYet(group, test string) string {
	const databases, stacks = "there are no account databases yet", "there are no stacks yet"
	switch group {
	case "account databases":
		return databases
	case "effects", "stacks", "stacks that fail", "retirement", "tasks", "router", "traffic", "scaling", "routes", "names":
		return stacks
	}
	for part, lacks := range map[string]string{
		"nothing is left when":                      databases,
		"an environment with a database":            databases,
		"an environment whose databases":            databases,
		"an environment with nothing but leases":    stacks,
		"deleting a slot removes all that is in it": stacks,
		"the log of a component":                    stacks,
	} {
		if strings.HasPrefix(test, part) {
			return lacks
		}
	}
	return ""
}

// environment is a definition that can be built beside others.
func environment(_ *testing.T, region, name string) target.Environment {
	id := target.EnvironmentID{Region: region, Name: name}
	settings := target.DefaultAWS(target.KindSandbox)
	return target.Environment{
		Region: region, Name: name, Kind: target.KindSandbox, Tenancy: target.TenancyMultiTenant,
		DomainName: id.Name + "." + id.Region + ".example.com", AWS: &settings,
		Network: target.Network{HTTPSPort: target.AWSHTTPSPort, PreviewPort: target.AWSPreviewPort},
	}
}

// apps are containers. Nothing runs them: there are no stacks yet.
type apps struct{}

func (apps) container() target.Component {
	return target.Component{
		Image: "registry.example.com/app:{release}", Port: 8080, CPU: 256, MemoryMiB: 512, Scaling: target.Scaling{Min: 1, Max: 3},
		HealthCheck: &target.HealthCheck{Path: "/healthz", IntervalSeconds: 5, TimeoutSeconds: 2, HealthyThreshold: 2, UnhealthyThreshold: 2},
	}
}

func (a apps) Healthy() target.Component        { return a.container() }
func (a apps) NeverHealthy() target.Component   { return a.container() }
func (a apps) CrashesAtStart() target.Component { return a.container() }
func (a apps) MissingCommand() target.Component { return a.container() }
func (a apps) Worker() target.Component         { return a.container() }
func (a apps) Unbuildable() target.Component    { return a.container() }

func (apps) TaskPasses() target.Task     { return target.Task{Image: "registry.example.com/app:{release}"} }
func (a apps) TaskFails(int) target.Task { return a.TaskPasses() }
func (a apps) TaskHangs() target.Task    { return a.TaskPasses() }
func (a apps) TaskMissing() target.Task  { return a.TaskPasses() }
