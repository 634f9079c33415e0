package awstarget

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// noAccounts is why the traffic can't be divided by account here.
const noAccounts = "a load balancer of AWS can't send everybody of one host name the same way: set sticky_by to \"client\", or remove it"

// noWayOut is why a test suite would never pass. A name with a certificate leads to the public addresses
// of a load balancer that has some, inside the VPC too.
const noWayOut = "the suite runs in private subnets of an environment with aws.nat = \"none\", and could never reach its load balancer, which has public addresses: set aws.nat to \"single\" or \"per_zone\", which changes in place, or make the environment with aws.internal = true; without a suite, allow_untested is needed"

// limit is a rule of AWS that its service models do not have. Check returns what is wrong with a
// thing, "" for nothing.
type limit[T any] struct {
	// attribute is where the thing's fault is, page the AWS page with the rule.
	attribute, page string
	check           func(v T) string
}

// named is a component with what surrounds it.
type named struct {
	target.Component
	// What is "" of these is not known: the AWS region and account, what the names of the
	// environment's secrets begin with, and its domain name.
	location, account, prefix, domain string
	// network is the environment's, nil where that is not known.
	network *target.AWS
}

// imageWord is a part of an image's name, between two slashes.
const imageWord = `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`

var (
	// imageRegexp is of a registry, a name, a tag and a digest, all but the name optional.
	imageRegexp  = regexp.MustCompile(`^([A-Za-z0-9.-]+(:[0-9]+)?/)?` + imageWord + `(/` + imageWord + `)*(:\w[\w.-]{0,127})?(@[a-z0-9]+:[0-9a-f]{32,})?$`)
	secretRegexp = regexp.MustCompile(`^arn:aws[a-z-]*:secretsmanager:([a-z0-9-]+):(\d{12}):secret:([A-Za-z0-9/_+=.@-]+)(:[^:]*:[^:]*:[^:]*)?$`)
	pathPattern  = regexp.MustCompile(`^[A-Za-z0-9_.$/~"'@:+&-]*$`)
)

var (
	imageLimit       = limit[named]{"image", "ContainerDefinition", func(c named) string { return imageFault(c.Image) }}
	environmentLimit = limit[named]{"environment", "RegisterTaskDefinition", func(c named) string { return documentFault(c, false) }}
	commandLimit     = limit[named]{"command", "RegisterTaskDefinition", func(c named) string { return documentFault(c, true) }}
)

// componentLimits are those of a component, whose placeholders have been replaced.
var componentLimits = []limit[named]{
	imageLimit,
	{"cpu", "RegisterTaskDefinition", func(c named) string { return cpuFault(c.CPU) }},
	{"memory_mib", "RegisterTaskDefinition", func(c named) string { return memoryFault(c.CPU, c.MemoryMiB) }},
	{"stop_timeout_seconds", "ContainerDefinition", func(c named) string {
		if n := c.StopTimeoutSeconds; n != 0 && n < leastStop || n > mostStop {
			return fmt.Sprintf("%d is out of range: Fargate waits %d to %d seconds", n, leastStop, mostStop)
		}
		return ""
	}},
	{"health_check.timeout_seconds", "Health checks for your target groups", func(c named) string { return timeoutFault(c.Component) }},
	{"health_check.unhealthy_threshold", "Health checks for your target groups", func(c named) string { return thresholdFault(c.Component) }},
	environmentLimit, commandLimit,
	{"scaling.schedules", "Schedule recurring scaling actions using cron expressions", func(c named) string {
		for _, v := range c.Scaling.Schedules {
			if v.TimeZone != c.Scaling.Schedules[0].TimeZone {
				return fmt.Sprintf("the schedules are in time zones %q and %q: AWS has one for each action and adds nothing up; give all schedules of a component the same", c.Scaling.Schedules[0].TimeZone, v.TimeZone)
			}
		}
		return ""
	}},
}

