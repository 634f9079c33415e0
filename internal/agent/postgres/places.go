//go:build !windows

package postgres

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// usualPlaces lists the folders where distributions put the server programs,
// newest major first, then those that hold whatever version is current.
func usualPlaces() []string {
	versioned := []string{
		"/usr/lib/postgresql/%d/bin", // Debian, Ubuntu
		"/usr/pgsql-%d/bin",          // PGDG on RHEL, Fedora
		"/usr/libexec/postgresql%d",  // Alpine
		"/usr/lib/postgresql%d/bin",  // openSUSE
		"/home/linuxbrew/.linuxbrew/opt/postgresql@%d/bin",
	}
	current := []string{
		"/usr/bin", // Arch, RHEL, Fedora
		"/usr/local/pgsql/bin",
		"/usr/local/bin",
	}
	if runtime.GOOS == "darwin" {
		versioned = []string{
			"/opt/homebrew/opt/postgresql@%d/bin", // Homebrew on Apple silicon
			"/usr/local/opt/postgresql@%d/bin",    // Homebrew on Intel
			"/Applications/Postgres.app/Contents/Versions/%d/bin",
			"/opt/local/lib/postgresql%d/bin", // MacPorts
		}
		current = []string{
			"/opt/homebrew/opt/postgresql/bin",
			"/usr/local/opt/postgresql/bin",
			"/Applications/Postgres.app/Contents/Versions/latest/bin",
			"/usr/local/pgsql/bin",
		}
	}
	var places []string
	for major := newestMajor; major >= oldestMajor; major-- {
		for _, pattern := range versioned {
			places = append(places, fmt.Sprintf(pattern, major))
		}
	}
	return append(places, current...)
}

// holdsServer tells whether dir is worth trying at all.
func holdsServer(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, "postgres"))
	return err == nil && !info.IsDir()
}

// installHint names the usual commands that install PostgreSQL.
func installHint() string {
	if runtime.GOOS == "darwin" {
		return fmt.Sprintf("brew install postgresql@%d", newestMajor)
	}
	return "Debian, Ubuntu: apt install postgresql; RHEL, Fedora: dnf install postgresql-server; " +
		"Alpine: apk add postgresql; Arch: pacman -S postgresql"
}
