//go:build !windows

package postgres

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// placePatterns lists where distributions put the server programs: folders of
// one major version, which is the %d, and those that hold the current one.
func placePatterns() (versioned, current []string) {
	if runtime.GOOS == "darwin" {
		return []string{
				"/opt/homebrew/opt/postgresql@%d/bin", // Homebrew on Apple silicon
				"/usr/local/opt/postgresql@%d/bin",    // Homebrew on Intel
				"/Applications/Postgres.app/Contents/Versions/%d/bin",
				"/opt/local/lib/postgresql%d/bin", // MacPorts
			}, []string{
				"/opt/homebrew/opt/postgresql/bin",
				"/usr/local/opt/postgresql/bin",
				"/Applications/Postgres.app/Contents/Versions/latest/bin",
				"/usr/local/pgsql/bin",
			}
	}
	return []string{
			"/usr/lib/postgresql/%d/bin", // Debian, Ubuntu
			"/usr/pgsql-%d/bin",          // PGDG on RHEL, Fedora
			"/usr/libexec/postgresql%d",  // Alpine
			"/usr/lib/postgresql%d/bin",  // openSUSE
			"/home/linuxbrew/.linuxbrew/opt/postgresql@%d/bin",
		}, []string{
			"/usr/bin", // Arch, RHEL, Fedora
			"/usr/local/pgsql/bin",
			"/usr/local/bin",
		}
}

// usualPlaces lists the folders to try, newest major first.
func usualPlaces() []string {
	versioned, current := placePatterns()
	var places []string
	for major := newestMajor; major >= oldestMajor; major-- {
		for _, pattern := range versioned {
			places = append(places, fmt.Sprintf(pattern, major))
		}
	}
	return append(places, current...)
}

// placesInWords is usualPlaces for people to read.
func placesInWords() string {
	versioned, current := placePatterns()
	return strings.ReplaceAll(strings.Join(append(versioned, current...), ", "), "%d", "N")
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
