//go:build linux || darwin

package hold

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Info describes the running agent to whoever looks into its data directory.
type Info struct {
	// PID is that of hold: the process to signal.
	PID        int       `json:"pid"`
	StartedAt  time.Time `json:"started_at"`
	Version    string    `json:"version"`
	Executable string    `json:"executable"`
}

// SocketPath is where the agent of a data directory answers its control API.
func SocketPath(dataDir string) string { return filepath.Join(dataDir, "agent.sock") }

func infoPath(dataDir string) string { return filepath.Join(dataDir, "agent.json") }

func lockPath(dataDir string) string { return filepath.Join(dataDir, "agent.lock") }

// Present says whether a data directory has any file of an agent that runs, or was killed. An agent
// that ended leaves none.
func Present(dataDir string) bool {
	for _, path := range []string{SocketPath(dataDir), infoPath(dataDir), lockPath(dataDir)} {
		if _, err := os.Lstat(path); err == nil {
			return true
		}
	}
	return false
}

// ReadInfo reads what the agent of a data directory wrote about itself. The error is fs.ErrNotExist when
// there is none; an agent that was killed leaves its Info behind.
func ReadInfo(dataDir string) (Info, error) {
	text, err := os.ReadFile(infoPath(dataDir))
	if err != nil {
		return Info{}, fmt.Errorf("read agent info: %w", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	var info Info
	if err := decoder.Decode(&info); err != nil {
		return Info{}, fmt.Errorf("read agent info %s: %w", infoPath(dataDir), err)
	}
	return info, nil
}

// write makes the info durable at once or not at all.
func (i Info) write(dataDir string) (err error) {
	text, err := json.MarshalIndent(i, "", "  ")
	if err != nil {
		return fmt.Errorf("encode agent info: %w", err)
	}
	temporary := infoPath(dataDir) + ".new" // only the owner of the lock writes
	file, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("write agent info: %w", err)
	}
	_, err = file.Write(append(text, '\n'))
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(temporary, infoPath(dataDir))
	}
	if err == nil {
		err = syncFolder(dataDir)
	}
	if err != nil {
		return fmt.Errorf("write agent info: %w", err)
	}
	return nil
}

func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}

// remove deletes files that may not be there.
func remove(paths ...string) error {
	var errs []error
	for _, path := range paths {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
