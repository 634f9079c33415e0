package memtarget

import (
	"strconv"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// Names of programs that the memory target knows: a component or task whose command begins
// with one behaves like that. Every other program is well and ends with exit code 0.
const (
	// ProgramNeverHealthy runs and fails every check.
	ProgramNeverHealthy = "never-healthy"
	// ProgramFlaps passes and fails its checks by turns.
	ProgramFlaps = "flaps"
	// ProgramCrashes ends with exit code 1 as soon as it starts.
	ProgramCrashes = "crashes"
	// ProgramMissing does not exist.
	ProgramMissing = "missing"
	// ProgramExit is a task that ends with the code in its second word.
	ProgramExit = "exit"
	// ProgramHangs is a task that never ends.
	ProgramHangs = "hangs"
	// ProgramKilled is a task that a signal ends.
	ProgramKilled = "killed"
)

// Behaviour is what the instances of a component do. It goes in steps: each observation is
// one, and so is each interval of the health check that passes unobserved. The zero value
// runs at once and passes every check, one with each step.
type Behaviour struct {
	// RunningAfter is how many steps the instance takes to run, HealthyAfter how many more it
	// runs and fails its check.
	RunningAfter, HealthyAfter int
	// HealthyIn is how long after its start, by the clock, the instance fails its check.
	HealthyIn time.Duration
	// Answers says whether the n-th check of the instance passes, from 1; nil: all pass.
	Answers func(n int) bool
	// Crashes makes the instance end with exit code 1 whenever it is started.
	Crashes bool
	// Missing means that the program does not exist.
	Missing bool
	// Lines are the last lines of its log.
	Lines []string
}

// TaskBehaviour is what a task does. The zero value has ended with exit code 0 by the first
// observation.
type TaskBehaviour struct {
	ExitCode int
	// EndsAfter is how many observations find the task running.
	EndsAfter int
	// Hangs means that it never ends by itself; Killed that a signal ends it; Missing that
	// the program does not exist.
	Hangs, Killed, Missing bool
	// Lines are the last lines of its output.
	Lines []string
}

// instanceRule gives the instances of a component of a release a behaviour; "" matches all.
type instanceRule struct {
	component, release string
	behaviour          Behaviour
}

// Script makes the instances of a component of a release behave, those that exist included;
// an empty component or release means every one. The rule that was made last counts, and any
// rule counts before the name of the program.
func (t *Target) Script(component, release string, b Behaviour) {
	t.store.mu.Lock()
	defer t.store.mu.Unlock()
	t.store.instances = append(t.store.instances, instanceRule{component, release, b})
}

// loadRule says how many instances the load of a component of a release asks for.
type loadRule struct {
	component, release string
	instances          int
}

// ScriptLoad makes the load of a component of a release ask for so many instances, within
// what its scaling allows; an empty component or release means every one, and the rule that
// was made last counts.
func (t *Target) ScriptLoad(component, release string, instances int) {
	t.store.mu.Lock()
	defer t.store.mu.Unlock()
	t.store.loads = append(t.store.loads, loadRule{component, release, instances})
}

func (s *store) load(component, release string) int {
	for i := len(s.loads) - 1; i >= 0; i-- {
		r := s.loads[i]
		if (r.component == "" || r.component == component) && (r.release == "" || r.release == release) {
			return r.instances
		}
	}
	return 0
}

// ScriptTask makes the tasks of a kind behave, those that run included; it counts before the
// name of the program.
func (t *Target) ScriptTask(kind string, b TaskBehaviour) {
	t.store.mu.Lock()
	defer t.store.mu.Unlock()
	t.store.tasks[kind] = b
}

func (s *store) behaviour(component string, d target.Definition) Behaviour {
	for i := len(s.instances) - 1; i >= 0; i-- {
		r := s.instances[i]
		if (r.component == "" || r.component == component) && (r.release == "" || r.release == d.Release) {
			return r.behaviour
		}
	}
	switch program(d.Components[component].Command) {
	case ProgramNeverHealthy:
		return Behaviour{Answers: func(int) bool { return false }, Lines: []string{"not ready yet"}}
	case ProgramFlaps:
		return Behaviour{Answers: func(n int) bool { return n%2 == 1 }}
	case ProgramCrashes:
		return Behaviour{Crashes: true, Lines: []string{"panic: this program crashes"}}
	case ProgramMissing:
		return Behaviour{Missing: true}
	}
	return Behaviour{}
}

func (s *store) taskBehaviour(t target.TaskSpec) TaskBehaviour {
	if b, ok := s.tasks[t.Kind]; ok {
		return b
	}
	switch program(t.Task.Command) {
	case ProgramExit:
		if len(t.Task.Command) > 1 {
			if code, err := strconv.Atoi(t.Task.Command[1]); err == nil {
				return TaskBehaviour{ExitCode: code, Lines: []string{"exit " + t.Task.Command[1]}}
			}
		}
	case ProgramHangs:
		return TaskBehaviour{Hangs: true}
	case ProgramKilled:
		return TaskBehaviour{Killed: true}
	case ProgramMissing:
		return TaskBehaviour{Missing: true}
	}
	return TaskBehaviour{}
}

func program(command []string) string {
	if len(command) == 0 {
		return ""
	}
	return command[0]
}
