//go:build linux || darwin

package hold

import (
	"fmt"
	"os"
	"runtime"
)

// Commands are the arguments, after the executable, that make it play its roles.
type Commands struct {
	// Hold calls Main.
	Hold []string
	// Serve calls Connect.
	Serve []string
	// Handshake calls WriteHandshake and ends.
	Handshake []string
}

// self returns a path that starts the executable that runs now, even if its file was replaced or
// deleted meanwhile, as happens to a provider's when its working directory is cleaned.
func self() (string, error) {
	if runtime.GOOS == "linux" {
		return "/proc/self/exe", nil
	}
	return selfName()
}

// selfName returns the executable's path for people.
func selfName() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find own executable: %w", err)
	}
	return path, nil
}
