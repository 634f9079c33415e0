package localtarget

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

var _ target.Secrets = (*Target)(nil)

// ReadSecret implements target.Secrets: the secret is a file of the installation, which only
// the user who the agent runs as can read. No password goes through the agent's interface.
func (t *Target) ReadSecret(_ context.Context, secretID string) (target.Login, error) {
	if !filepath.IsAbs(secretID) {
		return target.Login{}, target.Errorf(target.ErrInvalid, "%q is no file of %s", secretID, t.Where())
	}
	text, err := os.ReadFile(secretID)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return target.Login{}, target.Errorf(target.ErrNotFound, "there is no file %s", secretID)
	case errors.Is(err, fs.ErrPermission):
		return target.Login{}, target.Errorf(target.ErrInvalid, "%s can be read by the user that the agent runs as only: run Terraform as that user", secretID)
	case err != nil:
		return target.Login{}, err
	}
	return target.Login{Password: strings.TrimSuffix(string(text), "\n")}, nil
}
