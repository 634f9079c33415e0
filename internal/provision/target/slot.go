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
	// Routes lead requests to the component. One without routes is a worker.
	Routes []Route `json:"routes,omitempty"`
}

// Worker says that the component takes no requests.
func (c Component) Worker() bool { return len(c.Routes) == 0 }

// Scaling bounds the number of a component's instances.
type Scaling struct {
	Min int `json:"min"`
	Max int `json:"max"`
}

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

// Policy is how a slot swaps. It belongs to the slot, not to a stack.
type Policy struct {
	// StartTimeoutSeconds bounds the time from start to every instance being healthy.
	StartTimeoutSeconds int `json:"start_timeout_seconds"`
	// MinimumHealthySeconds is how long the health must hold.
	MinimumHealthySeconds int `json:"minimum_healthy_seconds"`
	// DrainSeconds bounds how long requests accepted by the old stack may take to finish.
	DrainSeconds int `json:"drain_seconds"`
	// FallbackWindowSeconds is how long the old stack stays warm; 0 retires it at once.
	FallbackWindowSeconds int `json:"fallback_window_seconds"`
	// FallbackUntilNextRelease keeps the old stack until the next release needs its seat.
	FallbackUntilNextRelease bool `json:"fallback_until_next_release"`
}

// Slot is a deployment slot as it is asked for.
type Slot struct {
	Environment        EnvironmentID     `json:"environment_id"`
	Name               string            `json:"name"`
	Definition         Definition        `json:"definition"`
	Policy             Policy            `json:"policy"`
	Retry              int64             `json:"retry"`
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

// Passed is the proof that a stack went through every gate and took the traffic.
type Passed struct {
	SwapID      string    `json:"swap_id"`
	Release     string    `json:"release"`
	Fingerprint string    `json:"fingerprint"`
	At          time.Time `json:"at"`
}

// Phase is where a swap is.
type Phase string

// Phases of a swap, in order, and its side exits.
const (
	PhasePreparing Phase = "preparing"
	PhaseMigrating Phase = "migrating"
	PhaseStarting  Phase = "starting"
	PhaseVerifying Phase = "verifying"
	PhaseTesting   Phase = "testing"
	PhaseSwitching Phase = "switching"
	PhaseLive      Phase = "live"
	// PhaseFailed: before the switch; the candidate was removed, live was not touched.
	PhaseFailed Phase = "failed"
	// PhaseRolledBack: after the switch; the traffic went back and a hold was left.
	PhaseRolledBack Phase = "rolled_back"
	// PhaseAborting: the candidate of a failed swap is being removed.
	PhaseAborting Phase = "aborting"
	// PhaseRollingBack: the traffic is on its way back.
	PhaseRollingBack Phase = "rolling_back"
)

// Finished says that nothing is left to do in a phase.
func (p Phase) Finished() bool {
	return p == PhaseLive || p == PhaseFailed || p == PhaseRolledBack
}

// Swap is the journal of one swap.
type Swap struct {
	ID          string `json:"id"`
	Phase       Phase  `json:"phase"`
	Release     string `json:"release"`
	Fingerprint string `json:"fingerprint"`
	// From is the seat that served when the swap began (empty at the first deployment), To
	// the one that is to serve.
	From        Color  `json:"from,omitempty"`
	FromRelease string `json:"from_release,omitempty"`
	To          Color  `json:"to"`
	// Reuse says that To already holds the wanted stack, proven before: no gate but health.
	Reuse bool `json:"reuse,omitempty"`
	// TestedSuite is the digest of the suite that the candidate passed, "" before that.
	TestedSuite string    `json:"tested_suite,omitempty"`
	By          string    `json:"by"`
	StartedAt   time.Time `json:"started_at"`
	// PhaseAt is when the current phase began.
	PhaseAt    time.Time  `json:"phase_at"`
	SwitchedAt *time.Time `json:"switched_at,omitempty"`
	// Probed says that the front door was seen to answer with the release.
	Probed  bool       `json:"probed,omitempty"`
	EndedAt *time.Time `json:"ended_at,omitempty"`
	// LastOldAnswerAt is when the old stack ended the last of its ordinary answers.
	LastOldAnswerAt *time.Time `json:"last_old_answer_at,omitempty"`
	// FailedIn is the phase a failed swap was in; Requested says that somebody asked for the
	// rollback that this is.
	FailedIn  Phase `json:"failed_in,omitempty"`
	Requested bool  `json:"requested,omitempty"`
	// Reason says why a swap failed or was rolled back, for people.
	Reason string `json:"reason,omitempty"`
	// Steps lists the phases that were passed, with their times.
	Steps []Step `json:"steps,omitempty"`
}

// Step is one passed phase of a swap.
type Step struct {
	Phase Phase     `json:"phase"`
	At    time.Time `json:"at"`
	Note  string    `json:"note,omitempty"`
}

// Hold keeps a release that was rolled back from coming again by itself.
type Hold struct {
	Release     string    `json:"release"`
	Fingerprint string    `json:"fingerprint"`
	Retry       int64     `json:"retry"`
	By          string    `json:"by"`
	At          time.Time `json:"at"`
	Reason      string    `json:"reason"`
}

// Lease is the right to change a slot, for a limited time.
type Lease struct {
	// Token is secret to the holder in so far as only it sends it; effects carry it.
	Token     string    `json:"token"`
	Holder    string    `json:"holder"`
	Beat      int64     `json:"beat"` // goes up with every heartbeat
	ExpiresAt time.Time `json:"expires_at"`
}
