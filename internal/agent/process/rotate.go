package process

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
)

// RotateLog makes room in a log that others hold open for appending. When it is larger than limit bytes,
// its content is copied to path.1, older ones move up to path.keep, and the log is cut to nothing, so
// that the writers go on at its start. What they write between the last copied byte and the cut is
// lost; that is microseconds. It reports whether there was anything to do.
func RotateLog(path string, limit int64, keep int) (bool, error) {
	log, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("rotate log: %w", err)
	}
	defer log.Close()
	info, err := log.Stat()
	if err != nil {
		return false, fmt.Errorf("rotate log: %w", err)
	}
	if info.Size() <= limit {
		return false, nil
	}
	if keep > 0 {
		if err := preserve(log, info.Mode().Perm(), path, keep); err != nil {
			return false, fmt.Errorf("rotate log: %w", err)
		}
	}
	if err := log.Truncate(0); err != nil {
		return false, fmt.Errorf("rotate log: %w", err)
	}
	return true, nil
}

// preserve moves the predecessors up and copies the log to the first place.
func preserve(log *os.File, mode fs.FileMode, path string, keep int) error {
	for n := keep - 1; n >= 1; n-- {
		if err := os.Rename(rotated(path, n), rotated(path, n+1)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	// The place is free now unless keep is 1. Never write into a file that was there: it may be a link.
	if err := os.Remove(rotated(path, 1)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	copied, err := os.OpenFile(rotated(path, 1), os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(copied, log)
	return errors.Join(err, copied.Close())
}

// rotated names the n-th predecessor of a log.
func rotated(path string, n int) string { return path + "." + strconv.Itoa(n) }