// taskLimits are those of migrations and test suites.
var taskLimits = []limit[named]{imageLimit, environmentLimit, commandLimit}

// policyLimits are those of how a slot swaps.
var policyLimits = []limit[target.Policy]{
	{"swap.sticky_by", "Target groups for your Application Load Balancers", func(p target.Policy) string {
		if p.StickyBy == target.StickyByAccount {
			return noAccounts
		}
		return ""
	}},
	{"swap.drain_seconds", "Edit target group attributes for your Application Load Balancer", func(p target.Policy) string {
		if p.DrainSeconds > 3600 {
			return fmt.Sprintf("%d is out of range: a load balancer waits 3600 seconds at most", p.DrainSeconds)
		}
		return ""
	}},
}

// documentFault is of a task definition that is too large: 64 KiB are allowed. It is the command's where that
// is the longer part, else the environment's.
func documentFault(c named, ofCommand bool) string {
	const most = 60 << 10 // the rest is ours
	variables, words := 0, 0
	for k, v := range c.Environment {
		variables += len(k) + len(v)
	}
	for _, v := range c.Command {
		words += len(v)
	}
	if size := variables + words; size > most && ofCommand == (words > variables) {
		return fmt.Sprintf("the variables and the command have %d bytes: %d fit into a task definition; keep what is long in the image or in a secret", size, most)
	}
	return ""
}

// CheckSlot implements target.Stacks. It asks AWS only about the environment, if that is there.
func (t *Target) CheckSlot(ctx context.Context, s target.Slot) error {
	w, err := t.openSlot(ctx, s.ID())
	if err != nil && !errors.Is(err, target.ErrNotFound) && !errors.Is(err, target.ErrNoInstallation) {
		return err
	}
	in := named{prefix: secretsOf(s.Environment)}
	if w != nil {
		in.location, in.account, in.domain, in.network = w.clients.region, w.clients.account, w.spec.DomainName, w.spec.AWS
	}
	f := slotFaults(s, in)
	if w != nil {
		more, err := w.quotas(ctx, s)
		if err != nil {
			return err
		}
		f = append(f, more...)
	}
	if err := f.Err(); err != nil || w == nil {
		return err
	}
	if suite := s.Definition.TestSuite; suite != nil && suite.Account != "" {
		_, err = w.lent(ctx, suite.Account)
	}
	return err
}

// slotFaults are the faults of a slot by the tables.
func slotFaults(s target.Slot, in named) target.Faults {
	var f target.Faults
	d := s.Definition.Expand()
	for _, name := range target.SortedKeys(d.Components) {
		in.Component = d.Components[name]
		path := "components." + name + "."
		f = append(f, faults(path, componentLimits, in)...)
		f = append(append(f, secretFaults(path, in)...), routeFaults(path, in)...)
	}
	for path, t := range map[string]*target.Task{"migrate.": d.Migrate, "test_suite.": d.TestSuite} {
		if t != nil {
			in.Component = target.Component{Image: t.Image, Command: t.Command, Environment: t.Environment, Secrets: t.Secrets}
			f = append(append(f, faults(path, taskLimits, in)...), secretFaults(path, in)...)
		}
	}
	if d.TestSuite != nil && in.network != nil && in.network.NAT == target.NATNone && !in.network.Internal {
		f = append(f, target.Fault{Path: "test_suite", Message: noWayOut})
	}
	return append(f, faults("", policyLimits, s.Policy)...)
}

func faults[T any](path string, limits []limit[T], v T) target.Faults {
	var f target.Faults
	for _, l := range limits {
		if wrong := l.check(v); wrong != "" {
			f = append(f, blame(path+l.attribute, l.page, "%s", wrong))
		}
	}
	return f
}

// blame is a fault with the AWS page that says so.
func blame(path, page, format string, args ...any) target.Fault {
	return target.Fault{Path: path, Message: fmt.Sprintf("%s (AWS: %q)", fmt.Sprintf(format, args...), page)}
}
