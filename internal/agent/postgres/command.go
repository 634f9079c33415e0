//go:build !windows

package postgres

import (
	"context"
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
	command := exec.CommandContext(ctx, program, args...)
	command.Dir = dir
	command.Env = environment()
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: runAs.credential()}
	command.WaitDelay = 5 * time.Second
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
	output, err := command.CombinedOutput()
	text := strings.TrimSpace(string(output))
	switch {
	case ctx.Err() != nil:
		return text, fmt.Errorf("run %s: %w", program, ctx.Err())
	case err != nil && text != "":
		return text, fmt.Errorf("run %s: %w: %s", program, err, strings.Join(lastLines(text, 10), "; "))
	case err != nil:
		return text, fmt.Errorf("run %s: %w", program, err)
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
