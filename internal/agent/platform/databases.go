//go:build !windows

package platform

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/accountdb"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// ListAccountDatabases implements target.AccountDatabases with one catalogue query per
// server: one for the environment, one for each account with a cluster of its own.
func (p *Platform) ListAccountDatabases(ctx context.Context, id target.EnvironmentID) ([]target.AccountDatabaseRecord, error) {
	e, err := p.environment(id)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	if e.removing {
		e.mu.Unlock()
		return nil, nil // it was empty when that began
	}
	files := make([]databaseFile, 0, len(e.databases))
	for _, account := range target.SortedKeys(e.databases) {
		files = append(files, *e.databases[account])
	}
	for account, err := range e.bad.databases {
		e.p.log.Warn("an account database is left out of a list", "environment", e.id.String(), "account", account, "error", err)
	}
	e.mu.Unlock()
	catalogues := map[*server]map[string]accountdb.Entry{}
	out := make([]target.AccountDatabaseRecord, 0, len(files))
	for _, file := range files {
		s, err := e.listed(ctx, file.Spec)
		if errors.Is(err, target.ErrNotFound) {
			continue // removed meanwhile
		}
		if err != nil {
			return nil, err
		}
		if catalogues[s] == nil {
			if catalogues[s], err = e.catalogue(ctx, s, accountdb.Prefix); err != nil {
				return nil, err
			}
		}
		out = append(out, e.observed(file, s, catalogues[s]))
	}
	return out, nil
}

// listed is the server of an account database that a list has; it is not made anew for one
// that is just being removed.
func (e *environment) listed(ctx context.Context, d target.AccountDatabase) (*server, error) {
	e.mu.Lock()
	s := e.servers[d.Account]
	e.mu.Unlock()
	if d.Isolation == target.IsolationCluster && s == nil {
		if err := e.openCluster(ctx, d.Account); err != nil {
			return nil, err
		}
	}
	return e.server(ctx, d, false)
}

