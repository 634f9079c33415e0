//go:build linux

package acceptance

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// outcome is how a run of Terraform ended.
type outcome struct {
	out  string
	code int
	took time.Duration
}

// terraformCommand prepares a run in the working directory, in a process group of its own:
// Terraform with its provider can be killed together, and the agent is in neither's.
func (m *machine) terraformCommand(args ...string) (*exec.Cmd, *bytes.Buffer) {
	out := &bytes.Buffer{}
	cmd := exec.Command(built.terraform, args...)
	cmd.Dir = m.work
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + m.work, "TF_CLI_CONFIG_FILE=" + m.cli, "CHECKPOINT_DISABLE=1",
		"TF_IN_AUTOMATION=1", "TMPDIR=" + os.TempDir(),
	}
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd, out
}

// terraform runs Terraform to its end, with further variables of the environment.
func (m *machine) terraform(env []string, args ...string) outcome {
	m.Helper()
	cmd, out := m.terraformCommand(args...)
	cmd.Env = append(cmd.Env, env...)
	began := time.Now()
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		m.Fatal(err)
	}
	return outcome{out.String(), cmd.ProcessState.ExitCode(), time.Since(began)}
}

// write makes text the configuration.
func (m *machine) write(text string) {
	m.Helper()
	m.ok(os.WriteFile(filepath.Join(m.work, "main.tf"), []byte(text), 0o644))
}

// tryApply applies a configuration, which may fail.
func (m *machine) tryApply(text string) outcome {
	m.Helper()
	m.write(text)
	return m.terraform(nil, "apply", "-auto-approve", "-no-color", "-input=false")
}

// apply applies a configuration.
func (m *machine) apply(text string) outcome {
	m.Helper()
	o := m.tryApply(text)
	if o.code != 0 {
		m.Fatalf("apply ended with %d:\n%s", o.code, o.out)
	}
	return o
}

// plan plans the configuration that was written last. Code 0 is an empty plan, 2 one with
// changes.
func (m *machine) plan() outcome {
	m.Helper()
	return m.terraform(nil, "plan", "-detailed-exitcode", "-no-color", "-input=false")
}

// emptyPlan ends the test unless there is nothing to change.
func (m *machine) emptyPlan(when string) {
	m.Helper()
	if o := m.plan(); o.code != 0 {
		m.Fatalf("plan %s ended with %d, want it to be empty:\n%s", when, o.code, o.out)
	}
}

// destroy destroys everything, after which nothing may be left.
func (m *machine) destroy() outcome {
	m.Helper()
	o := m.terraform(nil, "destroy", "-auto-approve", "-no-color", "-input=false")
	if o.code != 0 {
		m.Fatalf("destroy ended with %d:\n%s", o.code, tail(o.out, 60))
	}
	m.nothingLeft()
	return o
}

// state is the attributes of the resource at an address.
func (m *machine) state(address string) map[string]any {
	m.Helper()
	cmd, out := m.terraformCommand("show", "-json")
	cmd.Stderr = nil
	if err := cmd.Run(); err != nil {
		m.Fatalf("show: %v\n%s", err, out)
	}
	var shown struct {
		Values struct {
			Root struct {
				Resources []struct {
					Address string         `json:"address"`
					Values  map[string]any `json:"values"`
				} `json:"resources"`
			} `json:"root_module"`
		} `json:"values"`
	}
	m.ok(json.Unmarshal(out.Bytes(), &shown))
	for _, r := range shown.Values.Root.Resources {
		if r.Address == address {
			return r.Values
		}
	}
	return nil
}

// started is a run of Terraform under way.
type started struct {
	m    *machine
	cmd  *exec.Cmd
	out  *bytes.Buffer
	over chan struct{}
}

// start begins a run of Terraform.
func (m *machine) start(args ...string) *started {
	m.Helper()
	cmd, out := m.terraformCommand(args...)
	m.ok(cmd.Start())
	s := &started{m, cmd, out, make(chan struct{})}
	go func() {
		defer close(s.over)
		_ = cmd.Wait() // how it ended is in cmd.ProcessState
	}()
	return s
}

// startApply begins to apply a configuration.
func (m *machine) startApply(text string) *started {
	m.Helper()
	m.write(text)
	return m.start("apply", "-auto-approve", "-no-color", "-input=false")
}

// kill ends Terraform and its provider at once and says whether they were still at work.
func (s *started) kill() bool {
	select {
	case <-s.over:
		return false
	default:
	}
	_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
	<-s.over
	return true
}

// wait returns how the run ended.
func (s *started) wait() outcome {
	<-s.over
	return outcome{out: s.out.String(), code: s.cmd.ProcessState.ExitCode()}
}

// interrupt presses Ctrl-C and returns how the run ended.
func (s *started) interrupt() outcome {
	_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGINT) // the whole group, as a terminal does
	return s.wait()
}
