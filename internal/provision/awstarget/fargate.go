package awstarget

import (
	"slices"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// sizes are the memories, in MiB, that Fargate has for each CPU, in units of 1/1024 vCPU
// (RegisterTaskDefinition).
var sizes = []struct{ cpu, least, most, step int }{
	{256, 512, 512, 512}, {256, 1024, 2048, 1024},
	{512, 1024, 4096, 1024},
	{1024, 2048, 8192, 1024},
	{2048, 4096, 16384, 1024},
	{4096, 8192, 30720, 1024},
	{8192, 16384, 61440, 4096},
	{16384, 32768, 122880, 8192},
}

// size is the smallest that has both, 0 where none was asked for; ok is false if there is none.
func size(cpu, memory int) (atLeastCPU, atLeastMemory int, ok bool) {
	for _, s := range sizes {
		if s.cpu < cpu || s.most < memory {
			continue
		}
		m := s.least
		for m < memory {
			m += s.step
		}
		return s.cpu, m, true
	}
	return 0, 0, false
}

// exactSize says whether Fargate has just what was asked for, as far as it was.
func exactSize(cpu, memory int) bool {
	c, m, ok := size(cpu, memory)
	return ok && (cpu == 0 || c == cpu) && (memory == 0 || m == memory)
}

// cpus lists the sizes of CPUs.
func cpus() []int {
	var all []int
	for _, s := range sizes {
		all = append(all, s.cpu)
	}
	return slices.Compact(all)
}

// memories lists what a CPU may have.
func memories(cpu int) []int {
	var all []int
	for _, s := range sizes {
		for m := s.least; s.cpu == cpu && m <= s.most; m += s.step {
			all = append(all, m)
		}
	}
	return all
}

// defaultPort is the port of a container that names none; it learns it from PORT as on local.
const defaultPort = 8080

func port(c target.Component) int {
	if c.Port == 0 {
		return defaultPort
	}
	return c.Port
}

// Bounds of the time between SIGTERM and SIGKILL on Fargate, in seconds (ContainerDefinition,
// stopTimeout).
const leastStop, mostStop = 2, 120
