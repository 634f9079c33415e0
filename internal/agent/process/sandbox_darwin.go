package process

import "golang.org/x/sys/unix"

// closeOnExec marks the two descriptors that were given to us; what Go opens is marked anyway.
func closeOnExec() {
	unix.CloseOnExec(controlDescriptor)
	unix.CloseOnExec(reportDescriptor)
}

// forbidNewPrivileges has no counterpart on macOS.
func forbidNewPrivileges() error { return nil }

func replace(fd, stream int) error { return unix.Dup2(fd, stream) }
