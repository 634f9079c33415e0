//go:build linux || darwin

package process

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// undoLimit bounds the removal of what a start that went wrong left behind.
const undoLimit = 10 * time.Second

// Descriptors of a shim beside the standard ones, which are all /dev/null.
const (
	controlDescriptor = 3 // reads an order, then goAhead
	reportDescriptor  = 4 // writes one report, closed by a successful execve
)

// goAhead follows the order on the control pipe once the shim may act on it.
const goAhead = "go"

const (
	stageExecute   = "execute"   // become the command
	stageSupervise = "supervise" // start a shim that becomes it, wait, write the result
)

// order tells a shim what to do.
type order struct {
	Stage string `json:"stage"`
	Spec  Spec   `json:"spec"`
}

// report is what a shim says last.
type report struct {
	// Started is true when the command is about to run: end of file must follow and nothing else.
	Started bool   `json:"started,omitempty"`
	Op      string `json:"op,omitempty"`
	Path    string `json:"path,omitempty"`
	Cause   *cause `json:"cause,omitempty"`
}

// err returns a StartError when the command will never start, a plain error when it may another time.
func (r report) err() error {
	start := &StartError{Op: r.Op, Path: r.Path, Err: r.Cause}
	switch r.Cause.Errno {
	case syscall.EAGAIN, syscall.ENOMEM, syscall.EMFILE, syscall.ENFILE, syscall.ENOSPC, syscall.EDQUOT,
		syscall.EIO, syscall.ETXTBSY:
		return fmt.Errorf("%s: %w", start.Error(), r.Cause.Errno)
	}
	if r.Op == "" {
		return fmt.Errorf("run shim: %w", r.Cause)
	}
	return start
}

// shim is the starting side's end of a shim.
type shim struct {
	command *exec.Cmd
	control *os.File
	report  *os.File
}

// spawn starts a shim that holds an order and waits for run or abandon.
func spawn(o order, attributes *syscall.SysProcAttr) (*shim, error) {
	orders, control, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("open control pipe: %w", err)
	}
	defer orders.Close()
	answers, reports, err := os.Pipe()
	if err != nil {
		_ = control.Close()
		return nil, fmt.Errorf("open report pipe: %w", err)
	}
	defer reports.Close()

	name, arguments := o.Spec.ShimCommand[0], o.Spec.ShimCommand[1:]
	s := &shim{command: exec.Command(name, arguments...), control: control, report: answers}
	s.command.Dir = "/"
	s.command.Env = []string{} // nil would inherit ours
	s.command.ExtraFiles = []*os.File{orders, reports}
	s.command.SysProcAttr = attributes
	if err := s.command.Start(); err != nil {
		s.close()
		return nil, fmt.Errorf("start shim: %w", err)
	}
	if err := json.NewEncoder(control).Encode(o); err != nil {
		s.abandon()
		return nil, fmt.Errorf("brief shim: %w", err)
	}
	return s, nil
}

// run says go and returns nil when the command runs.
func (s *shim) run() error {
	_, err := io.WriteString(s.control, goAhead)
	_ = s.control.Close()
	if err != nil {
		return fmt.Errorf("command shim: %w", err)
	}
	defer s.report.Close()
	decoder := json.NewDecoder(s.report)
	var last report
	for {
		var next report
		err := decoder.Decode(&next)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("read report of shim: %w", err)
		}
		last = next
	}
	if last.Cause != nil {
		return last.err()
	}
	if !last.Started {
		return errors.New("shim ended before it started the command")
	}
	return nil
}

func (s *shim) kill() { _ = s.command.Process.Kill() }

// abandon ends the shim, whether or not it has heard go, and waits for it.
func (s *shim) abandon() {
	s.close()
	s.kill()
	_ = s.command.Wait()
}

func (s *shim) close() {
	_ = s.control.Close()
	_ = s.report.Close()
}
