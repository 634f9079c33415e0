//go:build !windows

package postgres

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// record is what a postmaster says of itself in postmaster.pid (PostgreSQL's
// source, miscadmin.h, LOCK_FILE_LINE_*).
type record struct {
	pid     int
	data    string
	started time.Time
	port    int
	ready   bool
}

// readRecord reads the postmaster.pid in data, nil if there is none. A file
// that is being written holds fewer lines; what is missing stays zero.
func readRecord(data string) (*record, error) {
	text, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read postmaster.pid: %w", err)
	}
	return parseRecord(string(text))
}

func parseRecord(text string) (*record, error) {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	line := func(number int) string {
		if number > len(lines) {
			return ""
		}
		return strings.TrimSpace(lines[number-1])
	}
	var err error
	number := func(text string) int64 {
		if text == "" {
			return 0
		}
		value, parseErr := strconv.ParseInt(text, 10, 64)
		err = errors.Join(err, parseErr)
		return value
	}
	found := &record{
		pid:     int(number(line(1))),
		data:    line(2),
		started: time.Unix(number(line(3)), 0),
		port:    int(number(line(4))),
		ready:   line(8) == "ready",
	}
	if err != nil {
		return nil, fmt.Errorf("read postmaster.pid: %w", err)
	}
	return found, nil
}
