//go:build !windows

package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// initialise runs initdb in a folder beside the data directory and renames
// its result into place: a data directory is there as a whole or not at all.
func (s *Server) initialise(ctx context.Context) (err error) {
	work, err := os.MkdirTemp(s.options.Dir, workPrefix)
	if err != nil {
		return fmt.Errorf("make data directory: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	lock, err := lockFile(s.files.initdbLock())
	if err != nil {
		return fmt.Errorf("make data directory: %w", err)
	}
	defer func() { err = errors.Join(err, lock.Close(), os.Remove(lock.Name())) }()
	password, err := s.adminPassword()
	if err != nil {
		return err
	}
	runAs := s.options.RunAs
	secret, data := filepath.Join(work, "password"), filepath.Join(work, "data")
	if _, err := writeFile(secret, []byte(password+"\n"), runAs); err != nil {
		return err
	}
	if err := runAs.own(work); err != nil {
		return err
	}
	s.log.Info("making data directory", "folder", s.files.data(), "version", s.options.Binaries.Version)
	arguments := []string{
		"--pgdata=" + data, "--username=" + Administrator, "--pwfile=" + secret,
		"--auth=scram-sha-256", "--data-checksums", "--encoding=UTF8", "--locale=C", "--no-instructions",
	}
	if s.options.Binaries.Major >= 17 {
		// The same order of bytes as C, and upper and lower case beyond ASCII.
		arguments = append(arguments, "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
	}
	command := newCommand(ctx, runAs, work, s.options.Binaries.path("initdb"), arguments...)
	command.ExtraFiles = []*os.File{lock}
	if _, err := finish(ctx, command, func(pid int) error { return writePID(lock, pid) }); err != nil {
		return fmt.Errorf("make data directory: %w", err)
	}
	if err := os.Rename(data, s.files.data()); err != nil {
		return fmt.Errorf("put data directory into place: %w", err)
	}
	return syncFolder(s.options.Dir)
}

// removeUnfinished removes what an agent left that was killed, half-written files and the folders of
// an initdb, and ends one that still works: it would go on writing into what is being removed.
func (s *Server) removeUnfinished(ctx context.Context) error {
	if err := s.endInitdb(ctx); err != nil {
		return err
	}
	left, err := os.ReadDir(s.options.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, entry := range left {
		if slices.ContainsFunc(s.files.unfinished(), func(prefix string) bool { return strings.HasPrefix(entry.Name(), prefix) }) {
			err = errors.Join(err, os.RemoveAll(filepath.Join(s.options.Dir, entry.Name())))
		}
	}
	if err != nil {
		return fmt.Errorf("remove what was not finished: %w", err)
	}
	return nil
}

// endInitdb ends the initdb of an agent that was killed. It, and whatever it
// started, holds the lock that it inherited; so as long as the lock is held its
// process group exists, and the group's number is nobody else's.
func (s *Server) endInitdb(ctx context.Context) error {
	path := s.files.initdbLock()
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	err := poll(ctx, 20*time.Millisecond, func() (bool, error) {
		lock, err := lockFile(path)
		if err == nil {
			return true, lock.Close()
		}
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return false, err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return false, err
		}
		// Without a number the agent died before it wrote it: then its initdb is waited for.
		if pid, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil && pid > 1 {
			s.log.Info("ending the initdb of an agent that was killed", "pid", pid)
			_ = syscall.Kill(-pid, syscall.SIGKILL) // gone already is what we want
		}
		return false, nil
	})
	if err != nil {
		return fmt.Errorf("wait for the end of the initdb of an agent that was killed: %w", err)
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("remove lock of initdb: %w", err)
	}
	return nil
}

// lockFile opens and locks a file; the error is EWOULDBLOCK where another has it locked.
func lockFile(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock: %w", err)
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), file.Close())
	}
	return file, nil
}

func writePID(file *os.File, pid int) error {
	if err := file.Truncate(0); err != nil {
		return fmt.Errorf("write pid: %w", err)
	}
	if _, err := file.WriteAt([]byte(strconv.Itoa(pid)+"\n"), 0); err != nil {
		return fmt.Errorf("write pid: %w", err)
	}
	return nil
}
