package awstarget

import (
	"context"
	"errors"
	"fmt"
	"maps"

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
	// isolation says which cluster it is on, by the stored definition or the one that is put.
	isolation string
	// found says that a cluster or a database was there when it was looked for, made that this put brought it
	// into being.
	found, made bool
}

// accountNoun is an account database to look at or to work on; it need not be there, its
// environment must be.
func (t *Target) accountNoun(ctx context.Context, id target.AccountDatabaseID) (*accountNoun, error) {
	e, err := t.loadEnvironment(ctx, id.Environment)
	if err != nil {
		return nil, err
	}
	return e.accountNoun(id), nil
}

func (n *noun) accountNoun(id target.AccountDatabaseID) *accountNoun {
	return &accountNoun{
		noun: &noun{
			target: n.target, clients: n.clients, installation: n.installation, region: n.region, environment: n.environment,
			account: id.Account, above: n, regionKey: n.regionKey, table: n.table, key: key{databaseKind(id.Environment), id.Account},
		},
		id: id, environment: n, name: n.opaque("database", id.String()),
	}
}

// openEnvironment refuses an environment that is not there or is being removed.
func (t *Target) openEnvironment(ctx context.Context, id target.EnvironmentID) error {
	n, err := t.loadEnvironment(ctx, id)
	if err != nil {
		return err
	}
	return n.open(id)
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

// record is the stored record, the zero one where there is none.
func (a *accountNoun) record() (target.AccountDatabaseRecord, error) {
	rec, err := recordOf[target.AccountDatabaseRecord](a.document)
	if rec.Meta.Generation > 0 {
		a.isolation = rec.Spec.Isolation
	}
	return rec, err
}

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
	a, err := t.accountNoun(ctx, d.ID())
	if err == nil {
		err = a.environment.open(d.Environment)
	}
	if err != nil {
		return none, err
	}
	var rec target.AccountDatabaseRecord
	if d.Isolation != target.IsolationCluster { // first: what fails here has made nothing, and lost nothing
		err = a.environment.mendReader(ctx)
	}
	if err == nil {
		err = a.alone(ctx, func(ctx context.Context) (err error) {
			rec, err = a.put(ctx, d, o)
			return err
		})
	}
	if err != nil {
		// Once its login is stored there may be something in it.
		made := a.made && a.credential(d).arn() == ""
		return none, target.MadeIf(made, err)
	}
	return rec, nil
}

// put makes the database, or makes it what it should be. The record is written first: what is
// on a server is always accounted for.
func (a *accountNoun) put(ctx context.Context, d target.AccountDatabase, o target.PutOptions) (target.AccountDatabaseRecord, error) {
	var none target.AccountDatabaseRecord
	if _, err := a.environment.database().server(); err != nil {
		return none, err
	}
	if err := a.load(ctx); err != nil && !errors.Is(err, target.ErrNotFound) {
		return none, err
	}
	old, err := a.record()
	if err != nil {
		return none, err
	}
	rec := target.AccountDatabaseRecord{Spec: d, Status: old.Status}
	if rec.Meta, err = next(fmt.Sprintf("account database %q", a.id), old.Meta, target.Same(old.Spec, d), o, a.target.now()); err != nil {
		return none, err
	}
	if err := a.isolate(ctx, old, d.Isolation); err != nil {
		return none, err
	}
	if err := a.refuse(ctx, old); err != nil {
		return none, err
	}
	if rec.Meta != old.Meta {
		rec.Meta.Problem = unfinishedChange
		if err := a.begin(ctx, rec); err != nil {
			return none, err
		}
		a.made = old.Meta.Generation == 0 && !a.found
	}
	// After the row: one that removes the environment marks it before it looks for rows.
	if err := a.target.openEnvironment(ctx, a.id.Environment); err != nil {
		if old.Meta.Generation == 0 {
			err = errors.Join(err, a.erase(ctx))
		}
		return none, err
	}
	if err := a.goOn(ctx); err != nil {
		return none, err
	}
	if rec.Status, err = a.build(ctx, old, rec); err != nil {
		return none, err
	}
	if err := a.saveTagKeys(ctx); err != nil {
		return none, err
	}
	rec.Meta.Ready, rec.Meta.Problem = true, ""
	return rec, a.write(ctx, rec)
}

