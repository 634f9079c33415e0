//go:build !windows

package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// environment is all that the server's programs get to see of ours.
func environment() []string {
	return []string{"PATH=/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL=C", "TZ=UTC"}
}

// run runs a program to its end in dir as runAs, in a session of its own, and
// returns what it printed. When it fails, the error holds its last lines.
func run(ctx context.Context, runAs *User, dir, program string, args ...string) (string, error) {
	return finish(ctx, newCommand(ctx, runAs, dir, program, args...), func(int) error { return nil })
}

// newCommand is a program that runs in dir as runAs, in a session of its own.
func newCommand(ctx context.Context, runAs *User, dir, program string, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, program, args...)
	command.Dir = dir
	command.Env = environment()
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: runAs.credential()}
	command.WaitDelay = 5 * time.Second
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
	return command
}

// finish runs a command to its end and returns what it printed. Started is
// told its pid; an error of started ends the command.
func finish(ctx context.Context, command *exec.Cmd, started func(pid int) error) (string, error) {
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	err := command.Start()
	if err == nil {
		if err = started(command.Process.Pid); err != nil {
			err = errors.Join(err, command.Cancel())
		}
		err = errors.Join(err, command.Wait())
	}
	text := strings.TrimSpace(output.String())
	switch {
	case ctx.Err() != nil:
		return text, fmt.Errorf("run %s: %w", command.Path, ctx.Err())
	case err != nil && text != "":
		return text, fmt.Errorf("run %s: %w: %s", command.Path, err, strings.Join(lastLines(text, 10), "; "))
	case err != nil:
		return text, fmt.Errorf("run %s: %w", command.Path, err)
	}
	return text, nil
}

// lastLines returns the last n lines of text.
func lastLines(text string, n int) []string {
	text = strings.TrimSpace(text)
	if text == "" {
		return nil
	}
	lines := strings.Split(text, "\n")
	return lines[max(0, len(lines)-n):]
}
