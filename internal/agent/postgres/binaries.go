//go:build !windows

package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// The majors that this package was tried with. Older ones cannot do what it
// needs; newer ones are taken only when their folder is named explicitly.
const (
	oldestMajor = 15
	newestMajor = 18
)

// probeLimit bounds one run of "postgres --version".
const probeLimit = 10 * time.Second

// Binaries is one installation of PostgreSQL's server programs.
type Binaries struct {
	// Dir holds initdb and postgres.
	Dir string
	// Version is what the server calls itself, such as "15.18".
	Version string
	// Major is its first number: it must be the data directory's.
	Major int
}

func (b Binaries) path(program string) string { return filepath.Join(b.Dir, program) }

// probe checks that dir holds programs that runAs can run.
func probe(ctx context.Context, dir string, runAs *User) (Binaries, error) {
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	found := Binaries{Dir: dir}
	for _, program := range []string{"postgres", "initdb"} {
		info, err := os.Stat(found.path(program))
		if err != nil {
			return Binaries{}, fmt.Errorf("look for %s: %w", program, err)
		}
		if info.IsDir() || info.Mode().Perm()&0o111 == 0 {
			return Binaries{}, fmt.Errorf("look for %s: %s is not a program", program, found.path(program))
		}
	}
	var text string
	err := poll(ctx, 20*time.Millisecond, func() (bool, error) {
		var err error
		text, err = run(ctx, runAs, "/", found.path("postgres"), "--version")
		if errors.Is(err, syscall.ETXTBSY) {
			// We have just written it, and a child that another goroutine forked
			// meanwhile has it open until it executes something else.
			return false, nil
		}
		return true, err
	})
	if errors.Is(err, fs.ErrPermission) {
		err = CheckReach(ctx, "/", found, runAs)
	}
	if err != nil {
		return Binaries{}, err
	}
	if found.Version, found.Major, err = parseVersion(text); err != nil {
		return Binaries{}, err
	}
	if found.Major < oldestMajor {
		return Binaries{}, fmt.Errorf("use %s: it is PostgreSQL %s, %d or newer is needed", dir, found.Version, oldestMajor)
	}
	return found, nil
}

// parseVersion reads "postgres (PostgreSQL) 15.18 (Debian …)".
func parseVersion(text string) (version string, major int, err error) {
	words := strings.Fields(text)
	for i, word := range words {
		if word != "(PostgreSQL)" || i+1 == len(words) {
			continue
		}
		version = words[i+1]
		digits := version
		if end := strings.IndexFunc(version, func(r rune) bool { return r < '0' || r > '9' }); end >= 0 {
			digits = version[:end]
		}
		if major, err = strconv.Atoi(digits); err != nil {
			break
		}
		return version, major, nil
	}
	return "", 0, fmt.Errorf("read PostgreSQL's version: got %q, expected \"postgres (PostgreSQL) 17.2\"", text)
}

// DataMajor returns the major version that the server in dir (see
// [Options.Dir]) was made by, 0 if it has no data yet.
func DataMajor(dir string) (int, error) {
	text, err := os.ReadFile(filepath.Join(layout(dir).data(), "PG_VERSION"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("read data directory's version: %w", err)
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, fmt.Errorf("read data directory's version: %w", err)
	}
	return major, nil
}
