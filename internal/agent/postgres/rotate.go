//go:build !windows

package postgres

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// logLimit is the size from which a server's log is rotated, in bytes.
const logLimit = 16 << 20

// rotate copies a log that has grown large to path.1 and empties it. The
// server holds the file open for appending, so it cannot be renamed; a line
// written between the copy and the emptying is lost.
func rotate(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() < logLimit {
		return nil
	}
	if err != nil {
		return fmt.Errorf("rotate log: %w", err)
	}
	from, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("rotate log: %w", err)
	}
	defer from.Close()
	to, err := os.OpenFile(path+".1", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("rotate log: %w", err)
	}
	_, err = io.Copy(to, from)
	if err = errors.Join(err, to.Close()); err != nil {
		return fmt.Errorf("rotate log: %w", err)
	}
	return os.Truncate(path, 0)
}
