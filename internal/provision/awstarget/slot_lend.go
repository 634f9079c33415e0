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

// lend adds to a test suite's variables those of its account, and returns its secrets with the
// account's, which ECS hands over: the suite has no role that could read any.
func (w *slotWork) lend(ctx context.Context, account string, own, secrets map[string]string) (map[string]string, error) {
	id := target.AccountDatabaseID{Environment: w.id.Environment, Account: account}
	a := w.accountNoun(id)
	if err := a.load(ctx); err != nil && !errors.Is(err, target.ErrNotFound) {
		return nil, err
	}
	rec, err := recordOf[target.AccountDatabaseRecord](a.document)
	if err != nil {
		return nil, err
	}
	of := rec.Status
	if of.SecretID == "" {
		return nil, target.Errorf(target.ErrInvalid, "test_suite.account: account %q has no database in environment %q", account, id.Environment)
	}
	own[accountVariable], own[accountVariable+"_HOST"], own[accountVariable+"_PORT"] = account, of.Host, strconv.Itoa(of.Port)
	own[accountVariable+"_DATABASE"], own[accountVariable+"_SSLMODE"] = of.DatabaseName, "verify-full"
	all := map[string]string{accountVariable + "_ROLE": of.SecretID + ":username::", accountVariable + "_PASSWORD": of.SecretID + ":password::"}
	maps.Copy(all, secrets)
	return all, nil
}
