package agentapi

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// Place is the agent of one data directory, and who looks for it.
type Place struct {
	DataDir string
	// Executable is the binary that an agent is started from; it has the "agent" command.
	Executable string
	// Software is the caller's version.
	Software string
	// Attach says that an agent is never started: where none runs, that is an error.
	Attach bool
}

// DefaultDataDir is where the local target lives unless it is told: SLIPWAY_DATA_DIR, else
// /var/lib/slipway for root, else slipway under the user's data folder.
func DefaultDataDir() (string, error) {
	if dir := os.Getenv("SLIPWAY_DATA_DIR"); dir != "" {
		return dir, nil
	}
	if runtime.GOOS != "windows" && os.Geteuid() == 0 {
		return "/var/lib/slipway", nil
	}
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "slipway"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find a data directory: set SLIPWAY_DATA_DIR or local.data_dir: %w", err)
	}
	return filepath.Join(home, ".local", "share", "slipway"), nil
}

// LogFile is the agent's log.
func LogFile(dataDir string) string { return filepath.Join(dataDir, "log", "agent.log") }

// MakeDataDir makes a data directory. Root's can be passed through by the unprivileged users
// of what runs in it, but not read.
func MakeDataDir(dir string) error {
	mode := os.FileMode(0o700)
	if os.Geteuid() == 0 {
		mode = 0o711
	}
	for _, d := range []string{dir, filepath.Dir(LogFile(dir))} {
		if err := os.MkdirAll(d, mode); err != nil {
			return fmt.Errorf("make data directory: %w", err)
		}
	}
	return nil
}

// EndedFile holds the id of the last installation of a data directory that was removed as it
// should be, with its last region. It is what tells that from one that went missing.
func EndedFile(dataDir string) string { return filepath.Join(dataDir, "log", "ended-installation") }

// Ended returns the id of the installation that was removed last, "" if there is none.
func Ended(dataDir string) string {
	text, err := os.ReadFile(EndedFile(dataDir))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// installed says whether a data directory has an installation.
func installed(dir string) bool {
	_, err := os.Lstat(filepath.Join(dir, "installation.json"))
	return err == nil
}
