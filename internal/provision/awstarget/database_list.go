package awstarget

import (
	"context"
	"errors"
	"fmt"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/accountdb"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// ListAccountDatabases implements target.AccountDatabases with one query of the rows and one of
// the catalogue, page by page.
func (t *Target) ListAccountDatabases(ctx context.Context, id target.EnvironmentID) ([]target.AccountDatabaseRecord, error) {
	return t.databases.Get(ctx, id, func(ctx context.Context) ([]target.AccountDatabaseRecord, error) {
		e, err := t.openEnvironment(ctx, id)
		if err != nil {
			return nil, err
		}
		rows, err := e.table.list(ctx, databaseKind(id))
		if err != nil || countDocuments(rows) == 0 {
			return nil, err
		}
		return e.observed(id, rows, allAccounts(ctx))
	})
}

// GetAccountDatabase implements target.AccountDatabases, from one list of its environment
// unless this run writes there.
func (t *Target) GetAccountDatabase(ctx context.Context, id target.AccountDatabaseID) (target.AccountDatabaseRecord, error) {
	notFound := target.Errorf(target.ErrNotFound, "account database %q does not exist", id)
	if !t.databases.Written(id.Environment) {
		all, err := t.ListAccountDatabases(ctx, id.Environment)
		if err != nil {
			return target.AccountDatabaseRecord{}, err
		}
		for _, r := range all {
			if r.Spec.Account == id.Account {
				return r, nil
			}
		}
		return target.AccountDatabaseRecord{}, notFound
	}
	a, err := t.accountNoun(ctx, id)
	if err != nil {
		return target.AccountDatabaseRecord{}, err
	}
	r, err := a.table.get(ctx, a.key)
	if err != nil {
		return target.AccountDatabaseRecord{}, err
	}
	if r.version == 0 {
		return target.AccountDatabaseRecord{}, notFound
	}
	all, err := a.environment.observed(id.Environment, []row{r}, func(c server) (map[string]accountdb.Entry, error) {
		return c.all(ctx, a.name)
	})
	if err != nil {
		return target.AccountDatabaseRecord{}, err
	}
	return all[0], nil
}

// observed is the records in rows with what the cluster's catalogue says of them.
func (n *noun) observed(id target.EnvironmentID, rows []row, catalogue func(server) (map[string]accountdb.Entry, error)) ([]target.AccountDatabaseRecord, error) {
	reader, err := n.database().catalogue()
	if err != nil {
		return nil, err
	}
	seen, err := catalogue(reader)
	if err != nil {
		return nil, err
	}
	var out []target.AccountDatabaseRecord
	for _, r := range rows {
		if r.version == 0 {
			continue
		}
		a := n.account(target.AccountDatabaseID{Environment: id, Account: r.key.id})
		if a.document, err = decode[document](r); err != nil {
			return nil, err
		}
		a.facts = a.document.Facts
		rec, err := recordOf[target.AccountDatabaseRecord](a.document)
		if err != nil {
			return nil, err
		}
		a.observe(&rec, seen)
		out = append(out, rec)
	}
	return out, nil
}

// observe writes into a record what the catalogue says.
func (a *accountNoun) observe(rec *target.AccountDatabaseRecord, all map[string]accountdb.Entry) {
	seen, second := all[a.name], all[a.second()]
	if rec.Vanished = rec.Meta.Ready && seen.Database == nil; rec.Vanished {
		return
	}
	rec.Status.DatabaseName, rec.Status.RoleName = a.name, a.name
	rec.Status.Drift = seen.Drift(a.wanted(rec.Spec))
	if seen.Role != nil {
		rec.Status.ObservedConnectionLimit = seen.Role.ConnectionLimit
	}
	_, role := a.credential(rec.Spec).effect()
	switch {
	case second.Role != nil:
		for _, d := range second.Role.LoginDrift(a.wantedSecond(rec.Spec), a.name) {
			rec.Status.Drift = append(rec.Status.Drift, "second login: "+d)
		}
	case role == a.second():
		rec.Status.Drift = append(rec.Status.Drift, "the role that the secret names is missing")
	}
}

// allAccounts reads what there is of all accounts.
func allAccounts(ctx context.Context) func(server) (map[string]accountdb.Entry, error) {
	return func(c server) (map[string]accountdb.Entry, error) { return c.all(ctx, accountdb.Prefix) }
}

// forgetDatabases gives up the records of databases that have vanished. One that is there keeps
// the environment.
func (n *noun) forgetDatabases(ctx context.Context, id target.EnvironmentID) error {
	rows, err := n.table.list(ctx, databaseKind(id))
	if err != nil || len(rows) == 0 {
		return err
	}
	if countDocuments(rows) > 0 {
		all, err := n.observed(id, rows, allAccounts(ctx))
		if err != nil {
			return err
		}
		for _, r := range all {
			if !r.Vanished {
				return target.Errorf(target.ErrNotEmpty, "environment %q holds the database of account %q", id, r.Spec.Account)
			}
		}
	}
	var errs []error
	for _, r := range rows {
		a := n.account(target.AccountDatabaseID{Environment: id, Account: r.key.id})
		err := a.deleteSecret(ctx, partAccount, a.secretName())
		if err == nil {
			err = a.table.erase(ctx, r)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("forget account database %q: %w", a.id, err))
		}
	}
	return errors.Join(errs...)
}
