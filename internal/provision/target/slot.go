package target

import "time"

// Color is the seat of a slot that a stack sits in: computed, never configured.
type Color string

// The two seats of a slot. The zero Color means "none".
const (
	Blue  Color = "blue"
	Green Color = "green"
)

// Other is the opposite seat; from none it is blue.
func (c Color) Other() Color {
	if c == Blue {
		return Green
	}
	return Blue
}

// Definition is everything that makes a stack: what a release consists of and how it proves
// itself. It travels with its stack, so that switching back brings it back whole.
type Definition struct {
	Release       string               `json:"release"`
	Components    map[string]Component `json:"components"`
	Migrate       *Task                `json:"migrate,omitempty"`
	TestSuite     *Task                `json:"test_suite,omitempty"`
	AllowUntested bool                 `json:"allow_untested,omitempty"`
}

// Component is one independently scaled part of the application.
type Component struct {
	// Image (aws) or Command (local) says what to run. "{release}" in either, and in the
	// values of Environment, stands for the release.
	Image   string   `json:"image,omitempty"`
	Command []string `json:"command,omitempty"`
	// Port is the container's port on aws; on local instances learn theirs from PORT.
	Port      int `json:"port,omitempty"`
	CPU       int `json:"cpu,omitempty"`        // in units of 1/1024 vCPU
	MemoryMiB int `json:"memory_mib,omitempty"` //
	// Environment holds plain values, Secrets names the file (local) or ARN (aws) whose
	// content a variable gets.
	Environment map[string]string `json:"environment,omitempty"`
	Secrets     map[string]string `json:"secrets,omitempty"`
	Scaling     Scaling           `json:"scaling"`
	HealthCheck *HealthCheck      `json:"health_check,omitempty"`
	// StopTimeoutSeconds is how long an instance may take to end after SIGTERM: the limit for
	// a worker to finish its jobs. 0 means [DefaultStopTimeout].
	StopTimeoutSeconds int `json:"stop_timeout_seconds,omitempty"`
	// Routes lead requests to the component. One without routes is a worker.
	Routes []Route `json:"routes,omitempty"`
}

// DefaultStopTimeout is how long an instance may take to end where its component does not say.
const DefaultStopTimeout = 10 * time.Second

// StopTimeout is how long an instance may take to end after SIGTERM.
func (c Component) StopTimeout() time.Duration {
	if c.StopTimeoutSeconds == 0 {
		return DefaultStopTimeout
	}
	return time.Duration(c.StopTimeoutSeconds) * time.Second
}

// Worker says that the component takes no requests.
func (c Component) Worker() bool { return len(c.Routes) == 0 }

// HealthCheck is an HTTP GET that an instance must answer with 200 to 299.
type HealthCheck struct {
	Path               string `json:"path"`
	IntervalSeconds    int    `json:"interval_seconds"`
	TimeoutSeconds     int    `json:"timeout_seconds"`
	HealthyThreshold   int    `json:"healthy_threshold"`
	UnhealthyThreshold int    `json:"unhealthy_threshold"`
}

// Route leads the requests for a host and a path to a component.
type Route struct {
	// Host is one label under the environment's domain name, "*" for any one label, or ""
	// for the domain name itself and everything under it.
	Host string `json:"host,omitempty"`
	// PathPrefix is "/" or "/api", which matches "/api" and "/api/…".
	PathPrefix string `json:"path_prefix"`
}

// Task is a program that runs once: a migration or a test suite.
type Task struct {
	Image          string            `json:"image,omitempty"`
	Command        []string          `json:"command,omitempty"`
	Environment    map[string]string `json:"environment,omitempty"`
	Secrets        map[string]string `json:"secrets,omitempty"`
	TimeoutSeconds int               `json:"timeout_seconds"`
	// Account is the account whose credentials the task may use (test suites; "": none).
	// Migrations see every account.
	Account string `json:"account,omitempty"`
}

// Slot is a deployment slot as it is asked for.
type Slot struct {
	Environment EnvironmentID `json:"environment_id"`
	Name        string        `json:"name"`
	Definition  Definition    `json:"definition"`
	Policy      Policy        `json:"policy"`
	Retry       int64         `json:"retry"`
	// ApprovedRelease is the release that may take traffic where the policy asks for approval.
	ApprovedRelease    string            `json:"approved_release,omitempty"`
	DeletionProtection bool              `json:"deletion_protection"`
	Tags               map[string]string `json:"tags,omitempty"`
}

// ID is the slot's natural key.
func (s Slot) ID() SlotID { return SlotID{s.Environment, s.Name} }

// SlotRecord is a slot as its target holds it: what was last asked, and the journal of the
// swap. Only the swap machine writes it, under the lease.
type SlotRecord struct {
	Meta Meta `json:"meta"`
	// Revision goes up with every write; a write that names another one is refused.
	Revision int64 `json:"revision"`
	Asked    Slot  `json:"asked"`
	// Swap is the current swap, or the last one.
	Swap *Swap `json:"swap,omitempty"`
	// Passed says, for each seat, what the stack in it has been proven to be.
	Passed map[Color]Passed `json:"passed,omitempty"`
	Hold   *Hold            `json:"hold,omitempty"`
}

// HeldBack is the hold that forbids to bring what is wanted, nil if none does. To ask for what
// serves already is never forbidden: an earlier definition of the release may have stayed.
func (r SlotRecord) HeldBack(want Slot, fingerprint string, seen Observation) *Hold {
	h, serving := r.Hold, seen.Stacks[seen.Serving].Spec
	switch {
	case h == nil || h.Release != want.Definition.Release || want.Retry > h.Retry:
		return nil
	case serving.Definition.Release == h.Release && serving.Fingerprint == fingerprint:
		return nil
	}
	return h
}

// Passed is the proof that a stack went through every gate and took the traffic.
type Passed struct {
	SwapID      string    `json:"swap_id"`
	Release     string    `json:"release"`
	Fingerprint string    `json:"fingerprint"`
	At          time.Time `json:"at"`
}

// Lease is the right to change a slot, for a limited time.
type Lease struct {
	// Token is secret to the holder in so far as only it sends it; effects carry it.
	Token     string    `json:"token"`
	Holder    string    `json:"holder"`
	Beat      int64     `json:"beat"` // goes up with every heartbeat
	ExpiresAt time.Time `json:"expires_at"`
}
