//go:build linux || darwin

package process

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// Start starts the process that the spec describes and returns once the command runs. A [*StartError]
// says that it never will; any other error may pass. With an error nothing is left running. The process
// does not depend on ctx afterwards.
func Start(ctx context.Context, spec Spec) (*Process, error) {
	if err := spec.validate(); err != nil {
		return nil, fmt.Errorf("start process %q: %w", spec.ID, err)
	}
	p, err := start(ctx, spec)
	if err != nil {
		return nil, fmt.Errorf("start process %q: %w", spec.ID, err)
	}
	return p, nil
}

func start(ctx context.Context, spec Spec) (*Process, error) {
	o := order{Stage: stageExecute, Spec: spec}
	if spec.Kind == Task {
		o.Stage = stageSupervise
		if err := os.Remove(spec.ResultFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("remove old task result: %w", err)
		}
	}
	s, err := spawn(o, &syscall.SysProcAttr{Setsid: true})
	if err != nil {
		return nil, err
	}
	id, err := identify(s.command.Process.Pid)
	if err != nil {
		s.abandon()
		return nil, err
	}
	// Until the command runs ctx may still call it off: without the shim every wait below ends.
	interrupt := context.AfterFunc(ctx, s.kill)
	p, err := s.become(id, spec)
	if !interrupt() {
		err = context.Cause(ctx)
	}
	if err == nil {
		return p, nil
	}
	undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoLimit)
	defer cancel()
	if p != nil {
		return nil, errors.Join(err, p.Stop(undo, 0))
	}
	s.abandon()
	return nil, errors.Join(err, Sweep(undo, id)) // a task's command is not its shim
}

// become records the waiting shim, says go and returns when the command runs in its place or beside it.
func (s *shim) become(id Identity, spec Spec) (*Process, error) {
	w, err := watch(id)
	if err != nil {
		return nil, err
	}
	if spec.Record != nil {
		if err := spec.Record(id); err != nil {
			w.close()
			return nil, fmt.Errorf("record %s: %w", id, err)
		}
	}
	if err := s.run(); err != nil {
		w.close()
		return nil, err
	}
	resultFile := ""
	if spec.Kind == Task {
		resultFile = spec.ResultFile
	}
	return observe(id, w, s.command, resultFile), nil
}
