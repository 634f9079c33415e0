package awstarget

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/accountdb"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// factRemovals counts the removals that were begun and taken back: the next one takes a snapshot
// of its own.
const factRemovals = "removals"

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
	return err
}

// remove takes the account out of the directory first; the record goes last.
func (a *accountNoun) remove(ctx context.Context) error {
	rec, err := a.record()
	if err != nil {
		return err
	}
	if rec.Meta.Ready && rec.Spec.DeletionProtection {
		switch err := a.refuse(ctx, rec); {
		case err == nil:
			return target.Errorf(target.ErrProtected, "deletion protection of account database %q is on: set deletion_protection = false and apply that first", a.id)
		case !errors.Is(err, target.ErrVanished) && !errors.Is(err, target.ErrConflict) && !errors.Is(err, target.ErrForeign):
			return err
		}
	}
	if err := a.ending(ctx, true); err != nil {
		return err
	}
	if err := a.demolish(ctx, rec); err != nil {
		return err
	}
	return a.erase(ctx)
}

// demolish removes all but the record, and keeps what was asked to be kept.
func (a *accountNoun) demolish(ctx context.Context, rec target.AccountDatabaseRecord) error {
	if err := a.deleteSecret(ctx, partAccount, a.secretName()); err != nil {
		return err
	}
	if a.own() {
		return a.demolishCluster(ctx, rec)
	}
	c := a.cluster()
	server, err := c.server()
	if err != nil {
		return err
	}
	if a.keeps(rec.Meta, !rec.Spec.SkipFinalSnapshot) {
		err = a.keepSnapshot(ctx, c, server, rec)
	}
	if err == nil {
		// The database goes with the first: what the other has is nothing then.
		err = a.converge(ctx, server, accountdb.Drop, a.wanted(rec.Spec), a.wantedSecond(rec.Spec))
	}
	if errors.Is(err, accountdb.ErrForeign) {
		return target.Errorf(target.ErrForeign, "%v: it is left as it is", err)
	}
	return err
}

// converge does the same about one role after the other.
func (a *accountNoun) converge(ctx context.Context, server server, next func(accountdb.Account) accountdb.Next, roles ...accountdb.Account) error {
	for _, role := range roles {
		if err := server.converge(ctx, role.Name, next(role)); err != nil {
			return err
		}
	}
	return nil
}

// demolishCluster removes the account's own cluster. What was never finished leaves nothing
// behind, but for a cluster that was there before.
func (a *accountNoun) demolishCluster(ctx context.Context, rec target.AccountDatabaseRecord) error {
	c, err := a.clusterOf(rec.Spec)
	if err != nil {
		return err
	}
	c.keep = a.keeps(rec.Meta, c.keep)
	if err := a.deleteSecret(ctx, partReader, c.reader().name); err != nil {
		return err
	}
	if err := c.delete(ctx); err != nil {
		return err
	}
	return c.deleteLogGroup(ctx, c.logs())
}

// keepSnapshot takes a snapshot of the environment's cluster when nobody writes to the database any
// more. One that was begun by a removal that was broken off is the same.
func (a *accountNoun) keepSnapshot(ctx context.Context, c dbCluster, server server, rec target.AccountDatabaseRecord) error {
	seen, err := server.Observe(ctx, a.name)
	if err != nil || seen.Database == nil {
		return err // what vanished can't be kept, and what was dropped was kept before
	}
	if err := a.converge(ctx, server, accountdb.Close, a.wantedSecond(rec.Spec), a.wanted(rec.Spec)); err != nil {
		return err
	}
	return c.snapshot(ctx, a.noun, a.snapshotName(rec.Meta))
}

// snapshotName is at most 63 characters (CreateDBClusterSnapshot). A database that is made again
// under the same name gets another one.
func (a *accountNoun) snapshotName(m target.Meta) string {
	made := fmt.Sprintf("%s-final-%d", identifier(39, "slipway", a.region, a.noun.environment, a.id.Account), m.CreatedAt.UnixMilli())
	if n := a.fact(factRemovals); n != "" {
		made += "-" + n
	}
	return made
}

// goOn takes back that the database is being removed.
func (a *accountNoun) goOn(ctx context.Context) error {
	if !a.document.Ending {
		return nil
	}
	before, _ := strconv.Atoi(a.fact(factRemovals)) // none is zero
	if err := a.save(ctx, factRemovals, strconv.Itoa(before+1)); err != nil {
		return err
	}
	a.document.Ending = false
	return a.ending(ctx, false)
}

// recovery says where the database can be had back from after its removal.
func (a *accountNoun) recovery(ctx context.Context, rec target.AccountDatabaseRecord) (string, error) {
	c, err := a.clusterOf(rec.Spec)
	if err != nil {
		return "", err
	}
	if a.own() {
		seen, err := findDatabase(ctx, c.clients, c.name)
		if err != nil || !c.keep {
			return "", err
		}
		return fmt.Sprintf("the final snapshot %q of its database cluster in %s, which is taken as it is removed: restore it under another name, and copy the database %q out of it", c.finalSnapshot(seen), c.clients.region, a.name), nil
	}
	from := fmt.Sprintf("the continuous backup of database cluster %q in %s, kept for %d day(s)", c.name, c.clients.region, c.size.BackupDays)
	if c.keep {
		from = fmt.Sprintf("the snapshot %q of database cluster %q in %s, which is taken before it is removed", a.snapshotName(rec.Meta), c.name, c.clients.region)
	}
	return fmt.Sprintf("%s: restore the cluster from it under another name, and copy the database %q out of it", from, a.name), nil
}
