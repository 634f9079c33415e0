package target

import "time"

// StackSpec asks for one stack in one seat of a slot.
type StackSpec struct {
	Slot       SlotID     `json:"slot"`
	Color      Color      `json:"color"`
	SwapID     string     `json:"swap_id"`
	Definition Definition `json:"definition"`
	// Fingerprint is what [Stacks.Fingerprint] said of the definition.
	Fingerprint string `json:"fingerprint"`
	// Capacity is the fewest instances of each component, whatever the load: for a candidate
	// the live stack's size, for a fallback its own size when it lost the traffic. The target
	// never goes below it, nor below what the component's scaling says.
	Capacity map[string]int `json:"capacity"`
	// HoldWorkers keeps components without routes stopped: two releases must not both work.
	HoldWorkers bool `json:"hold_workers"`
}

// StackStatus is a stack as it is observed.
type StackStatus struct {
	Spec      StackSpec        `json:"spec"`
	Instances []InstanceStatus `json:"instances"`
	// Scale is how many instances of each component there are to be now.
	Scale map[string]int `json:"scale,omitempty"`
	// InFlight counts ordinary requests the stack is answering now.
	InFlight int `json:"in_flight"`
	// LastAnswerAt is when the stack ended its last ordinary answer, nil where that is not known.
	LastAnswerAt *time.Time `json:"last_answer_at,omitempty"`
	// RetireAt is when the target removes the stack by itself, if it does not serve then.
	RetireAt *time.Time `json:"retire_at,omitempty"`
	// Drift is what somebody else has changed about the stack and what leads to it, in words: what is
	// seen and what was made. Putting the stack again repairs it. It is looked for while no swap is
	// under way only; a target that nobody else can change has none.
	Drift []string `json:"drift,omitempty"`
	// Mending is what has been repaired and not ended, since instances are being replaced for it.
	Mending []string `json:"mending,omitempty"`
}

// InstanceStatus is one instance of a component as it is observed.
type InstanceStatus struct {
	Component string `json:"component"`
	Index     int    `json:"index"` // 1 … capacity
	// Running says that its program runs, also while it is being stopped, as workers have to be told.
	Running bool `json:"running"`
	// Healthy is the load balancer's view; workers without a check are healthy while running.
	Healthy bool `json:"healthy"`
	// Passes counts the checks passed in a row; HealthySince is when the row began.
	Passes       int        `json:"passes"`
	HealthySince *time.Time `json:"healthy_since,omitempty"`
	// UnhealthySince is when the load balancer stopped counting it as healthy, or when it was
	// started where it was not healthy yet; nil while it is healthy.
	UnhealthySince *time.Time `json:"unhealthy_since,omitempty"`
	// CPUPercent is its CPU use over the last seconds in percent of one CPU, where it is known.
	CPUPercent float64 `json:"cpu_percent,omitempty"`
	// Restarts counts how often the instance ended and was started again.
	Restarts int `json:"restarts"`
	// LastEnd is how it ended last, "" if it never did: "exited with code 1". It stays when it runs again.
	LastEnd string `json:"last_end,omitempty"`
	// LastProbe is the last check in words: "GET /healthz -> 503".
	LastProbe string `json:"last_probe,omitempty"`
	// Problem is why the instance does not run: "exited with code 1".
	Problem string `json:"problem,omitempty"`
	// Permanent says that trying again can't help: the command does not exist.
	Permanent bool `json:"permanent,omitempty"`
	// LastLines are the last lines of its log, known passwords replaced.
	LastLines []string `json:"last_lines,omitempty"`
}

// Of returns the instances of one component.
func (s StackStatus) Of(component string) []InstanceStatus {
	var out []InstanceStatus
	for _, i := range s.Instances {
		if i.Component == component {
			out = append(out, i)
		}
	}
	return out
}

// Observation is what a target sees of a slot right now. What serves is read from the
// router, never remembered.
type Observation struct {
	At      time.Time `json:"at"`
	Serving Color     `json:"serving,omitempty"`
	// Percent is the share of the requests that goes to the other seat than Serving.
	Percent int                   `json:"percent,omitempty"`
	Stacks  map[Color]StackStatus `json:"stacks"`
	Tasks   map[string]TaskStatus `json:"tasks,omitempty"`
	// Request is what somebody asks of the run that holds the lease, nil for nothing.
	Request *Request `json:"request,omitempty"`
}

// Carries says whether a seat carries traffic, all of it or a share.
func (o Observation) Carries(c Color) bool {
	return c != "" && (c == o.Serving || o.Percent > 0 && o.Serving != "" && c == o.Serving.Other())
}

// Kinds of tasks.
const (
	TaskMigrate = "migrate"
	TaskTest    = "test"
)

// TaskSpec asks for one run of a task for one stack. Key is unique to the run.
type TaskSpec struct {
	Key   string `json:"key"`
	Kind  string `json:"kind"`
	Slot  SlotID `json:"slot"`
	Color Color  `json:"color"`
	// Release is what the task is told it belongs to; Task has its placeholders replaced.
	Release string `json:"release"`
	Task    Task   `json:"task"`
}

// TaskStatus is a task as it is observed.
type TaskStatus struct {
	Key       string     `json:"key"`
	Kind      string     `json:"kind"`
	Running   bool       `json:"running"`
	StartedAt time.Time  `json:"started_at"`
	EndedAt   *time.Time `json:"ended_at,omitempty"`
	// ExitCode is known only where the program ended by itself.
	ExitCode *int `json:"exit_code,omitempty"`
	// Problem says why there is no exit code: killed, timed out, could not be started.
	Problem string `json:"problem,omitempty"`
	// NotStarted says that the program never ran: its command does not exist.
	NotStarted bool     `json:"not_started,omitempty"`
	LastLines  []string `json:"last_lines,omitempty"`
}

// Switched is the outcome of a switch.
type Switched struct {
	// At is when the pointer moved; zero if it already stood there.
	At time.Time `json:"at"`
}

// Probe is one request through an entrance of the slot.
type Probe struct {
	// Release is the release that answered, "" if none did.
	Release    string `json:"release"`
	StatusCode int    `json:"status_code"`
	Problem    string `json:"problem,omitempty"`
	// Pending says that the target has begun to ask and can't know yet: that takes its time where
	// the entrance is reached from a place of its own only. The target ends it by an answer or a
	// problem.
	Pending bool `json:"pending,omitempty"`
}
