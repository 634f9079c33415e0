package target

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var (
	variableRegexp = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	pathRegexp     = regexp.MustCompile(`^/[A-Za-z0-9/._~!$&'()+,;=:@%-]*$`)
)

// Bounds of a component's scaling and of times, wide enough for any sane use.
const (
	maxInstances   = 1000
	maxSeconds     = 7 * 24 * 3600
	maxStopSeconds = 3600
)

// Validate returns every fault of the definition on its own, whatever the target.
func (s Slot) Validate() Faults {
	var f Faults
	f.check("name", ValidateName(s.Name))
	d := s.Definition
	f.check("release", ValidateRelease(d.Release))
	if len(d.Components) == 0 {
		f.addf("components", "a slot needs at least one component")
	}
	told := false // whether somebody can tell when a release is up, or a fault of a component says why not
	ports, routes := map[int]string{}, map[Route]string{}
	for _, name := range SortedKeys(d.Components) {
		c, path := d.Components[name], "components."+name
		f.check(path, ValidateName(name))
		f.component(path, name, c, s.Policy.StartTimeoutSeconds)
		told = told || c.HealthCheck != nil || !c.Worker()
		if other, dup := ports[c.Port]; dup && c.Port != 0 {
			f.addf(path+".port", "port %d is the port of component %q too: give each component its own", c.Port, other)
		}
		ports[c.Port] = name
		for i, r := range c.Routes {
			r = r.Normal()
			if other, dup := routes[r]; dup {
				f.addf(fmt.Sprintf("%s.routes.%d", path, i), "%s leads to component %q already: each host and path_prefix can lead to one component", r, other)
			}
			routes[r] = name
		}
	}
	if len(d.Components) > 0 && !told {
		f.addf("components", "no component has a health_check: without one nobody can tell when a release is up; add health_check = { path = \"/healthz\" } to a component")
	}
	if d.Migrate != nil {
		f.task("migrate", *d.Migrate)
	}
	switch {
	case d.TestSuite != nil && d.AllowUntested:
		f.addf("allow_untested", "there is a test_suite: remove one of the two")
	case d.TestSuite == nil && !d.AllowUntested:
		f.addf("test_suite", "a slot needs a test_suite, whose command must pass before a release takes traffic; to go without, set allow_untested = true")
	case d.TestSuite != nil:
		f.task("test_suite", *d.TestSuite)
		if a := d.TestSuite.Account; a != "" {
			f.check("test_suite.account", ValidateName(a))
		}
	}
	f.policy(s.Policy)
	if s.ApprovedRelease != "" {
		f.check("approved_release", ValidateRelease(s.ApprovedRelease))
	}
	if s.Retry < 0 {
		f.addf("retry", "%d is out of range: expected 0 or more", s.Retry)
	}
	f.tags(s.Tags)
	return f
}

// component checks one component, whose instances have so many seconds to get healthy.
func (f *Faults) component(path, name string, c Component, startTimeout int) {
	f.program(path, c.Image, c.Command)
	if c.Port < 0 || c.Port > 65535 {
		f.addf(path+".port", "%d is not a TCP port: expected 1 to 65535", c.Port)
	}
	f.variables(path, c.Environment, c.Secrets)
	f.scaling(path+".scaling", c.Scaling)
	if c.Worker() && c.Scaling.TargetConcurrentRequests > 0 {
		f.addf(path+".scaling.target_concurrent_requests", "component %q has no routes, so there are no requests to count: set target_cpu_percent instead, or add routes", name)
	}
	if c.StopTimeoutSeconds < 0 || c.StopTimeoutSeconds > maxStopSeconds {
		f.addf(path+".stop_timeout_seconds", "%d is out of range: expected 1 to %d seconds", c.StopTimeoutSeconds, maxStopSeconds)
	}
	if !c.Worker() && c.HealthCheck == nil {
		f.addf(path+".health_check", "component %q takes requests and has no health_check: add health_check = { path = \"/healthz\" } with the path that tells whether it is well", name)
	}
	if h := c.HealthCheck; h != nil {
		p := path + ".health_check."
		f.path(p+"path", h.Path)
		f.positive(p+"interval_seconds", h.IntervalSeconds, "seconds", 300)
		f.positive(p+"timeout_seconds", h.TimeoutSeconds, "seconds", 120)
		f.positive(p+"healthy_threshold", h.HealthyThreshold, "checks in a row", 100)
		f.positive(p+"unhealthy_threshold", h.UnhealthyThreshold, "checks in a row", 100)
		least := (h.HealthyThreshold - 1) * h.IntervalSeconds // the first one may be at once
		if h.HealthyThreshold <= 100 && h.IntervalSeconds <= 300 && least > 0 && startTimeout > 0 && least >= startTimeout {
			f.addf(p+"healthy_threshold", "%d checks in a row, one every %d seconds, take %d seconds at least, and swap.start_timeout_seconds is %d: no candidate could ever get healthy. Lower interval_seconds or healthy_threshold, or raise swap.start_timeout_seconds", h.HealthyThreshold, h.IntervalSeconds, least, startTimeout)
		}
	}
	for i, r := range c.Routes {
		p := fmt.Sprintf("%s.routes.%d.", path, i)
		f.path(p+"path_prefix", r.PathPrefix)
		if r.Host != "" && r.Host != "*" {
			if err := ValidateName(r.Host); err != nil {
				f.addf(p+"host", "%q is not a host: expected one label under the environment's domain_name such as \"console\", or \"*\" for any one label, or none for every name", r.Host)
			}
		}
	}
}

