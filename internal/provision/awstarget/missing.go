package awstarget

import (
	"context"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// missing refuses what this version does not do on AWS yet.
func missing(what string) error {
	return target.Errorf(target.ErrInvalid, "%s are not in this version of the aws target, which is being built: use target = \"local\" for them", what)
}

const (
	accountDatabases = "account databases"
)

// PutAccountDatabase implements target.AccountDatabases.
func (t *Target) PutAccountDatabase(context.Context, target.AccountDatabase, target.PutOptions) (target.AccountDatabaseRecord, error) {
	return target.AccountDatabaseRecord{}, missing(accountDatabases)
}

// GetAccountDatabase implements target.AccountDatabases: none can have been made.
func (t *Target) GetAccountDatabase(ctx context.Context, id target.AccountDatabaseID) (target.AccountDatabaseRecord, error) {
	if _, err := t.ListAccountDatabases(ctx, id.Environment); err != nil {
		return target.AccountDatabaseRecord{}, err
	}
	return target.AccountDatabaseRecord{}, target.Errorf(target.ErrNotFound, "account database %q does not exist", id)
}

// DeleteAccountDatabase implements target.AccountDatabases.
func (t *Target) DeleteAccountDatabase(context.Context, target.AccountDatabaseID) error { return nil }

// ListAccountDatabases implements target.AccountDatabases: none can have been made.
func (t *Target) ListAccountDatabases(ctx context.Context, id target.EnvironmentID) ([]target.AccountDatabaseRecord, error) {
	_, err := t.slotTable(ctx, target.SlotID{Environment: id})
	return nil, err
}
