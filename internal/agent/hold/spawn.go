//go:build linux || darwin

package hold

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

const (
	// lookEvery is how often somebody who waits for another one's agent looks for it.
	lookEvery = 20 * time.Millisecond
	// logShown is how much of the log of an agent that did not come up is shown.
	logShown = 4 << 10
)

// Spawn makes sure that an agent serves the data directory, which must exist: it starts one in the
// background unless there is one, and returns when its control socket accepts connections. Of many who
// call it at once one starts the agent and all wait for the same. The arguments, after the executable,
// call Main. The agent has a session of its own and of our environment only PATH, HOME, TMPDIR and LANG;
// its output is appended to the log file, of mode 0600. ctx must have an end.
func Spawn(ctx context.Context, executable, dataDir string, arguments []string, logFile string) error {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		if accepts(ctx, dataDir) {
			return nil
		}
		// Whoever has the lock starts the agent and leaves it the lock; nobody starts one to see it fail.
		lock, err := acquire(dataDir)
		if err == nil {
			err = spawn(ctx, lock, executable, arguments, logFile, dataDir)
		}
		if err != nil && !errors.Is(err, ErrRunning) {
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("wait for the agent of %s: %w%s", dataDir, context.Cause(ctx), lastLines(logFile, 0))
		}
	}
}

// accepts says whether the agent's control socket takes connections.
func accepts(ctx context.Context, dataDir string) bool {
	conn, err := DialUnix(ctx, SocketPath(dataDir))
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

// spawn starts a hold that inherits the lock. It returns nil when the agent works or when at least
// somebody else has the lock now, and an error with what the agent said when it has died.
func spawn(ctx context.Context, lock *os.File, executable string, arguments []string, logFile, dataDir string) error {
	defer lock.Close()
	log, err := os.OpenFile(logFile, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("open agent log: %w", err)
	}
	defer log.Close()
	before, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return fmt.Errorf("open agent log: %w", err)
	}
	works, birth, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("open birth pipe: %w", err)
	}
	defer works.Close()
	variable, err := assignment(holdVariable, estate{Detach: true, Lock: 3, Birth: 4})
	if err != nil {
		return errors.Join(err, birth.Close())
	}
	command := exec.CommandContext(ctx, executable, arguments...)
	command.Dir = "/"
	command.Env = append(minimalEnvironment(), variable)
	command.Stdout, command.Stderr = log, log
	command.ExtraFiles = []*os.File{lock, birth}
	err = command.Run() // ends as soon as it has started the agent proper
	_ = birth.Close()
	if err != nil {
		return errors.Join(fmt.Errorf("start agent: %w%s", err, lastLines(logFile, before)), remove(lockPath(dataDir)))
	}
	_ = lock.Close()
	interrupt := context.AfterFunc(ctx, func() { _ = works.SetReadDeadline(time.Unix(1, 0)) })
	defer interrupt()
	if _, err := works.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		return nil // it works, or our time is up
	}
	// The hold that we started is dead. If its serve lives, it has the lock and starts another one.
	lock, err = acquire(dataDir)
	if err != nil {
		return err
	}
	defer lock.Close()
	return errors.Join(fmt.Errorf("start agent: it ended at once%s", lastLines(logFile, before)), remove(lockPath(dataDir)))
}

// minimalEnvironment is all that an agent needs of ours: no credentials.
func minimalEnvironment() []string {
	var environment []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "LANG"} {
		if value, found := os.LookupEnv(name); found {
			environment = append(environment, name+"="+value)
		}
	}
	return environment
}

// lastLines returns what was logged since an offset, ready to follow an error; "" if there is nothing.
func lastLines(path string, since int64) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return ""
	}
	from := max(since, info.Size()-logShown)
	text, err := io.ReadAll(io.NewSectionReader(file, from, logShown))
	if err != nil || len(text) == 0 {
		return ""
	}
	return fmt.Sprintf("; the last lines of %s:\n%s", path, strings.ToValidUTF8(strings.TrimSpace(string(text)), "\uFFFD"))
}
