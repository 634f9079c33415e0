//go:build !windows

package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// openFolders makes dir and the folders above it down from base, and lets
// other users pass through (not read) those that are ours, so that the
// server's user reaches its data. Folders above base are never changed.
func openFolders(base, dir string, runAs *User) error {
	mode := fs.FileMode(0o700)
	if runAs != nil {
		mode = 0o711
	}
	if err := makeBelow(base, dir, mode); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	if runAs == nil {
		return nil
	}
	for folder := dir; ; folder = filepath.Dir(folder) {
		info, err := os.Stat(folder)
		if err != nil {
			return fmt.Errorf("look at folder: %w", err)
		}
		if wanted := info.Mode().Perm() | 0o011; wanted != info.Mode().Perm() {
			if err := os.Chmod(folder, wanted); err != nil {
				return fmt.Errorf("let user %q pass through: %w", runAs.Name, err)
			}
		}
		if folder == base || folder == filepath.Dir(folder) {
			return nil
		}
	}
}

// makeBelow makes dir and the folders on the way from base, which must be there: one that
// somebody removed stays so.
func makeBelow(base, dir string, mode fs.FileMode) error {
	below, err := filepath.Rel(base, dir)
	if err != nil {
		return err
	}
	at := base
	for part := range strings.SplitSeq(below, string(filepath.Separator)) {
		at = filepath.Join(at, part)
		if err := os.Mkdir(at, mode); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// CheckReach tells whether runAs can enter dir and run the server's programs
// from there. It tries it rather than computing it from modes; if it cannot,
// the error names the folder that shuts it out.
func CheckReach(ctx context.Context, dir string, programs Binaries, runAs *User) error {
	_, err := run(ctx, runAs, dir, programs.path("postgres"), "--version")
	if err == nil || !errors.Is(err, fs.ErrPermission) {
		return err
	}
	for _, path := range []string{programs.Dir, dir} {
		if folder, mode, shut := shutFolder(path, runAs); shut {
			return fmt.Errorf("reach %s as user %q: the folder %s (mode %04o) shuts it out; "+
				"choose a folder elsewhere, or let it pass with: chmod o+x %s",
				path, runAs.Name, folder, mode, folder)
		}
	}
	return fmt.Errorf("enter %s and run %s as user %q: %w", dir, programs.path("postgres"), runAs.Name, err)
}

// shutFolder returns the first folder on the way from the root to path that
// the mode bits close to u.
func shutFolder(path string, u *User) (folder string, mode fs.FileMode, shut bool) {
	if u == nil {
		return "", 0, false
	}
	if parent := filepath.Dir(path); parent != path {
		if folder, mode, shut = shutFolder(parent, u); shut {
			return folder, mode, shut
		}
	}
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		return "", 0, false
	}
	pass := fs.FileMode(0o001)
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		switch {
		case stat.Uid == u.UID:
			pass = 0o100
		case stat.Gid == u.GID:
			pass = 0o010
		}
	}
	return path, info.Mode().Perm(), info.Mode().Perm()&pass == 0
}
