package awstarget

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func imageFault(image string) string {
	switch {
	case image == "":
		return "this target runs images: set image, and command only to replace the image's own"
	case len(image) > 255 || !imageRegexp.MatchString(image):
		return fmt.Sprintf("%q is not the name of an image: expected such as \"registry.example.com/shop/web:1\", whose name has lower-case letters, digits and . _ - /, and up to 255 characters in all; so must a release be that is put into it", image)
	}
	return ""
}

func cpuFault(cpu int) string {
	if cpu == 0 || slices.Contains(cpus(), cpu) {
		return ""
	}
	return fmt.Sprintf("Fargate has no task of cpu %d: expected one of %v", cpu, cpus())
}

// memoryFault is of a memory that does not go with the CPU, or with none where no CPU is known.
func memoryFault(cpu, memory int) string {
	switch {
	case memory == 0 || cpuFault(cpu) != "" || exactSize(cpu, memory):
		return ""
	case cpu != 0:
		return fmt.Sprintf("Fargate has no task of cpu %d with memory_mib %d: expected one of %v with this cpu", cpu, memory, memories(cpu))
	}
	if _, next, ok := size(0, memory); ok {
		return fmt.Sprintf("Fargate has no task of memory_mib %d: the next larger is %d", memory, next)
	}
	return fmt.Sprintf("Fargate has no task of memory_mib %d: the largest has %d", memory, sizes[len(sizes)-1].most)
}

// timeoutFault is of a health check that waits longer for an answer than it can here. One that is
// to be more patient for its answers is asked for less often.
func timeoutFault(c target.Component) string {
	switch h := c.HealthCheck; {
	case h == nil || h.TimeoutSeconds <= 2: // which everything waits for
		return ""
	case c.Worker() && h.TimeoutSeconds > 60:
		return fmt.Sprintf("%d is out of range: a check in the container waits 60 seconds at most", h.TimeoutSeconds)
	case !c.Worker() && h.TimeoutSeconds > checks(*h).TimeoutSeconds:
		return fmt.Sprintf("%d is out of range: a load balancer that checks every %d seconds waits %d at most; set a longer interval_seconds, or less here", h.TimeoutSeconds, checks(*h).IntervalSeconds, checks(*h).TimeoutSeconds)
	}
	return ""
}

// thresholdFault is of checks in a row that AWS can't count. How many must pass is counted by us.
func thresholdFault(c target.Component) string {
	if c.HealthCheck == nil {
		return ""
	}
	least := 2
	if c.Worker() {
		least = 1
	}
	if n := c.HealthCheck.UnhealthyThreshold; n < least || n > 10 {
		return fmt.Sprintf("%d is out of range: expected %d to 10 checks in a row", n, least)
	}
	return ""
}

// secretsOf begins the names of an environment's secrets.
func secretsOf(e target.EnvironmentID) string { return "slipway/" + e.Region + "/" + e.Name + "/" }

func secretFaults(path string, in named) target.Faults {
	var f target.Faults
	for _, k := range target.SortedKeys(in.Secrets) {
		if wrong := secretFault(in.Secrets[k], in); wrong != "" {
			f = append(f, blame(path+"secrets."+k, "Pass Secrets Manager secrets through Amazon ECS environment variables", "%s", wrong))
		}
	}
	return f
}

// secretFault never repeats what is no ARN: it could be the secret itself, by mistake.
func secretFault(arn string, in named) string {
	m := secretRegexp.FindStringSubmatch(arn)
	switch {
	case m == nil:
		prefix := in.prefix
		if prefix == "" {
			prefix = secretsOf(target.EnvironmentID{Region: "REGION", Name: "ENVIRONMENT"})
		}
		return fmt.Sprintf("this is not the ARN of a secret in Secrets Manager: expected such as arn:aws:secretsmanager:LOCATION:ACCOUNT:secret:%sNAME-AbCdEf", prefix)
	case in.location != "" && m[1] != in.location:
		return fmt.Sprintf("the secret is in %s, and tasks can read only those of %s: name one that is there", m[1], in.location)
	case in.account != "" && m[2] != in.account:
		return fmt.Sprintf("the secret is of AWS account %s, and tasks can read only those of %s: name one of that", m[2], in.account)
	case !strings.HasPrefix(m[3], in.prefix):
		return fmt.Sprintf("tasks of this environment may read only secrets whose names begin with %q, not %q: make one with such a name", in.prefix, m[3])
	}
	return ""
}

// routeFaults are of what no listener rule can compare.
func routeFaults(path string, in named) target.Faults {
	var f target.Faults
	for i, r := range in.Routes {
		at := fmt.Sprintf("%sroutes.%d.", path, i)
		for _, v := range conditions(r.Normal(), in.domain)[0].values {
			if n := utf8.RuneCountInString(v); n > 128 {
				f = append(f, blame(at+"host", "HostHeaderConditionConfig", "the host name %q has %d characters: a load balancer compares 128 at most", v, n))
			}
		}
		if p := r.Normal().PathPrefix; !pathPattern.MatchString(p) || len(p+"/*") > 128 {
			f = append(f, blame(at+"path_prefix", "PathPatternConditionConfig", "a load balancer can't compare %q: it may have 126 characters, which are letters, digits and _ - . $ / ~ ' @ : + &", p))
		}
	}
	return f
}
