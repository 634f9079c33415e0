//go:build linux || darwin

package process

import (
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// execute becomes the command; it returns only when that is impossible. Whatever needs our privileges
// comes before they are dropped, whatever must fail for the target user comes after.
func execute(spec Spec, reports *os.File) error {
	// Attributes that belong to a thread must be set on the one that executes.
	runtime.LockOSThread()
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return &StartError{Op: "forbid core dumps", Err: err}
	}
	if err := openLog(spec.LogFile, spec.RunAs); err != nil {
		return &StartError{Op: "open log", Path: spec.LogFile, Err: err}
	}
	unix.Umask(0o077)
	if err := become(spec.RunAs); err != nil {
		return &StartError{Op: "become user", Err: err}
	}
	dir := spec.Dir
	if dir == "" {
		dir = "/"
	}
	if err := unix.Chdir(dir); err != nil {
		return &StartError{Op: "enter directory", Path: dir, Err: explainPath(dir, err)}
	}
	program, err := findProgram(spec.Command[0], dir, spec.Env)
	if err != nil {
		return err
	}
	if err := forbidNewPrivileges(); err != nil {
		return &StartError{Op: "forbid new privileges", Err: err}
	}
	// A signal that is ignored stays ignored across execve, one that is caught goes back to its default.
	// Ours may be ignored because the agent was started with nohup.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP, syscall.SIGINT)
	tell(reports, report{Started: true})
	err = syscall.Exec(program, spec.Command, spec.Env)
	return &StartError{Op: "execute", Path: program, Err: explainExecve(program, err)}
}

// openLog makes the log our standard output and error.
func openLog(path string, owner *User) error {
	const flags = unix.O_APPEND | unix.O_CREAT | unix.O_WRONLY | unix.O_NOFOLLOW | unix.O_CLOEXEC
	fd, err := unix.Open(path, flags, 0o640)
	if err != nil {
		return err
	}
	if err := unix.Fchmod(fd, 0o640); err != nil {
		return err
	}
	if owner != nil {
		if err := unix.Fchown(fd, owner.UID, -1); err != nil {
			return err
		}
	}
	for _, stream := range []int{1, 2} {
		if err := replace(fd, stream); err != nil {
			return err
		}
	}
	return unix.Close(fd)
}

// become drops to the user, on all threads.
func become(user *User) error {
	if user == nil {
		return nil
	}
	if err := syscall.Setgroups([]int{user.GID}); err != nil {
		return err
	}
	if err := syscall.Setgid(user.GID); err != nil {
		return err
	}
	return syscall.Setuid(user.UID)
}
