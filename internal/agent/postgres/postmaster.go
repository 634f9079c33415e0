//go:build !windows

package postgres

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// postmaster is the live main process of a server. It may be a child of ours
// or of an agent before us; nothing depends on which. On Linux the process is
// held by a pidfd, so that a signal cannot hit another process of that pid.
type postmaster struct {
	pid     int
	process *os.Process
}

// findPostmaster returns the live postmaster of the data directory, nil if
// there is none. What postmaster.pid says is believed only if the process of
// that pid proves to be it: a pid may belong to somebody else by now.
func findPostmaster(data string) (*postmaster, *record, error) {
	said, err := readRecord(data)
	if err != nil || said == nil || said.pid <= 0 {
		return nil, nil, err
	}
	process, err := os.FindProcess(said.pid)
	if err != nil {
		return nil, nil, nil
	}
	found := &postmaster{pid: said.pid, process: process}
	if !found.alive() || !isPostmaster(said, data) {
		return nil, nil, nil
	}
	return found, said, nil
}

// alive tells whether the process runs. If it was a child of ours and has
// ended, it is reaped.
func (p *postmaster) alive() bool {
	var status unix.WaitStatus
	if pid, err := unix.Wait4(p.pid, &status, unix.WNOHANG, nil); err == nil && pid == p.pid {
		return false
	}
	return p.process.Signal(syscall.Signal(0)) == nil
}

// signal sends sig to the postmaster alone, which passes it on as it sees fit.
func (p *postmaster) signal(sig syscall.Signal) error {
	err := p.process.Signal(sig)
	if err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("send %s to postmaster %d: %w", sig, p.pid, err)
	}
	return nil
}

// startPostmaster starts a server on the data directory: in a session of its
// own, with nothing inherited from us but the log file it appends to.
func startPostmaster(programs Binaries, data, logFile string, runAs *User) (*postmaster, error) {
	output, err := os.OpenFile(logFile, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open server's log: %w", err)
	}
	defer output.Close()
	nothing, err := os.Open(os.DevNull)
	if err != nil {
		return nil, fmt.Errorf("start postgres: %w", err)
	}
	defer nothing.Close()
	program := programs.path("postgres")
	process, err := os.StartProcess(program, []string{program, "-D", data}, &os.ProcAttr{
		Dir:   data,
		Env:   environment(),
		Files: []*os.File{nothing, output, output},
		Sys:   &syscall.SysProcAttr{Setsid: true, Credential: runAs.credential()},
	})
	if err != nil {
		return nil, fmt.Errorf("start postgres: %w", err)
	}
	return &postmaster{pid: process.Pid, process: process}, nil
}

// dropStaleRecord removes a postmaster.pid whose pid belongs to a process that
// is not the postmaster: PostgreSQL itself only asks whether the pid is alive
// and would refuse to start. A record of a dead process is left to PostgreSQL.
func dropStaleRecord(data string) (dropped bool, err error) {
	said, err := readRecord(data)
	if err != nil || said == nil || said.pid <= 0 {
		return false, err
	}
	if syscall.Kill(said.pid, 0) != nil || isPostmaster(said, data) {
		return false, nil
	}
	if err := os.Remove(filepath.Join(data, "postmaster.pid")); err != nil {
		return false, fmt.Errorf("remove stale postmaster.pid: %w", err)
	}
	return true, nil
}