func (f *Faults) task(path string, t Task) {
	f.program(path, t.Image, t.Command)
	f.variables(path, t.Environment, t.Secrets)
	f.positive(path+".timeout_seconds", t.TimeoutSeconds, "seconds", maxSeconds)
}

func (f *Faults) program(path, image string, command []string) {
	switch {
	case image == "" && len(command) == 0:
		f.addf(path, "nothing to run: set command (local) or image (aws)")
	case len(command) > 0 && strings.TrimSpace(command[0]) == "":
		f.addf(path+".command.0", "the first word is %q: it names the program to run", command[0])
	case slices.ContainsFunc(command, hasNUL):
		f.addf(path+".command", "a word holds the character NUL, which no argument can: remove it")
	}
}

func (f *Faults) variables(path string, environment, secrets map[string]string) {
	for _, k := range SortedKeys(environment) {
		f.variable(path+".environment."+k, k)
		if hasNUL(environment[k]) {
			f.addf(path+".environment."+k, "the value holds the character NUL, which no variable can: remove it")
		}
	}
	for _, k := range SortedKeys(secrets) {
		f.variable(path+".secrets."+k, k)
		if _, both := environment[k]; both {
			f.addf(path+".secrets."+k, "%q is in environment too: keep one of the two", k)
		}
		if secrets[k] == "" {
			f.addf(path+".secrets."+k, "the value is empty: expected the path of a file of mode 0600 (local) or the ARN of a secret (aws), never the value itself")
		}
	}
}

func hasNUL(s string) bool { return strings.ContainsRune(s, 0) }

func (f *Faults) variable(path, name string) {
	switch {
	case !variableRegexp.MatchString(name):
		f.addf(path, "%q is not a variable name: expected letters, digits and \"_\", not starting with a digit", name)
	case slices.Contains([]string{"PORT", "PATH", "HOME", "TMPDIR", "LANG"}, name) || strings.HasPrefix(name, "SLIPWAY_"):
		f.addf(path, "%q is set by Slipway itself: choose another name", name)
	}
}

func (f *Faults) path(path, value string) {
	if !pathRegexp.MatchString(value) || len(value) > 128 || strings.Contains(value, "//") || strings.Contains(value+"/", "/../") || strings.Contains(value+"/", "/./") {
		f.addf(path, "%q is not a path: expected \"/\" or such as \"/healthz\", at most 128 characters, without \"?\", \"#\", spaces, \"//\" and \"..\"", value)
	}
}

// Normal is the route with a trailing slash removed, so that equal routes compare equal.
func (r Route) Normal() Route {
	if p := strings.TrimRight(r.PathPrefix, "/"); p != "" {
		r.PathPrefix = p
	} else {
		r.PathPrefix = "/"
	}
	return r
}

func (r Route) String() string {
	switch r.Host {
	case "":
		return fmt.Sprintf("path_prefix %q of any host", r.PathPrefix)
	default:
		return fmt.Sprintf("path_prefix %q of host %q", r.PathPrefix, r.Host)
	}
}

// Conflicts returns the faults that only show beside another slot of the same environment.
func (s Slot) Conflicts(other Slot) Faults {
	var f Faults
	if s.ID() == other.ID() || s.Environment != other.Environment {
		return nil
	}
	taken := map[Route]string{}
	for name, c := range other.Definition.Components {
		for _, r := range c.Routes {
			taken[r.Normal()] = name
		}
	}
	for _, name := range SortedKeys(s.Definition.Components) {
		for i, r := range s.Definition.Components[name].Routes {
			if component, dup := taken[r.Normal()]; dup {
				f.addf(fmt.Sprintf("components.%s.routes.%d", name, i), "%s leads to component %q of slot %q already: the slots of an environment share its front door", r.Normal(), component, other.ID())
			}
		}
	}
	return f
}
