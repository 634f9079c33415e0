//go:build !windows

package postgres

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// ErrNoBinaries says that this machine has no usable PostgreSQL and that none
// could be downloaded. The error around it says what was looked for and where.
var ErrNoBinaries = errors.New("no PostgreSQL server programs found")

// FindOptions tell [Find] where to look. The zero value looks at what is
// installed on this machine.
type FindOptions struct {
	// BinDir is the folder that the user named. If set, nothing else is tried.
	BinDir string
	// Major, if not 0, is the only major version that will do: that of a data
	// directory which exists already (see [DataMajor]).
	Major int
	// RunAs is the user who will run the programs.
	RunAs *User
	// CacheDir keeps a downloaded archive, unpacked. Empty: none is downloaded.
	CacheDir string
	// Repository is the base address of the Maven repository to download from
	// ("https://…/maven2"). Empty: none is downloaded.
	Repository string
	// Log is told what happens while it takes long, in whole sentences.
	Log func(string)
}

// Find returns the server programs to use: those of BinDir, else what
// pg_config names, else the newest in the places where distributions put them,
// else a pinned archive that is downloaded into CacheDir once. Each candidate
// is tried by running it as RunAs.
func Find(ctx context.Context, o FindOptions) (Binaries, error) {
	if o.Log == nil {
		o.Log = func(string) {}
	}
	if o.BinDir != "" {
		found, err := o.accept(ctx, o.BinDir)
		if err != nil {
			return Binaries{}, fmt.Errorf("use the PostgreSQL in %q (local.postgres_bin_dir): %w", o.BinDir, err)
		}
		return found, nil
	}
	places := usualPlaces()
	if dir := pgConfigDir(ctx); dir != "" {
		places = append([]string{dir}, places...)
	}
	return o.search(ctx, places, pinnedArchive())
}

// search tries the places, then the archive.
func (o FindOptions) search(ctx context.Context, places []string, pinned archive) (Binaries, error) {
	var refused []error
	for _, dir := range places {
		if !holdsServer(dir) {
			continue
		}
		found, err := o.accept(ctx, dir)
		if err == nil {
			return found, nil
		}
		refused = append(refused, fmt.Errorf("%s: %w", dir, err))
	}
	found, err := o.fetch(ctx, pinned)
	if err == nil {
		return found, nil
	}
	wanted := fmt.Sprintf("PostgreSQL %d to %d", oldestMajor, newestMajor)
	if o.Major != 0 {
		wanted = fmt.Sprintf("PostgreSQL %d, the version of the existing data", o.Major)
	}
	return Binaries{}, fmt.Errorf("%w: looked for %s (postgres and initdb) in what pg_config --bindir names and in %s%s; "+
		"then for a download: %w. Install it (%s), or name its folder in local.postgres_bin_dir, "+
		"or use a server you have by local.postgres_url",
		ErrNoBinaries, wanted, placesInWords(), listRefused(refused), err, installHint())
}

// accept probes dir and compares its version with what will do.
func (o FindOptions) accept(ctx context.Context, dir string) (Binaries, error) {
	found, err := probe(ctx, dir, o.RunAs)
	switch {
	case err != nil:
		return Binaries{}, err
	case o.Major != 0 && found.Major != o.Major:
		return Binaries{}, fmt.Errorf("it is PostgreSQL %s, the existing data needs %d", found.Version, o.Major)
	case o.BinDir == "" && found.Major > newestMajor:
		return Binaries{}, fmt.Errorf("it is PostgreSQL %s, newer than the %d this program was tried with; name it in local.postgres_bin_dir to use it anyway", found.Version, newestMajor)
	}
	return found, nil
}

// pgConfigDir asks the pg_config on the PATH, "" if there is none.
func pgConfigDir(ctx context.Context) string {
	program, err := exec.LookPath("pg_config")
	if err != nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	dir, err := run(ctx, nil, "/", program, "--bindir")
	if err != nil {
		return ""
	}
	return dir
}

func listRefused(refused []error) string {
	var text strings.Builder
	for _, err := range refused {
		fmt.Fprintf(&text, "; not usable: %v", err)
	}
	return text.String()
}
