//go:build !windows

package agentapi

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// Whoever only reads starts no agent: it was stopped for a reason.
func TestAttachingStartsNoAgent(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "installation.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := Place{DataDir: dir, Executable: "/nowhere", Software: "1.0.0", Attach: true}
	if _, err := p.Connect(t.Context(), false); !errors.Is(err, ErrNoAgent) {
		t.Errorf("got error %v, want %v", err, ErrNoAgent)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("it left %v: %v", files, err)
	}
}
