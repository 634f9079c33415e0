package process

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// stateZombie is SZOMB of <sys/proc.h>.
const stateZombie = 5

// bootID reads the identifier of this boot session. Unlike kern.boottime it does not move when somebody
// sets the clock.
func bootID() (string, error) {
	id, err := unix.Sysctl("kern.bootsessionuuid")
	if err != nil {
		return "", fmt.Errorf("read boot id: %w", err)
	}
	return id, nil
}

// look observes one process. It returns ErrGone when there is none.
func look(pid int) (status, error) {
	entry, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	// The kernel answers with an empty list, which x/sys reports as EIO, when there is no such process.
	if errors.Is(err, unix.EIO) || errors.Is(err, unix.ESRCH) {
		return status{}, ErrGone
	}
	if err != nil {
		return status{}, fmt.Errorf("read status of process %d: %w", pid, err)
	}
	return observed(entry)
}

func observed(entry *unix.KinfoProc) (status, error) {
	started := entry.Proc.P_starttime
	s := status{
		pid:       int(entry.Proc.P_pid),
		group:     int(entry.Eproc.Pgid),
		startTime: uint64(started.Sec)*1_000_000 + uint64(started.Usec),
		zombie:    entry.Proc.P_stat == stateZombie,
	}
	if s.zombie {
		return s, nil // it has no session to ask for any more
	}
	session, err := unix.Getsid(s.pid)
	if errors.Is(err, unix.ESRCH) {
		return status{}, ErrGone
	}
	if err != nil {
		return status{}, fmt.Errorf("read session of process %d: %w", s.pid, err)
	}
	s.session = session
	return s, nil
}

// all observes every process that we may see.
func all() ([]status, error) {
	entries, err := unix.SysctlKinfoProcSlice("kern.proc.all")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var found []status
	for i := range entries {
		s, err := observed(&entries[i])
		if err != nil {
			continue // gone meanwhile, or not ours to look at
		}
		found = append(found, s)
	}
	return found, nil
}
