package provision

import (
	"context"
	"errors"
	"fmt"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// CreateAccountDatabase makes the database of an account and returns when it can be used,
// or goes on with, or adopts, what an earlier call of this owner made. With an error it returns what
// is left of it.
func (p *Provisioner) CreateAccountDatabase(ctx context.Context, d target.AccountDatabase) (target.AccountDatabaseRecord, Origin, error) {
	var none target.AccountDatabaseRecord
	if err := d.Validate().Err(); err != nil {
		return none, "", err
	}
	if err := p.CheckAccountDatabase(ctx, d); err != nil {
		return none, "", err
	}
	leaves := func(err error) (target.AccountDatabaseRecord, Origin, error) {
		return left(ctx, p, fmt.Errorf("create account database %q: %w", d.ID(), err), func(ctx context.Context) (target.AccountDatabaseRecord, target.Meta, error) {
			rec, err := p.driver.GetAccountDatabase(ctx, d.ID())
			return rec, rec.Meta, err
		})
	}
	rec, err := p.driver.PutAccountDatabase(ctx, d, p.put(target.Meta{}))
	switch {
	case err == nil:
		return rec, Made, nil
	case !errors.Is(err, target.ErrConflict) && !errors.Is(err, target.ErrVanished):
		return leaves(err)
	}
	old, err := p.driver.GetAccountDatabase(ctx, d.ID())
	if err != nil {
		return none, "", fmt.Errorf("read account database %q: %w", d.ID(), err)
	}
	if old.Vanished {
		return none, "", vanished(old)
	}
	d.Rotation = old.Spec.Rotation
	origin, err := p.claim("account database", d.ID().String(), old.Meta, target.Same(old.Spec, d))
	if err != nil {
		return none, "", err
	}
	if rec, err = p.driver.PutAccountDatabase(ctx, d, p.put(old.Meta)); err != nil {
		return leaves(err)
	}
	return rec, origin, nil
}

func vanished(old target.AccountDatabaseRecord) error {
	return target.Errorf(target.ErrVanished, "account database %q was made before and its database %q is gone from the server. It is not made anew, since that would hide a loss of data. Either restore it under that name and import %q, or give it up with\n  %s\nand apply again", old.Spec.ID(), old.Status.DatabaseName, old.Spec.ID(), old.GiveUp)
}

// ReadAccountDatabase returns an account database, target.ErrNotFound if there is none and
// target.ErrVanished if the record is there and the database is not.
func (p *Provisioner) ReadAccountDatabase(ctx context.Context, id target.AccountDatabaseID) (target.AccountDatabaseRecord, error) {
	rec, err := p.driver.GetAccountDatabase(ctx, id)
	if err == nil && rec.Vanished {
		return rec, target.Errorf(target.ErrVanished, "database %q of account database %q is gone from the server", rec.Status.DatabaseName, id)
	}
	return rec, err
}

// UpdateAccountDatabase changes an account database in place and repairs drift.
func (p *Provisioner) UpdateAccountDatabase(ctx context.Context, d target.AccountDatabase) (target.AccountDatabaseRecord, error) {
	if err := d.Validate().Err(); err != nil {
		return target.AccountDatabaseRecord{}, err
	}
	old, err := p.driver.GetAccountDatabase(ctx, d.ID())
	if err != nil {
		return old, fmt.Errorf("read account database %q: %w", d.ID(), err)
	}
	if err := p.mine("account database", d.ID().String(), old.Meta); err != nil {
		return old, err
	}
	if old.Vanished {
		return old, vanished(old)
	}
	if d.Isolation != old.Spec.Isolation {
		return old, target.Errorf(target.ErrInvalid, "isolation of account database %q can't change from %q to %q: its data would have to move", d.ID(), old.Spec.Isolation, d.Isolation)
	}
	if err := p.CheckAccountDatabase(ctx, d); err != nil {
		return old, err
	}
	d.Rotation = old.Spec.Rotation // no definition of its owner's knows it
	rec, err := p.driver.PutAccountDatabase(ctx, d, p.put(old.Meta))
	if err != nil {
		return old, fmt.Errorf("change account database %q: %w", d.ID(), err)
	}
	return rec, nil
}

// CheckAccountDatabase refuses what does not fit the environment and its region.
func (p *Provisioner) CheckAccountDatabase(ctx context.Context, d target.AccountDatabase) error {
	e, err := p.environment(ctx, d.Environment)
	if err != nil {
		return err
	}
	r, err := p.driver.GetRegion(target.RecordsOnly(ctx), d.Environment.Region)
	if err != nil {
		return fmt.Errorf("read region %q: %w", d.Environment.Region, err)
	}
	return d.ValidateIn(e.Spec, r.Spec).Err()
}

// DeleteAccountDatabase removes the database with its data. One that is not there is success.
func (p *Provisioner) DeleteAccountDatabase(ctx context.Context, id target.AccountDatabaseID) error {
	old, err := p.driver.GetAccountDatabase(ctx, id)
	if err == nil {
		err = p.mine("account database", id.String(), old.Meta)
	}
	if err != nil {
		return gone(err)
	}
	if err := gone(p.driver.DeleteAccountDatabase(ctx, id)); err != nil {
		return fmt.Errorf("delete account database %q: %w", id, err)
	}
	return nil
}

func (p *Provisioner) environment(ctx context.Context, id target.EnvironmentID) (target.EnvironmentRecord, error) {
	e, err := p.driver.GetEnvironment(target.RecordsOnly(ctx), id)
	if missing(err) {
		return e, target.Errorf(target.ErrInvalid, "environment_id: there is no environment %q on %s", id, p.driver.Where())
	}
	if err != nil {
		return e, fmt.Errorf("read environment %q: %w", id, err)
	}
	return e, nil
}

// ListAccountDatabases returns the account databases of an environment.
func (p *Provisioner) ListAccountDatabases(ctx context.Context, id target.EnvironmentID) ([]target.AccountDatabaseRecord, error) {
	return p.driver.ListAccountDatabases(ctx, id)
}
