//go:build !windows

package postgres

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
)

// An initdb whose agent was killed goes on writing; here a shell plays it, with a child. The agent
// was killed while it wrote a file, too.
func TestAnInitdbWithoutItsAgentIsEndedBeforeItsFolderIsRemoved(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	work := filepath.Join(dir, workPrefix+"1")
	if err := os.Mkdir(work, 0o700); err != nil {
		t.Fatal(err)
	}
	half := filepath.Join(dir, ".server.key-123")
	if err := os.WriteFile(half, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := &Server{options: Options{Dir: dir}, files: layout(dir), log: slog.New(slog.DiscardHandler)}
	lock, err := lockFile(s.files.initdbLock())
	if err != nil {
		t.Fatal(err)
	}
	writes := `while :; do mkdir -p "$0/data"; : > "$0/data/$$"; done`
	command := newCommand(t.Context(), nil, "/", "/bin/sh", "-c", `sh -c '`+writes+`' "$0" & `+writes, work)
	command.ExtraFiles = []*os.File{lock}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(writePID(lock, command.Process.Pid), lock.Close()); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()

	if err := s.removeUnfinished(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err == nil {
		t.Error("it ended by itself")
	}
	for _, path := range []string{work, half, s.files.initdbLock()} {
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: got %v, want it gone", path, err)
		}
	}
}