// build makes what a definition asks for, on the cluster where it is to be.
func (a *accountNoun) build(ctx context.Context, old, rec target.AccountDatabaseRecord) (target.AccountDatabaseStatus, error) {
	var none target.AccountDatabaseStatus
	d := rec.Spec
	if a.own() {
		if err := a.putCluster(ctx, old, d); err != nil {
			return none, err
		}
	}
	server, err := a.cluster().server()
	if err != nil {
		return none, err
	}
	login := a.credential(d)
	err = login.give(ctx, func(ctx context.Context, role, password string) error {
		return a.ensure(ctx, server, d, role, password)
	})
	if errors.Is(err, accountdb.ErrForeign) {
		return none, target.Errorf(target.ErrForeign, "%v: it is left as it is", err)
	}
	if err == nil && a.own() {
		err = a.protectCluster(ctx, d)
	}
	if err != nil {
		return none, err
	}
	recovery, err := a.recovery(ctx, rec)
	return target.AccountDatabaseStatus{
		DatabaseName: a.name, RoleName: a.name, Host: login.login.Host, Port: login.login.Port, SecretID: login.arn(),
		PasswordVersion: d.PasswordVersion(), ObservedConnectionLimit: d.ConnectionLimit, Recovery: recovery,
	}, err
}

// refuse says why what is there can't become the database: it is not ours, or a finished one is
// gone, with all that was in it. What can't be looked at yet is refused when it can.
func (a *accountNoun) refuse(ctx context.Context, old target.AccountDatabaseRecord) error {
	c := a.cluster()
	if a.own() {
		d, err := findDatabase(ctx, c.clients, c.name)
		if err == nil {
			a.found = true
			err = c.claimRDS(ctx, c.part, "database cluster", text(d.DBClusterArn))
		}
		switch {
		case isAbsent(err) && old.Meta.Ready:
			return a.gone("database cluster %q of account database %q is gone", c.name, a.id)
		case isAbsent(err):
			return nil
		case err != nil:
			return err
		case text(d.Status) == deleting:
			return a.gone("database cluster %q of account database %q is being deleted", c.name, a.id)
		case !c.answers(d) || d.MasterUserSecret == nil || text(d.MasterUserSecret.SecretArn) != c.fact(factDatabaseSecret):
			return nil
		}
	}
	server, err := c.server()
	if err != nil {
		return err
	}
	seen, err := server.Observe(ctx, a.name)
	if err != nil {
		return err
	}
	a.found = a.found || seen.Database != nil
	if err := seen.Check(a.mark()); err != nil {
		return target.Errorf(target.ErrForeign, "%v: it is left as it is", err)
	}
	if old.Meta.Ready && seen.Database == nil {
		return a.gone("database %q of account database %q is gone from its cluster", a.name, a.id)
	}
	return nil
}

// gone is the error of a finished database that is not there: somebody removed it, or we did and
// were kept from finishing that.
func (a *accountNoun) gone(format string, args ...any) error {
	if a.document.Ending {
		return target.Errorf(target.ErrEnding, "account database %q is being removed and must be destroyed once more: its data is gone already", a.id)
	}
	return target.Errorf(target.ErrVanished, format, args...)
}

// begin stores the record before anything is made, and that nothing was there, where that is so.
func (a *accountNoun) begin(ctx context.Context, rec target.AccountDatabaseRecord) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	facts := map[string]string{}
	maps.Copy(facts, a.facts)
	if !a.found {
		facts[factCreated] = "true"
	}
	err := a.table.modify(ctx, a.key, leased(a.token, a.target.now()), func(doc *document) error {
		doc.Facts = facts
		return doc.record(rec)
	})
	if err == nil {
		a.facts = facts
	}
	return err
}

// write stores the record.
func (a *accountNoun) write(ctx context.Context, rec target.AccountDatabaseRecord) error {
	return a.table.modify(ctx, a.key, leased(a.token, a.target.now()), func(doc *document) error { return doc.record(rec) })
}
