package localtarget_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/localtarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func TestASecretIsAFileOfTheInstallation(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	inside, outside := filepath.Join(dir, "data", "acme.password"), filepath.Join(dir, "other")
	for _, path := range []string{inside, outside} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("s3cret\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l := localtarget.New(localtarget.Options{DataDir: filepath.Dir(inside)})
	if got, err := l.ReadSecret(t.Context(), inside); got != "s3cret" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	for path, want := range map[string]error{
		inside + ".next": target.ErrNotFound,
		outside:          target.ErrInvalid,
		filepath.Join(filepath.Dir(inside), "..", "other"): target.ErrInvalid,
		"acme.password": target.ErrInvalid,
	} {
		if got, err := l.ReadSecret(t.Context(), path); got != "" || !errors.Is(err, want) {
			t.Errorf("%s: got %q, %v, want %v", path, got, err, want)
		}
	}
}
