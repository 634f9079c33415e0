package provision

import (
	"context"
	"fmt"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// Credentials are what an account's application signs in to its database with. They are never
// stored: whoever gets them has to forget them.
type Credentials struct {
	target.AccountDatabaseStatus
	Password string
}

// String keeps the password out of logs.
func (c Credentials) String() string { return "credentials of role " + c.RoleName }

// ReadCredentials returns the credentials of an account database, with the errors of
// [Provisioner.ReadAccountDatabase]. A target that gives none refuses with target.ErrInvalid.
func (p *Provisioner) ReadCredentials(ctx context.Context, id target.AccountDatabaseID) (Credentials, error) {
	rec, err := p.ReadAccountDatabase(ctx, id)
	if err != nil {
		return Credentials{}, err
	}
	secrets, ok := p.driver.(target.Secrets)
	if !ok {
		return Credentials{}, target.Errorf(target.ErrInvalid, "%s gives no passwords to whoever runs Terraform: read the secret %s where you may", p.driver.Where(), rec.Status.SecretID)
	}
	login, err := secrets.ReadSecret(ctx, rec.Status.SecretID)
	if err != nil {
		return Credentials{}, fmt.Errorf("read the password of account database %q: %w", id, err)
	}
	if login.Role != "" {
		rec.Status.RoleName = login.Role
	}
	return Credentials{rec.Status, login.Password}, nil
}
