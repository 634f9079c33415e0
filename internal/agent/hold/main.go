//go:build linux || darwin

package hold

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// Options of a hold.
type Options struct {
	// DataDir is the directory that the agent serves. It must exist.
	DataDir string
	// Version is that of this executable.
	Version string
	// Commands start this executable in its other roles, and another one in an upgrade.
	Commands Commands
	// Log receives what happens; nil discards it.
	Log *slog.Logger
}

// Main is hold: it returns when the agent has ended, with a RunningError when one serves the data
// directory already. It takes over the process: signals, umask, and descriptors named in its environment.
func Main(options Options) error {
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	// Whoever started us may close the terminal or the pipe that we log to: no reason to die.
	signal.Ignore(syscall.SIGHUP, syscall.SIGPIPE)
	unix.Umask(0o077)
	left, _, err := inherit[estate](holdVariable)
	if err != nil {
		return err
	}
	if left.Detach {
		return detach(left)
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT) // before anybody can read our process id
	defer signal.Stop(signals)
	h, err := newHolder(options, left)
	if err != nil {
		return err
	}
	return h.run(signals)
}

// detach starts this process anew as a child of nobody, so that whoever spawned the agent need not wait
// for it for the rest of its life.
func detach(left estate) error {
	path, err := self()
	if err != nil {
		return err
	}
	variable, err := assignment(holdVariable, estate{Lock: 3, Birth: 4})
	if err != nil {
		return err
	}
	command := exec.Command(path, os.Args[1:]...)
	command.Args[0] = os.Args[0]
	command.Dir = "/"
	command.Env = append(os.Environ(), variable)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	command.ExtraFiles = []*os.File{os.NewFile(uintptr(left.Lock), "lock"), os.NewFile(uintptr(left.Birth), "birth")}
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := command.Start(); err != nil {
		return fmt.Errorf("detach: %w", err)
	}
	return command.Process.Release()
}

// errServeFails says that no serve has ever come up.
var errServeFails = errors.New("serve ended several times before it was ready: see the log")

// errNoBye says that serve died when it was asked to stop.
var errNoBye = errors.New("serve ended without saying that the agent ends")