// catalogue is what a server has under names that begin so.
func (e *environment) catalogue(ctx context.Context, s *server, prefix string) (map[string]accountdb.Entry, error) {
	var entries []accountdb.Entry
	err := s.patiently(ctx, func(ctx context.Context) (err error) {
		entries, err = s.cluster.Catalogue(ctx, prefix)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := make(map[string]accountdb.Entry, len(entries))
	for _, entry := range entries {
		out[entry.Name] = entry
	}
	return out, nil
}

// GetAccountDatabase implements target.AccountDatabases. What has no record is not looked
// for on the server.
func (p *Platform) GetAccountDatabase(ctx context.Context, id target.AccountDatabaseID) (target.AccountDatabaseRecord, error) {
	var none target.AccountDatabaseRecord
	e, err := p.environment(id.Environment)
	if err != nil {
		return none, err
	}
	notFound := target.Errorf(target.ErrNotFound, "there is no account database %q in %s", id, p.Where())
	e.mu.Lock()
	err = e.bad.databases[id.Account]
	file := e.databases[id.Account]
	e.mu.Unlock()
	switch {
	case err != nil:
		return none, err
	case file == nil:
		return none, notFound
	}
	s, err := e.listed(ctx, file.Spec)
	if errors.Is(err, target.ErrNotFound) {
		return none, notFound // removed meanwhile
	}
	if err != nil {
		return none, err
	}
	seen, err := e.catalogue(ctx, s, file.Name)
	if err != nil {
		return none, err
	}
	return e.observed(*file, s, seen), nil
}

// observed is an account database with what its server's catalogue says of it.
func (e *environment) observed(file databaseFile, s *server, catalogue map[string]accountdb.Entry) target.AccountDatabaseRecord {
	entry, there := catalogue[file.Name]
	vanished := file.Meta.Ready && (!there || entry.Database == nil)
	return e.databaseRecord(file, s, &entry, vanished)
}

// databaseRecord is an account database as others see it. Without an entry what is on the
// server was just made so.
func (e *environment) databaseRecord(file databaseFile, s *server, entry *accountdb.Entry, vanished bool) target.AccountDatabaseRecord {
	rec := target.AccountDatabaseRecord{Meta: file.Meta, Spec: file.Spec, Vanished: vanished, Status: target.AccountDatabaseStatus{
		DatabaseName: file.Name, RoleName: file.Name, Host: s.host, Port: s.port,
		SecretID: e.passwordFile(file.Spec.Account), PasswordVersion: file.Spec.PasswordVersion(),
		ObservedConnectionLimit: file.Spec.ConnectionLimit,
	}}
	if vanished {
		rec.GiveUp = fmt.Sprintf("terraform-provider-slipway agent forget --data-dir %q %s", e.p.dir, file.Spec.ID())
	}
	if entry == nil || vanished {
		return rec
	}
	rec.Status.Drift = entry.Drift(e.account(file, ""))
	if entry.Role != nil {
		rec.Status.ObservedConnectionLimit = entry.Role.ConnectionLimit
	}
	if _, err := os.Stat(e.passwordFile(file.Spec.Account)); err != nil {
		rec.Status.Drift = append(rec.Status.Drift, "the file of its password is missing")
	}
	return rec
}

// DeleteAccountDatabase implements target.AccountDatabases. The account leaves the directory
// first, the record goes last.
func (p *Platform) DeleteAccountDatabase(ctx context.Context, id target.AccountDatabaseID) error {
	e, err := p.environment(id.Environment)
	if err != nil {
		return err
	}
	unlock := e.accountLock(id.Account)
	defer unlock()
	e.mu.Lock()
	file := e.databases[id.Account]
	err = e.bad.databases[id.Account]
	e.mu.Unlock()
	switch {
	case err != nil:
		return err
	case file == nil:
		return target.Errorf(target.ErrNotFound, "there is no account database %q in %s", id, p.Where())
	}
	s, err := e.server(ctx, file.Spec, true)
	if err != nil {
		return err
	}
	if file.Meta.Ready && file.Spec.DeletionProtection {
		switch err := e.present(ctx, s, *file); {
		case err == nil:
			return target.Errorf(target.ErrProtected, "deletion protection of account database %q is on: set deletion_protection = false and apply that first", id)
		case !errors.Is(err, target.ErrVanished):
			return err
		}
	}
	if err := e.unpublish(id.Account); err != nil {
		return err
	}
	if file.Spec.Isolation == target.IsolationCluster {
		if err := s.remove(ctx); err != nil {
			return err
		}
		e.mu.Lock()
		delete(e.servers, id.Account)
		e.mu.Unlock()
		err = os.RemoveAll(e.files.cluster(id.Account))
	} else {
		err = s.patiently(ctx, func(ctx context.Context) error {
			// The database goes with the first: what the other has is nothing then.
			for _, name := range []string{file.Name, file.secondName()} {
				if err := s.cluster.DropAccount(ctx, name, e.p.mark(name)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if errors.Is(err, accountdb.ErrForeign) {
		return target.Errorf(target.ErrForeign, "%v: it is left as it is", err)
	}
	if err != nil {
		return err
	}
	return e.forget(id.Account)
}

// ForgetAccountDatabase gives up the record of a database that is gone from its server.
func (p *Platform) ForgetAccountDatabase(ctx context.Context, id target.AccountDatabaseID) error {
	rec, err := p.GetAccountDatabase(ctx, id)
	if err != nil {
		return err
	}
	if !rec.Vanished {
		return target.Errorf(target.ErrInvalid, "database %q of account database %q is on its server: destroy it instead", rec.Status.DatabaseName, id)
	}
	e, err := p.environment(id.Environment)
	if err != nil {
		return err
	}
	unlock := e.accountLock(id.Account)
	defer unlock()
	if err := e.unpublish(id.Account); err != nil {
		return err
	}
	return e.forget(id.Account)
}

// unpublish takes an account out of the directory that stacks read.
func (e *environment) unpublish(account string) error {
	for _, path := range []string{filepath.Join(e.files.accounts(), account+".json"), e.passwordFile(account), e.nextPasswordFile(account), e.secondPasswordFile(account)} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove account from directory: %w", err)
		}
	}
	return nil
}

func (e *environment) forget(account string) error {
	if err := os.Remove(e.files.database(account)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.databases, account)
	return nil
}
