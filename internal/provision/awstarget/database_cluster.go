package awstarget

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/rds/types"
	secrets "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// partAccounts is what an environment's settings reach beside its own parts: the clusters of
// single accounts.
const partAccounts = "accounts"

// own says whether the database has a cluster of its own.
func (a *accountNoun) own() bool { return a.isolation == target.IsolationCluster }

// cluster is the one that the database is on, as far as it is needed to reach it. One of its own
// is in the network of the environment's, and has the same parameters.
func (a *accountNoun) cluster() dbCluster {
	c := a.environment.database()
	if a.own() {
		c.noun, c.name = a.noun, identifier(60, "slipway", a.region, a.noun.environment, a.id.Account)
	}
	return c
}

// clusterOf is its own cluster as a definition has it. It is as large as the environment's.
func (a *accountNoun) clusterOf(d target.AccountDatabase) (dbCluster, error) {
	c := a.cluster()
	e, err := recordOf[target.EnvironmentRecord](a.environment.document)
	c.size, c.protected, c.keep, c.logDays = settingsOf(e.Spec).Database, d.DeletionProtection, !d.SkipFinalSnapshot, logRetention(e.Spec)
	return c, err
}

// isolate sees to it that nothing is left of a database on another kind of cluster. One that was
// ever finished may hold data, and is not moved.
func (a *accountNoun) isolate(ctx context.Context, old target.AccountDatabaseRecord, isolation string) error {
	if old.Meta.Generation > 0 && old.Spec.Isolation != isolation {
		if old.Meta.Ready {
			return target.Errorf(target.ErrInvalid, "isolation of account database %q can't change from %q to %q: its data would have to move", a.id, old.Spec.Isolation, isolation)
		}
		err := a.demolish(ctx, old)
		for _, f := range []string{factDatabaseHost, factDatabaseSecret, factCreated} {
			if err == nil {
				err = a.save(ctx, f, "")
			}
		}
		if err != nil {
			return err
		}
	}
	a.isolation = isolation
	return nil
}

// putCluster makes the account's own cluster, and the login that plans read its catalogue with.
// Its protection is armed when all is done.
func (a *accountNoun) putCluster(ctx context.Context, old target.AccountDatabaseRecord, d target.AccountDatabase) error {
	c, err := a.clusterOf(d)
	if err != nil {
		return err
	}
	c.protected = c.protected && old.Meta.Ready
	if err := c.putLogGroup(ctx, c.logs()); err != nil {
		return err
	}
	if err := c.put(ctx); err != nil {
		return err
	}
	if err := a.refuse(ctx, old); err != nil { // what could not be looked at before
		return err
	}
	return c.putReader(ctx)
}

// protectCluster makes the cluster refuse to be deleted, where that is asked.
func (a *accountNoun) protectCluster(ctx context.Context, d target.AccountDatabase) error {
	c, err := a.clusterOf(d)
	if err != nil {
		return err
	}
	seen, err := findDatabase(ctx, c.clients, c.name)
	if err != nil || len(c.drift(seen)) == 0 {
		return err
	}
	_, err = c.modify(ctx, seen)
	return err
}

// accountsPart brings the clusters of single accounts to the environment's size, and gives them and
// the secrets of all accounts its tags. Each account database says by itself how it differs.
func (n *noun) accountsPart(e target.Environment) part {
	nothing := func(context.Context) error { return nil }
	return part{
		name: partAccounts, needs: []string{partDatabase},
		put:    func(ctx context.Context) error { return n.settleAccounts(ctx, e.ID()) },
		check:  func(context.Context) ([]string, error) { return nil, nil },
		delete: nothing, // the environment has none when it is removed
	}
}

func (n *noun) settleAccounts(ctx context.Context, id target.EnvironmentID) error {
	rows, err := n.table.list(ctx, databaseKind(id))
	if err != nil || len(rows) == 0 {
		return err
	}
	accounts, err := n.accounts(id, rows)
	if err != nil {
		return err
	}
	clusters, err := n.ownClusters(ctx, accounts)
	if err != nil {
		return err
	}
	held, err := n.accountSecrets(ctx, accounts)
	if err != nil {
		return err
	}
	return together(accounts, func(a *accountNoun) error {
		settled, err := a.settled(clusters[a.cluster().name], held[a.secretName()])
		if err != nil || settled {
			return err
		}
		if err := a.exclusively(ctx, a.settle); err != nil && !errors.Is(err, target.ErrNotFound) {
			return fmt.Errorf("change account %q: %w", a.id.Account, err)
		}
		return nil
	})
}

// settled says whether an account has what the environment's settings ask for. What is not there is
// no matter of the environment's.
func (a *accountNoun) settled(d *types.DBCluster, s secrets.SecretListEntry) (bool, error) {
	rec, err := a.record()
	if err != nil || !rec.Meta.Ready || a.document.Ending {
		return true, err
	}
	if s.ARN != nil && s.DeletedDate == nil && len(a.secretDrift(s, true)) > 0 {
		return false, nil
	}
	if !a.own() || d == nil {
		return true, nil
	}
	c, err := a.clusterOf(rec.Spec)
	if err != nil {
		return false, err
	}
	surplus := c.retag(c.part, dbTags(d)).surplus
	return len(surplus) == 0 && len(c.difference(d)) == 0, nil
}

// settle gives the account's secret the environment's tags, and makes its own cluster what the
// environment and its record ask for.
func (a *accountNoun) settle(ctx context.Context) error {
	rec, err := a.record()
	if err != nil || !rec.Meta.Ready || a.document.Ending {
		return err
	}
	d, err := findSecret(ctx, a.clients, a.secretName())
	if err == nil {
		err = a.retagSecret(ctx, partAccount, d)
	}
	if gone(err) != nil {
		return err
	}
	if a.own() {
		if err := a.putCluster(ctx, rec, rec.Spec); err != nil {
			return err
		}
	}
	return a.saveTagKeys(ctx)
}

// atOnce is how many clusters are worked on at the same time.
const atOnce = 8

// together does something about many accounts, some at the same time.
func together(accounts []*accountNoun, do func(*accountNoun) error) error {
	errs := make([]error, len(accounts))
	turns := make(chan struct{}, atOnce)
	var working sync.WaitGroup
	for i, a := range accounts {
		turns <- struct{}{}
		working.Go(func() {
			defer func() { <-turns }()
			errs[i] = do(a)
		})
	}
	working.Wait()
	return errors.Join(errs...)
}
