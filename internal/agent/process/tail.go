package process

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// Tail returns at most the last lines of a log and at most maxBytes of it. It goes on in the predecessor
// that RotateLog made when the log itself is too short. A log that does not exist is empty. A line that
// maxBytes would cut is left out, unless it is the only one.
func Tail(path string, lines int, maxBytes int64) (string, error) {
	text, whole, err := readEnd(path, maxBytes)
	if err != nil {
		return "", err
	}
	if whole && bytes.Count(text, []byte{'\n'}) < lines {
		var before []byte
		if before, whole, err = readEnd(rotated(path, 1), maxBytes-int64(len(text))); err != nil {
			return "", err
		}
		text = append(before, text...)
	}
	end := strings.ToValidUTF8(string(text), "\uFFFD")
	if _, rest, found := strings.Cut(end, "\n"); !whole && found && rest != "" {
		end = rest
	}
	return lastLines(end, lines), nil
}

// readEnd returns the last limit bytes of a file and whether they are all of it.
func readEnd(path string, limit int64) (text []byte, whole bool, err error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, true, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read end of log: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, false, fmt.Errorf("read end of log: %w", err)
	}
	from := info.Size() - limit
	text, err = io.ReadAll(io.NewSectionReader(file, max(from, 0), limit))
	if err != nil {
		return nil, false, fmt.Errorf("read end of log: %w", err)
	}
	return text, from <= 0, nil
}

func lastLines(text string, lines int) string {
	all := strings.SplitAfter(text, "\n")
	if all[len(all)-1] == "" {
		all = all[:len(all)-1]
	}
	return strings.Join(all[max(len(all)-lines, 0):], "")
}
