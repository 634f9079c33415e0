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
	path := filepath.Join(t.TempDir(), "acme.password")
	if err := os.WriteFile(path, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l := localtarget.New(localtarget.Options{DataDir: filepath.Dir(path)})
	if got, err := l.ReadSecret(t.Context(), path); got.Password != "s3cret" || err != nil {
		t.Errorf("got %+v, %v", got, err)
	}
	for id, want := range map[string]error{path + ".next": target.ErrNotFound, "acme.password": target.ErrInvalid} {
		if got, err := l.ReadSecret(t.Context(), id); got != (target.Login{}) || !errors.Is(err, want) {
			t.Errorf("%s: got %+v, %v, want %v", id, got, err, want)
		}
	}
}
