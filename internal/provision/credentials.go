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

// RotateCredentials makes a new password for an account database and returns when it is in
// effect. Where an earlier change of the password was interrupted it finishes that one: repeated
// until it succeeds, it makes one password. It changes neither the definition that the owner
// has asked for nor who the owner is, so a plan shows nothing of it.
//
// Errors: those of [Provisioner.ReadAccountDatabase], target.ErrUnavailable where the database is
// not finished yet, and target.ErrConflict where somebody else changed it at the same time.
func (p *Provisioner) RotateCredentials(ctx context.Context, id target.AccountDatabaseID) (target.AccountDatabaseRecord, error) {
	old, err := p.ReadAccountDatabase(ctx, id)
	if err != nil {
		return old, err
	}
	if !old.Meta.Ready {
		return old, target.Errorf(target.ErrUnavailable, "account database %q is not finished: apply the configuration that makes it, then rotate", id)
	}
	d := old.Spec
	if v := old.Status.PasswordVersion; v == "" || v == d.PasswordVersion() {
		d.Rotation++
	}
	rec, err := p.driver.PutAccountDatabase(ctx, d, target.PutOptions{Owner: old.Meta.Owner, IfGeneration: old.Meta.Generation})
	if err != nil {
		return old, fmt.Errorf("change the password of account database %q: %w", id, err)
	}
	return rec, nil
}
