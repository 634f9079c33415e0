package awstarget

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func TestWhatAWSWouldRefuseIsRefusedBeforeIt(t *testing.T) {
	t.Parallel()
	const prefix = "slipway/eu/production/"
	arn := func(location, name string) string {
		return "arn:aws:secretsmanager:" + location + ":123456789012:secret:" + name
	}
	routed := func(host, path string) func(*target.Slot, *target.Component) {
		return func(_ *target.Slot, c *target.Component) { c.Routes = []target.Route{{Host: host, PathPrefix: path}} }
	}
	secret := func(arn string) func(*target.Slot, *target.Component) {
		return func(_ *target.Slot, c *target.Component) { c.Secrets = map[string]string{"KEY": arn} }
	}
	image := func(name string) func(*target.Slot, *target.Component) {
		return func(_ *target.Slot, c *target.Component) { c.Image = name }
	}
	check := func(h target.HealthCheck) func(*target.Slot, *target.Component) {
		return func(_ *target.Slot, c *target.Component) {
			c.Routes, c.HealthCheck = []target.Route{{PathPrefix: "/"}}, &h
		}
	}
	for _, c := range []struct {
		name   string
		change func(*target.Slot, *target.Component)
		want   string // the attribute at fault
	}{
		{"a plain component", func(*target.Slot, *target.Component) {}, ""},
		{"no size", func(_ *target.Slot, c *target.Component) { c.CPU, c.MemoryMiB = 0, 0 }, ""},
		{"half a size", func(_ *target.Slot, c *target.Component) { c.CPU, c.MemoryMiB = 1024, 0 }, ""},
		{"too little memory for the CPU", func(_ *target.Slot, c *target.Component) { c.CPU, c.MemoryMiB = 1024, 512 }, "components.web.memory_mib"},
		{"too much memory for the CPU", func(_ *target.Slot, c *target.Component) { c.CPU, c.MemoryMiB = 256, 4096 }, "components.web.memory_mib"},
		{"a CPU that there is not", func(_ *target.Slot, c *target.Component) { c.CPU, c.MemoryMiB = 300, 0 }, "components.web.cpu"},
		{"a step that there is not", func(_ *target.Slot, c *target.Component) { c.CPU, c.MemoryMiB = 8192, 18432 }, "components.web.memory_mib"},
		{"a CPU that is too large", func(_ *target.Slot, c *target.Component) { c.CPU, c.MemoryMiB = 32768, 0 }, "components.web.cpu"},
		{"a memory that there is not", func(_ *target.Slot, c *target.Component) { c.CPU, c.MemoryMiB = 0, 100 }, "components.web.memory_mib"},
		{"too much memory", func(_ *target.Slot, c *target.Component) { c.CPU, c.MemoryMiB = 0, 200000 }, "components.web.memory_mib"},
		{"an image with all parts", image("R.example.com:5000/shop/web_1:1.0-RC@sha256:" + strings.Repeat("0", 64)), ""},
		{"an image of Docker Hub", image("nginx"), ""},
		{"a space in an image", image("r.example.com/api :1"), "components.web.image"},
		{"capitals in an image's name", image("R.example.com/API:1"), "components.web.image"},
		{"more checks in a row than a load balancer needs", check(target.HealthCheck{TimeoutSeconds: 2, HealthyThreshold: 11, UnhealthyThreshold: 10}), ""},
		{"one failed check", check(target.HealthCheck{TimeoutSeconds: 2, UnhealthyThreshold: 1}), "components.web.health_check.unhealthy_threshold"},
		{"eleven failed checks", check(target.HealthCheck{TimeoutSeconds: 2, UnhealthyThreshold: 11}), "components.web.health_check.unhealthy_threshold"},
		{"a check that lasts longer than until the next", check(target.HealthCheck{IntervalSeconds: 5, TimeoutSeconds: 10, UnhealthyThreshold: 3}), "components.web.health_check.timeout_seconds"},
		{"a check of a worker", func(_ *target.Slot, c *target.Component) {
			c.HealthCheck = &target.HealthCheck{IntervalSeconds: 5, TimeoutSeconds: 60, UnhealthyThreshold: 1}
		}, ""},
		{"no image", func(_ *target.Slot, c *target.Component) { c.Image = "" }, "components.web.image"},
		{"a release that no tag can be", func(s *target.Slot, _ *target.Component) { s.Definition.Release = "1+2" }, "components.web.image"},
		{"no time to end", func(_ *target.Slot, c *target.Component) { c.StopTimeoutSeconds = 1 }, "components.web.stop_timeout_seconds"},
		{"the shortest end", func(_ *target.Slot, c *target.Component) { c.StopTimeoutSeconds = 2 }, ""},
		{"a long end", func(_ *target.Slot, c *target.Component) { c.StopTimeoutSeconds = 121 }, "components.web.stop_timeout_seconds"},
		{"a secret of the environment", secret(arn("eu-central-1", prefix+"key-AbCdEf")), ""},
		{"a part of a secret", secret(arn("eu-central-1", prefix+"key-AbCdEf:password::")), ""},
		{"a secret of another environment", secret(arn("eu-central-1", "slipway/eu/sandbox/key-AbCdEf")), "components.web.secrets.KEY"},
		{"a secret of another AWS region", secret(arn("us-east-1", prefix+"key-AbCdEf")), "components.web.secrets.KEY"},
		{"a secret of another AWS account", secret("arn:aws:secretsmanager:eu-central-1:999999999999:secret:" + prefix + "key-AbCdEf"), "components.web.secrets.KEY"},
		{"a file", secret("/secrets/key"), "components.web.secrets.KEY"},
		{"more than a task definition holds", func(_ *target.Slot, c *target.Component) {
			c.Environment = map[string]string{"LONG": strings.Repeat("x", 64<<10)}
		}, "components.web.environment"},
		{"a command that is longer than a task definition", func(_ *target.Slot, c *target.Component) {
			c.Environment, c.Command = map[string]string{"SHORT": "x"}, []string{"sh", "-c", strings.Repeat("x", 70_000)}
		}, "components.web.command"},
		{"two time zones", func(_ *target.Slot, c *target.Component) {
			c.Scaling.Schedules = []target.Schedule{{TimeZone: "Europe/Berlin"}, {TimeZone: "UTC"}}
		}, "components.web.scaling.schedules"},
		{"a long path", routed("", "/"+strings.Repeat("a", 126)), "components.web.routes.0.path_prefix"},
		{"a path with what no pattern has", routed("", "/a;b"), "components.web.routes.0.path_prefix"},
		{"a long name", routed(strings.Repeat("a", 40), "/"), "components.web.routes.0.host"},
		{"traffic by account", func(s *target.Slot, _ *target.Component) { s.Policy.StickyBy = target.StickyByAccount }, "swap.sticky_by"},
		{"a long drain", func(s *target.Slot, _ *target.Component) { s.Policy.DrainSeconds = 3601 }, "swap.drain_seconds"},
		{"a suite without an image", func(s *target.Slot, _ *target.Component) {
			s.Definition.TestSuite = &target.Task{Command: []string{"suite"}}
		}, "test_suite.image"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			web := target.Component{Image: "registry.example.com/web:{release}", CPU: 256, MemoryMiB: 1024}
			s := target.Slot{Definition: target.Definition{Release: "1"}}
			c.change(&s, &web)
			s.Definition.Components = map[string]target.Component{"web": web}
			var got []string
			domain := strings.Repeat("d", 85) + ".org"
			for _, f := range slotFaults(s, named{prefix: prefix, location: "eu-central-1", account: "123456789012", domain: domain}) {
				got = append(got, f.Path)
			}
			var want []string
			if c.want != "" {
				want = []string{c.want}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
}

func TestASizeIsTheSmallestThatFits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ cpu, memory, wantCPU, wantMemory int }{
		{0, 0, 256, 512}, {0, 600, 256, 1024}, {0, 3000, 512, 3072}, {1024, 0, 1024, 2048}, {300, 0, 512, 1024}, {16384, 122880, 16384, 122880},
	} {
		if cpu, memory, ok := size(c.cpu, c.memory); !ok || cpu != c.wantCPU || memory != c.wantMemory {
			t.Errorf("%d with %d: got %d with %d, want %d with %d", c.cpu, c.memory, cpu, memory, c.wantCPU, c.wantMemory)
		}
	}
	if _, _, ok := size(0, 200000); ok {
		t.Error("there is a size of 200000 MiB")
	}
}

func TestASuiteHasToReachTheLoadBalancer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		network *target.AWS
		want    target.Faults
	}{
		"inside":                         {&target.AWS{NAT: target.NATNone, Internal: true}, nil},
		"outside":                        {&target.AWS{NAT: target.NATSingle}, nil},
		"in a network that was given":    {&target.AWS{VPC: &target.AWSVPC{}}, nil},
		"in an environment not known":    {nil, nil},
		"outside, and there's no way so": {&target.AWS{NAT: target.NATNone, CIDRs: []string{"10.0.0.0/8"}}, target.Faults{{Path: "test_suite", Message: noWayOut}}},
	} {
		s := target.Slot{Definition: target.Definition{Release: "1", TestSuite: &target.Task{Image: "registry.example.com/suite:1"}}}
		if diff := cmp.Diff(c.want, slotFaults(s, named{network: c.network})); diff != "" {
			t.Errorf("%s: faults (-want +got):\n%s", name, diff)
		}
	}
}
