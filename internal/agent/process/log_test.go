package process

import (
	"os"
	"path/filepath"
	"testing"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
}

func TestTail(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		before, log string
		lines       int
		bytes       int64
		want        string
	}{
		"the last lines":                             {"", "a\nb\nc\n", 2, 100, "b\nc\n"},
		"a last line that is not finished":           {"", "a\nb\nc", 2, 100, "b\nc"},
		"all of a short log":                         {"", "a\n", 5, 100, "a\n"},
		"the predecessor where the log is too short": {"a\nb\n", "c\n", 2, 100, "b\nc\n"},
		"the predecessor right after a rotation":     {"a\nb\n", "", 2, 100, "a\nb\n"},
		"not the predecessor where it is not":        {"a\n", "b\nc\n", 2, 100, "b\nc\n"},
		"no line that the limit cuts":                {"", "secret=abc\nb\n", 5, 6, "b\n"},
		"no line of the predecessor that is cut":     {"secret=abc\n", "b\n", 5, 6, "b\n"},
		"the end of a single long line":              {"", "0123456789", 5, 4, "6789"},
		"the end of a single long line with its end": {"", "0123456789\n", 5, 4, "789\n"},
		"bytes that are no text":                     {"", "a\xffb\n", 5, 100, "a\uFFFDb\n"},
		"nothing":                                    {"", "", 5, 100, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "log")
			write(t, path, c.log)
			if c.before != "" {
				write(t, path+".1", c.before)
			}
			got, err := Tail(path, c.lines, c.bytes)
			if err != nil || got != c.want {
				t.Errorf("got %q, %v; want %q", got, err, c.want)
			}
		})
	}
	t.Run("a log that does not exist", func(t *testing.T) {
		t.Parallel()
		got, err := Tail(filepath.Join(t.TempDir(), "log"), 5, 100)
		if err != nil || got != "" {
			t.Errorf("got %q, %v; want nothing", got, err)
		}
	})
}

func TestRotateLog(t *testing.T) {
	t.Parallel()
	t.Run("keeps the given number while a writer goes on", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "log")
		writer, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o640)
		if err != nil {
			t.Fatal(err)
		}
		defer writer.Close()
		for _, line := range []string{"first\n", "second\n", "third\n", "fourth\n"} {
			if _, err := writer.WriteString(line); err != nil {
				t.Fatal(err)
			}
			done, err := RotateLog(path, 5, 2)
			if err != nil || !done {
				t.Fatalf("got %v, %v", done, err)
			}
		}
		if _, err := writer.WriteString("last\n"); err != nil {
			t.Fatal(err)
		}
		want := map[string]string{"log": "last\n", "log.1": "fourth\n", "log.2": "third\n"}
		entries, err := os.ReadDir(filepath.Dir(path))
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			text, err := os.ReadFile(filepath.Join(filepath.Dir(path), entry.Name()))
			if err != nil {
				t.Fatal(err)
			}
			if string(text) != want[entry.Name()] {
				t.Errorf("%s holds %q, want %q", entry.Name(), text, want[entry.Name()])
			}
			delete(want, entry.Name())
		}
		if len(want) != 0 {
			t.Errorf("missing: %v", want)
		}
	})
	cases := map[string]struct {
		text string
		keep int
		done bool
		rest string
	}{
		"leaves a small log alone":              {"small", 2, false, "small"},
		"keeps nothing when asked to":           {"much too large", 0, true, ""},
		"replaces the only one that is kept":    {"much too large", 1, true, ""},
		"leaves a log that does not exist be":   {"", 1, false, ""},
		"leaves a log of just the limit's size": {"limit", 1, false, "limit"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "log")
			write(t, path+".1", "older")
			if c.text != "" {
				write(t, path, c.text)
			}
			done, err := RotateLog(path, 5, c.keep)
			if err != nil || done != c.done {
				t.Errorf("got %v, %v; want %v", done, err, c.done)
			}
			text, _ := os.ReadFile(path)
			if string(text) != c.rest {
				t.Errorf("left %q, want %q", text, c.rest)
			}
		})
	}
}
