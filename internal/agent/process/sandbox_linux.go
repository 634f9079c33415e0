package process

import "golang.org/x/sys/unix"

// closeOnExec marks every descriptor but the standard ones, wherever it came from.
func closeOnExec() {
	if unix.CloseRange(3, ^uint(0), unix.CLOSE_RANGE_CLOEXEC) == nil {
		return
	}
	// Before Linux 5.11. What we opened is marked anyway; these two were given to us.
	unix.CloseOnExec(controlDescriptor)
	unix.CloseOnExec(reportDescriptor)
}

// forbidNewPrivileges makes set-user-id programs useless to the command.
func forbidNewPrivileges() error { return unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }

func replace(fd, stream int) error { return unix.Dup3(fd, stream, 0) }
