package postgres

import (
	"bytes"
	"time"

	"golang.org/x/sys/unix"
)

// isPostmaster tells whether the process that a postmaster.pid names is the
// one that wrote it: it is called postgres and began when the file says.
func isPostmaster(said *record, _ string) bool {
	process, err := unix.SysctlKinfoProc("kern.proc.pid", said.pid)
	if err != nil || int(process.Proc.P_pid) != said.pid {
		return false
	}
	name, _, _ := bytes.Cut(process.Proc.P_comm[:], []byte{0})
	started := time.Unix(process.Proc.P_starttime.Unix())
	return string(name) == "postgres" && started.Sub(said.started).Abs() <= 5*time.Second
}

// orphans is not known on this system: PostgreSQL itself refuses to start
// while any are left, and the start is tried again.
func orphans(string) []int { return nil }

// isChild is asked about orphans only.
func isChild(int) bool { return false }
