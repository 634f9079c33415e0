package process

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// Kind says how a process ends.
type Kind string

const (
	// Instance runs until it dies or is stopped. The shim becomes the command: same process id, same
	// start time.
	Instance Kind = "instance"
	// Task runs once. The shim stays as the command's parent and writes the [Result].
	Task Kind = "task"
)

// User is the unprivileged user that a command runs as. Supplementary groups are dropped.
type User struct {
	UID int `json:"uid"`
	GID int `json:"gid"`
}

// Spec describes one process to start.
type Spec struct {
	// ID names the process in errors.
	ID string `json:"id"`
	// Kind is Instance or Task.
	Kind Kind `json:"kind"`
	// Command is the program and its arguments. A program without a slash is looked up in the PATH of
	// Env, one with a slash is relative to Dir.
	Command []string `json:"command"`
	// Dir is the absolute working directory; "/" when empty.
	Dir string `json:"dir,omitempty"`
	// Env is the complete environment as NAME=value. Nothing is inherited.
	Env []string `json:"env,omitempty"`
	// LogFile receives standard output and standard error, appended. It is made with mode 0640 and
	// belongs to RunAs, so that a program may open /dev/stdout anew.
	LogFile string `json:"log_file"`
	// RunAs is the user to become; nil stays who we are. Needs root.
	RunAs *User `json:"run_as,omitempty"`
	// ResultFile is where a Task leaves its Result. An older one is removed by Start.
	ResultFile string `json:"result_file,omitempty"`
	// ShimCommand starts our own binary so that it calls ShimMain: an absolute path and arguments.
	ShimCommand []string `json:"shim_command"`
	// Record must make the identity durable. The command starts only after it has returned nil.
	Record func(Identity) error `json:"-"`
}

// validate returns what is wrong with the spec, all of it at once.
func (s Spec) validate() error {
	var errs []error
	if s.Kind != Instance && s.Kind != Task {
		errs = append(errs, fmt.Errorf("kind is %q, expected %q or %q", s.Kind, Instance, Task))
	}
	if len(s.Command) == 0 || s.Command[0] == "" {
		errs = append(errs, errors.New("command is empty"))
	}
	if s.Dir != "" && !filepath.IsAbs(s.Dir) {
		errs = append(errs, fmt.Errorf("directory %q is not absolute", s.Dir))
	}
	if !filepath.IsAbs(s.LogFile) {
		errs = append(errs, fmt.Errorf("log file %q is not absolute", s.LogFile))
	}
	if s.Kind == Task && !filepath.IsAbs(s.ResultFile) {
		errs = append(errs, fmt.Errorf("result file %q of a task is not absolute", s.ResultFile))
	}
	if len(s.ShimCommand) == 0 || !filepath.IsAbs(s.ShimCommand[0]) {
		errs = append(errs, fmt.Errorf("shim command %q does not start with an absolute path", s.ShimCommand))
	}
	for _, variable := range s.Env {
		if name, _, found := strings.Cut(variable, "="); !found || name == "" {
			errs = append(errs, errors.New("an environment entry is not NAME=value")) // its text may be a secret
		}
	}
	return errors.Join(errs...)
}
