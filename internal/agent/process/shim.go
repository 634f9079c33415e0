//go:build linux || darwin

package process

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// ShimMain is the main function of our own binary in shim mode. It returns the exit code unless it
// becomes the command. Standard streams are of no use to it.
func ShimMain() int {
	closeOnExec()
	control := os.NewFile(controlDescriptor, "control")
	reports := os.NewFile(reportDescriptor, "report")
	o, err := awaitOrder(control)
	_ = control.Close()
	if errors.Is(err, io.EOF) {
		return 0 // whoever wanted this is gone, and nothing has been started
	}
	if err == nil {
		switch o.Stage {
		case stageExecute:
			err = execute(o.Spec, reports)
		case stageSupervise:
			err = supervise(o.Spec, reports)
		default:
			err = fmt.Errorf("stage %q is unknown", o.Stage)
		}
	}
	if err != nil {
		tell(reports, reportOf(err))
		return 1
	}
	return 0
}

// awaitOrder returns the order once it may be acted on, io.EOF when the other side is gone before.
func awaitOrder(control io.Reader) (order, error) {
	reader := bufio.NewReader(control)
	line, err := reader.ReadBytes('\n')
	if err != nil {
		return order{}, err
	}
	var o order
	if err := json.Unmarshal(line, &o); err != nil {
		return order{}, fmt.Errorf("read order: %w", err)
	}
	word, err := io.ReadAll(reader)
	if err != nil {
		return order{}, err
	}
	if string(word) != goAhead {
		return order{}, io.EOF
	}
	return o, nil
}

// supervise runs the command in a process group of its own and leaves its result. The group is what
// lets a SIGTERM to ours reach the command exactly once: passed on by us.
func supervise(spec Spec, reports *os.File) error {
	terms := make(chan os.Signal, 1)
	signal.Notify(terms, syscall.SIGTERM)
	child, err := spawn(order{Stage: stageExecute, Spec: spec}, &syscall.SysProcAttr{Setpgid: true})
	if err != nil {
		return err
	}
	if err := child.run(); err != nil {
		child.abandon()
		failed := Result{ExitCode: -1, StartError: err.Error(), FinishedAt: time.Now().UTC()}
		return errors.Join(err, failed.write(spec.ResultFile))
	}
	tell(reports, report{Started: true})
	_ = reports.Close()

	ended := make(chan struct{})
	go func() {
		_ = child.command.Wait() // an exit code other than 0 is a result
		close(ended)
	}()
	for {
		select {
		case <-terms:
			_ = unix.Kill(-child.command.Process.Pid, syscall.SIGTERM)
		case <-ended:
			exit := exitOf(child.command.ProcessState.Sys().(syscall.WaitStatus))
			return Result{ExitCode: exit.Code, Signal: exit.Signal, FinishedAt: time.Now().UTC()}.write(spec.ResultFile)
		}
	}
}

// reportOf turns an error into words for the starting side.
func reportOf(err error) report {
	r := report{Cause: &cause{Text: err.Error()}}
	var start *StartError
	if errors.As(err, &start) {
		r.Op, r.Path, r.Cause.Text = start.Op, start.Path, start.Err.Error()
	}
	_ = errors.As(err, &r.Cause.Errno) // stays 0 when there is none
	return r
}

// tell cannot do anything about a starting side that is gone.
func tell(reports io.Writer, r report) { _ = json.NewEncoder(reports).Encode(r) }
