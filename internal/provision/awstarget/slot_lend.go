package awstarget

import (
	"context"
	"errors"
	"maps"
	"strconv"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// accountVariable begins the variables of a test suite that has an account. The rest is what a
// member is called in the account's file on local.
const accountVariable = "SLIPWAY_ACCOUNT"

// lent is the database of the account that a test suite is to use. Its login may be missing while the
// account is being made.
func (w *slotWork) lent(ctx context.Context, account string) (target.AccountDatabaseStatus, error) {
	a := w.accountNoun(target.AccountDatabaseID{Environment: w.id.Environment, Account: account})
	if err := a.load(ctx); err != nil && !errors.Is(err, target.ErrNotFound) {
		return target.AccountDatabaseStatus{}, err
	}
	rec, err := recordOf[target.AccountDatabaseRecord](a.document)
	if err == nil && rec.Status.SecretID == "" {
		err = target.Errorf(target.ErrInvalid, "test_suite.account: account %q has no database in environment %q", account, w.id.Environment)
	}
	return rec.Status, err
}

// lend adds to a test suite's variables those of its account, and returns its secrets with the
// account's, which ECS hands over: the suite has no role that could read any.
func (w *slotWork) lend(ctx context.Context, account string, own, secrets map[string]string) (map[string]string, error) {
	of, err := w.lent(ctx, account)
	if err != nil {
		return nil, err
	}
	own[accountVariable], own[accountVariable+"_HOST"], own[accountVariable+"_PORT"] = account, of.Host, strconv.Itoa(of.Port)
	own[accountVariable+"_DATABASE"], own[accountVariable+"_SSLMODE"] = of.DatabaseName, "verify-full"
	all := map[string]string{accountVariable + "_ROLE": of.SecretID + ":username::", accountVariable + "_PASSWORD": of.SecretID + ":password::"}
	maps.Copy(all, secrets)
	return all, nil
}
