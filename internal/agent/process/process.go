//go:build linux || darwin

package process

import (
	"errors"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// Exit says how a process ended.
type Exit struct {
	// Code is the exit code; meaningless when Signal is set.
	Code int
	// Signal names what killed it, as in SIGKILL.
	Signal string
	// Known is false when nobody could tell: the process was found, not started, by us.
	Known bool
}

// Process is a running process, or one that has ended. Its methods are safe for concurrent use.
type Process struct {
	id         Identity
	watcher    watcher
	command    *exec.Cmd // nil when it was found: only a parent can wait
	resultFile string    // of a task that was started by us

	done      chan struct{}
	exit      Exit          // written before done is closed
	unwatched chan struct{} // closed when nobody waits for the end any more
}

// Find returns the running process of a recorded identity, whoever started it, or ErrGone. Its exit code
// will not be known; a task's is in its [Result].
func Find(id Identity) (*Process, error) {
	w, err := watch(id)
	if err != nil {
		return nil, err
	}
	return observe(id, w, nil, ""), nil
}

// observe begins to wait for the end of a process. The command is nil unless it is our child.
func observe(id Identity, w watcher, command *exec.Cmd, resultFile string) *Process {
	p := &Process{
		id: id, watcher: w, command: command, resultFile: resultFile,
		done: make(chan struct{}), unwatched: make(chan struct{}),
	}
	go func() {
		defer close(p.unwatched)
		if errors.Is(p.watcher.wait(), errReleased) {
			return
		}
		p.watcher.close()
		p.exit = p.reap()
		close(p.done)
	}()
	return p
}

// reap learns how the process ended, and frees its entry in the kernel's table if we are its parent.
func (p *Process) reap() Exit {
	if p.command == nil {
		return Exit{}
	}
	_ = p.command.Wait() // an exit code other than 0 is no error of ours
	exit := exitOf(p.command.ProcessState.Sys().(syscall.WaitStatus))
	if p.resultFile == "" {
		return exit
	}
	result, err := ReadResult(p.resultFile)
	switch {
	case err == nil:
		return Exit{Code: result.ExitCode, Signal: result.Signal, Known: result.StartError == ""}
	case exit.Signal != "":
		return exit // the shim was killed before it could write
	default:
		return Exit{}
	}
}

func exitOf(status syscall.WaitStatus) Exit {
	if status.Signaled() {
		return Exit{Code: -1, Signal: unix.SignalName(status.Signal()), Known: true}
	}
	return Exit{Code: status.ExitStatus(), Known: true}
}

// Identity returns what Find needs.
func (p *Process) Identity() Identity { return p.id }

// Done is closed when the process has ended. Others may remain in its session: Stop removes them.
func (p *Process) Done() <-chan struct{} { return p.done }

// Exit returns how the process ended; it means something only once Done is closed.
func (p *Process) Exit() Exit {
	select {
	case <-p.done:
		return p.exit
	default:
		return Exit{}
	}
}

// Release stops watching and leaves the process alone: Done will not be closed any more unless it is
// already. It is for an agent that ends while what it runs goes on; use Find to get hold of it again.
func (p *Process) Release() {
	p.watcher.close()
	<-p.unwatched
}
