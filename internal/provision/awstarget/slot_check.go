package awstarget

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// noAccounts is why the traffic can't be divided by account here.
const noAccounts = "a load balancer of AWS can't send everybody of one host name the same way: set sticky_by to \"client\", or remove it"

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
	location, prefix, domain string
}

var (
	imageRegexp  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/#:@-]{0,254}$`)
	secretRegexp = regexp.MustCompile(`^arn:aws[a-z-]*:secretsmanager:([a-z0-9-]+):\d{12}:secret:([A-Za-z0-9/_+=.@-]+)(:[^:]*:[^:]*:[^:]*)?$`)
	pathPattern  = regexp.MustCompile(`^[A-Za-z0-9_.$/~"'@:+&-]*$`)
)

// componentLimits are those of a component, whose placeholders have been replaced.
var componentLimits = []limit[named]{
	{"image", "ContainerDefinition", func(c named) string { return imageFault(c.Image) }},
	{"cpu", "RegisterTaskDefinition", func(c named) string {
		switch _, _, ok := size(c.CPU, c.MemoryMiB); {
		case exactSize(c.CPU, c.MemoryMiB):
			return ""
		case !ok || c.CPU != 0 && !slices.Contains(cpus(), c.CPU):
			return fmt.Sprintf("Fargate has no task of cpu %d and memory_mib %d: cpu can be one of %v", c.CPU, c.MemoryMiB, cpus())
		case c.CPU == 0:
			return fmt.Sprintf("Fargate has no task of memory_mib %d: choose one of %v, or another with a cpu", c.MemoryMiB, memories(256))
		}
		return fmt.Sprintf("Fargate has no task of cpu %d with memory_mib %d: with this cpu memory_mib can be one of %v", c.CPU, c.MemoryMiB, memories(c.CPU))
	}},
	{"stop_timeout_seconds", "ContainerDefinition", func(c named) string {
		if c.StopTimeoutSeconds > mostStop {
			return fmt.Sprintf("%d is out of range: Fargate waits %d seconds at most", c.StopTimeoutSeconds, mostStop)
		}
		return ""
	}},
	{"secrets", "Pass Secrets Manager secrets through Amazon ECS environment variables", func(c named) string {
		return secretsFault(c.Secrets, c.location, c.prefix)
	}},
	{"environment", "RegisterTaskDefinition", func(c named) string { return documentFault(c.Environment, c.Command) }},
	{"scaling.schedules", "Schedule recurring scaling actions using cron expressions", func(c named) string {
		for _, v := range c.Scaling.Schedules {
			if v.TimeZone != c.Scaling.Schedules[0].TimeZone {
				return fmt.Sprintf("the schedules are in time zones %q and %q: AWS has one for each action and adds nothing up; give all schedules of a component the same", c.Scaling.Schedules[0].TimeZone, v.TimeZone)
			}
		}
		return ""
	}},
	{"routes", "HostHeaderConditionConfig", func(c named) string {
		for _, r := range c.Routes {
			for _, v := range conditions(r.Normal(), c.domain)[0].values {
				if n := utf8.RuneCountInString(v); n > 128 {
					return fmt.Sprintf("the host name %q has %d characters: a load balancer compares 128 at most", v, n)
				}
			}
		}
		return ""
	}},
	{"routes", "PathPatternConditionConfig", func(c named) string {
		for _, r := range c.Routes {
			p := r.Normal().PathPrefix
			if !pathPattern.MatchString(p) || len(p+"/*") > 128 {
				return fmt.Sprintf("a load balancer can't compare the path_prefix %q: it may have 126 characters, which are letters, digits and _ - . $ / ~ ' @ : + &", p)
			}
		}
		return ""
	}},
}

// taskLimits are those of migrations and test suites.
var taskLimits = []limit[named]{componentLimits[0], componentLimits[3], componentLimits[4]}

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

func imageFault(image string) string {
	switch {
	case image == "":
		return "this target runs images: set image, and command only to replace the image's own"
	case !imageRegexp.MatchString(image):
		return fmt.Sprintf("%q is not the name of an image: letters, digits and . _ / : # @ - are allowed, up to 255 characters, and so they are in a release that is put into it", image)
	}
	return ""
}

func secretsFault(secrets map[string]string, location, prefix string) string {
	for _, k := range target.SortedKeys(secrets) {
		m := secretRegexp.FindStringSubmatch(secrets[k])
		switch {
		case m == nil:
			return fmt.Sprintf("%s: %q is not the ARN of a secret in Secrets Manager, such as arn:aws:secretsmanager:REGION:ACCOUNT:secret:%sNAME-AbCdEf", k, secrets[k], prefix)
		case location != "" && m[1] != location:
			return fmt.Sprintf("%s: the secret is in %s, and tasks can read only those of %s", k, m[1], location)
		case !strings.HasPrefix(m[2], prefix):
			return fmt.Sprintf("%s: tasks of this environment may read only secrets whose names begin with %q, not %q", k, prefix, m[2])
		}
	}
	return ""
}

// documentFault is of a task definition that is too large: 64 KiB are allowed.
func documentFault(environment map[string]string, command []string) string {
	const most = 60 << 10 // the rest is ours
	size := 0
	for k, v := range environment {
		size += len(k) + len(v)
	}
	for _, v := range command {
		size += len(v)
	}
	if size > most {
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
	in := named{prefix: "slipway/" + s.Environment.Region + "/" + s.Environment.Name + "/"}
	if w != nil {
		in.location, in.domain = w.clients.region, w.spec.DomainName
	}
	f := slotFaults(s, in)
	if w != nil {
		more, err := w.quotas(ctx, s)
		if err != nil {
			return err
		}
		f = append(f, more...)
	}
	return f.Err()
}

// slotFaults are the faults of a slot by the tables.
func slotFaults(s target.Slot, in named) target.Faults {
	var f target.Faults
	d := s.Definition.Expand()
	for _, name := range target.SortedKeys(d.Components) {
		in.Component = d.Components[name]
		f = append(f, faults("components."+name+".", componentLimits, in)...)
	}
	for path, t := range map[string]*target.Task{"migrate.": d.Migrate, "test_suite.": d.TestSuite} {
		if t != nil {
			in.Component = target.Component{Image: t.Image, Command: t.Command, Environment: t.Environment, Secrets: t.Secrets}
			f = append(f, faults(path, taskLimits, in)...)
		}
	}
	return append(f, faults("", policyLimits, s.Policy)...)
}

func faults[T any](path string, limits []limit[T], v T) target.Faults {
	var f target.Faults
	for _, l := range limits {
		if wrong := l.check(v); wrong != "" {
			f = append(f, target.Fault{Path: path + l.attribute, Message: fmt.Sprintf("%s (AWS: %q)", wrong, l.page)})
		}
	}
	return f
}
