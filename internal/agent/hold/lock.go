//go:build linux || darwin

package hold

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// ErrRunning says that an agent serves the data directory already, or is just starting or ending.
var ErrRunning = errors.New("agent is running")

// errNotOurs says that the data directory is gone, or is another one than the agent has locked.
var errNotOurs = errors.New("the data directory is not the agent's any more")

// RunningError is ErrRunning with what is known about the agent.
type RunningError struct {
	DataDir string
	// PID is 0 when the agent has not written it down yet.
	PID     int
	Version string
}

func (e *RunningError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("an agent for %s is running already", e.DataDir)
	}
	return fmt.Sprintf("an agent for %s is running already: process %d, version %s", e.DataDir, e.PID, e.Version)
}

// Unwrap returns ErrRunning.
func (e *RunningError) Unwrap() error { return ErrRunning }

// acquire takes the lock of a data directory or returns a RunningError. The lock belongs to the open
// file: whoever inherits the descriptor shares it, and it is free when the last one is closed.
func acquire(dataDir string) (*os.File, error) {
	path := lockPath(dataDir)
	for {
		file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, fmt.Errorf("open agent lock: %w", err)
		}
		err = unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if errors.Is(err, unix.EWOULDBLOCK) {
			_ = file.Close()
			return nil, running(dataDir)
		}
		if err != nil {
			_ = file.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		// An agent that ends removes the file. A lock on a file without a name excludes nobody.
		current, err := isAt(file, path)
		if err == nil && current {
			return file, nil
		}
		_ = file.Close()
		if err != nil {
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
	}
}

func isAt(file *os.File, path string) (bool, error) {
	held, err := file.Stat()
	if err != nil {
		return false, err
	}
	named, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return os.SameFile(held, named), nil
}

func running(dataDir string) error {
	e := &RunningError{DataDir: dataDir}
	if info, err := ReadInfo(dataDir); err == nil {
		e.PID, e.Version = info.PID, info.Version
	}
	return e
}
