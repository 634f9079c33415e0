//go:build !windows

package agent

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// What is true differs where no agent answers, and so must what is said.
func TestStoppingNobodySaysWhatIsTrue(t *testing.T) {
	t.Parallel()
	empty, installed := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(installed, "installation.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	said := map[string]string{}
	for _, dir := range []string{filepath.Join(empty, "gone"), empty, installed} {
		var out bytes.Buffer
		if err := stop(t.Context(), dir, "test", &out); err != nil {
			t.Fatal(err)
		}
		text := string(bytes.ReplaceAll(out.Bytes(), []byte(dir), []byte("DIR")))
		if other, again := said[text]; again {
			t.Errorf("the same is said of %s and %s: %s", other, dir, text)
		}
		said[text] = dir
	}
}
