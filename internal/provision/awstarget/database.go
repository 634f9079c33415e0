package awstarget

import (
	"context"
	"errors"
	"fmt"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/accountdb"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// databaseKind is the kind of the account databases of an environment.
func databaseKind(id target.EnvironmentID) string { return "database/" + id.Name }

// accountNoun is an account database while it is worked on, with the environment that it is in.
type accountNoun struct {
	*noun
	id          target.AccountDatabaseID
	environment *noun
	// name is the database's and the role's.
	name string
}

// accountNoun is an account database to look at or to work on; it need not be there, its
// environment must be.
func (t *Target) accountNoun(ctx context.Context, id target.AccountDatabaseID) (*accountNoun, error) {
	e, err := t.openEnvironment(ctx, id.Environment)
	if err != nil {
		return nil, err
	}
	return e.account(id), nil
}

func (n *noun) account(id target.AccountDatabaseID) *accountNoun {
	return &accountNoun{
		noun: &noun{
			target: n.target, clients: n.clients, installation: n.installation, region: n.region, environment: n.environment,
			regionKey: n.regionKey, table: n.table, key: key{databaseKind(id.Environment), id.Account},
		},
		id: id, environment: n, name: n.opaque("database", id.String()),
	}
}

// openEnvironment is an environment that is there and is not being removed.
func (t *Target) openEnvironment(ctx context.Context, id target.EnvironmentID) (*noun, error) {
	n, err := t.environmentNoun(ctx, id)
	if err == nil {
		err = n.load(ctx)
	}
	if err == nil && n.document.Ending {
		err = target.Errorf(target.ErrNotFound, "environment %q is being removed", id)
	}
	return n, err
}

// opaque is a name that tells nothing: names are visible to every account on the server.
func (n *noun) opaque(purpose, text string) string {
	return accountdb.Prefix + accountdb.Keyed([]byte(n.installation), purpose, text)
}

// mark tells our objects on a server from those of others.
func (a *accountNoun) mark() string { return a.markOf(a.name) }

func (n *noun) markOf(name string) string {
	return "slipway-" + accountdb.Keyed([]byte(n.installation), "mark", name)
}

// cluster is the one that the database is on.
func (a *accountNoun) cluster() dbCluster { return a.environment.database() }

// wanted is what the server is to hold for a definition.
func (a *accountNoun) wanted(d target.AccountDatabase) accountdb.Account {
	return accountdb.Account{Name: a.name, Mark: a.mark(), ConnectionLimit: d.ConnectionLimit, Logins: []string{a.second()}}
}

// second is the login that is used in turn with the account's own role. Each may hold as many
// connections as the account: while stacks change from one to the other both are in use.
func (a *accountNoun) second() string { return a.name + "_b" }

// wantedSecond is what the server is to hold of it.
func (a *accountNoun) wantedSecond(d target.AccountDatabase) accountdb.Account {
	return accountdb.Account{Name: a.second(), Mark: a.markOf(a.second()), ConnectionLimit: d.ConnectionLimit}
}

// credential is the account's login.
func (a *accountNoun) credential(d target.AccountDatabase) credential {
	return credential{
		n: a.noun, part: partAccount, name: a.secretName(), version: d.PasswordVersion(), roles: []string{a.name, a.second()},
		login: accessSecret{
			Engine: "postgres", Host: a.cluster().host(), Port: postgresPort, DBName: a.name,
			Cluster: a.cluster().name,
		},
	}
}

// ensure makes the server what is asked. The password is empty where the server has it.
func (a *accountNoun) ensure(ctx context.Context, server server, d target.AccountDatabase, role, password string) error {
	account, second := a.wanted(d), a.wantedSecond(d)
	if role == a.name {
		account.Password = password
	} else {
		second.Password = password
	}
	err := server.converge(ctx, a.name, accountdb.Ensure(account))
	if errors.Is(err, accountdb.ErrNoPassword) && role != a.name { // which nobody uses now
		account.Password = accountdb.NewPassword()
		err = server.converge(ctx, a.name, accountdb.Ensure(account))
	}
	if err != nil {
		return err
	}
	seen, err := server.Observe(ctx, a.second())
	if err != nil || seen.Missing() && role == a.name {
		return err
	}
	return server.converge(ctx, a.second(), accountdb.EnsureLogin(second, a.name))
}

// partAccount is the mark of what belongs to an account database.
const partAccount = "account"

// secretName does not end in the account's name: what ends in a hyphen and six characters
// looks like part of an ARN to Secrets Manager (CreateSecret).
func (a *accountNoun) secretName() string { return a.accountsPrefix() + a.id.Account + "/database" }

// PutAccountDatabase implements target.AccountDatabases.
func (t *Target) PutAccountDatabase(ctx context.Context, d target.AccountDatabase, o target.PutOptions) (target.AccountDatabaseRecord, error) {
	var none target.AccountDatabaseRecord
	defer t.databases.Drop(d.Environment)
	if d.Isolation != target.IsolationDatabase {
		return none, target.Errorf(target.ErrInvalid, "account databases with a cluster of their own are not in this version of the aws target: use isolation = %q", target.IsolationDatabase)
	}
	a, err := t.accountNoun(ctx, d.ID())
	if err != nil {
		return none, err
	}
	var rec target.AccountDatabaseRecord
	err = a.alone(ctx, func(ctx context.Context) (err error) {
		rec, err = a.put(ctx, d, o)
		return err
	})
	if err != nil {
		return none, fmt.Errorf("put account database %q: %w", d.ID(), err)
	}
	return rec, nil
}

// put makes the database, or makes it what it should be. The record is written first: what is
// on a server is always accounted for.
func (a *accountNoun) put(ctx context.Context, d target.AccountDatabase, o target.PutOptions) (target.AccountDatabaseRecord, error) {
	var none target.AccountDatabaseRecord
	server, err := a.cluster().server()
	if err != nil {
		return none, err
	}
	if err := a.load(ctx); err != nil && !errors.Is(err, target.ErrNotFound) {
		return none, err
	}
	old, err := recordOf[target.AccountDatabaseRecord](a.document)
	if err != nil {
		return none, err
	}
	rec := target.AccountDatabaseRecord{Spec: d, Status: old.Status}
	if rec.Meta, err = next(fmt.Sprintf("account database %q", a.id), old.Meta, target.Same(old.Spec, d), o, a.target.now()); err != nil {
		return none, err
	}
	seen, err := server.Observe(ctx, a.name)
	if err != nil {
		return none, err
	}
	if err := a.refuse(seen, old); err != nil {
		return none, err
	}
	if rec.Meta != old.Meta {
		rec.Meta.Problem = unfinishedChange
		if err := a.write(ctx, rec); err != nil {
			return none, err
		}
	}
	// After the row: one that removes the environment marks it before it looks for rows.
	if _, err := a.target.openEnvironment(ctx, a.id.Environment); err != nil {
		if old.Meta.Generation == 0 {
			err = errors.Join(err, a.erase(ctx))
		}
		return none, err
	}
	login := a.credential(d)
	err = login.give(ctx, func(ctx context.Context, role, password string) error {
		return a.ensure(ctx, server, d, role, password)
	})
	if errors.Is(err, accountdb.ErrForeign) {
		return none, target.Errorf(target.ErrForeign, "%v: it is left as it is", err)
	}
	if err != nil {
		return none, err
	}
	rec.Meta.Ready, rec.Meta.Problem = true, ""
	rec.Status = target.AccountDatabaseStatus{
		DatabaseName: a.name, RoleName: a.name, Host: login.login.Host, Port: login.login.Port, SecretID: login.arn(),
		PasswordVersion: d.PasswordVersion(), ObservedConnectionLimit: d.ConnectionLimit,
	}
	if rec.Status.Recovery, err = a.recovery(); err != nil {
		return none, err
	}
	return rec, a.write(ctx, rec)
}

// recovery says where the database can be had back from after its removal.
func (a *accountNoun) recovery() (string, error) {
	e, err := recordOf[target.EnvironmentRecord](a.environment.document)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("the continuous backup of database cluster %q in %s, for %d days: restore the cluster to a moment before the removal, under another name, and copy the database %q out of it",
		a.environment.databaseName(), a.clients.region, settingsOf(e.Spec).Database.BackupDays, a.name), nil
}

// refuse says why what is on the server can't become the database: it is not ours, or a finished
// one is gone, with all that was in it.
func (a *accountNoun) refuse(seen accountdb.Entry, old target.AccountDatabaseRecord) error {
	if err := seen.Check(a.mark()); err != nil {
		return target.Errorf(target.ErrForeign, "%v: it is left as it is", err)
	}
	if old.Meta.Ready && seen.Database == nil {
		return target.Errorf(target.ErrVanished, "database %q of account database %q is gone from its cluster", a.name, a.id)
	}
	return nil
}

// write stores the record.
func (a *accountNoun) write(ctx context.Context, rec target.AccountDatabaseRecord) error {
	return a.table.modify(ctx, a.key, leased(a.token, a.target.now()), func(doc *document) error { return doc.record(rec) })
}

// DeleteAccountDatabase implements target.AccountDatabases.
func (t *Target) DeleteAccountDatabase(ctx context.Context, id target.AccountDatabaseID) error {
	defer t.databases.Drop(id.Environment)
	a, err := t.accountNoun(ctx, id)
	if err == nil {
		err = a.exclusively(ctx, a.remove)
	}
	if errors.Is(err, target.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("delete account database %q: %w", id, err)
	}
	return nil
}

// remove takes the account out of the directory first; the record goes last.
func (a *accountNoun) remove(ctx context.Context) error {
	rec, err := recordOf[target.AccountDatabaseRecord](a.document)
	if err != nil {
		return err
	}
	server, err := a.cluster().server()
	if err != nil {
		return err
	}
	if rec.Meta.Ready && rec.Spec.DeletionProtection {
		seen, err := server.Observe(ctx, a.name)
		if err != nil {
			return err
		}
		if a.refuse(seen, rec) == nil {
			return target.Errorf(target.ErrProtected, "deletion protection of account database %q is on: set deletion_protection = false and apply that first", a.id)
		}
	}
	if err := a.deleteSecret(ctx, partAccount, a.secretName()); err != nil {
		return err
	}
	// The database goes with the first: what the other has is nothing then.
	for _, role := range []accountdb.Account{a.wanted(rec.Spec), a.wantedSecond(rec.Spec)} {
		if err = server.converge(ctx, role.Name, accountdb.Drop(role)); err != nil {
			break
		}
	}
	if errors.Is(err, accountdb.ErrForeign) {
		return target.Errorf(target.ErrForeign, "%v: it is left as it is", err)
	}
	if err != nil {
		return err
	}
	return a.erase(ctx)
}
