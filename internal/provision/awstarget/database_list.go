package awstarget

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"
	secrets "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/accountdb"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// ListAccountDatabases implements target.AccountDatabases with one query of the rows and one of
// the catalogue, page by page.
func (t *Target) ListAccountDatabases(ctx context.Context, id target.EnvironmentID) ([]target.AccountDatabaseRecord, error) {
	return t.databases.Get(ctx, id, func(ctx context.Context) ([]target.AccountDatabaseRecord, error) {
		ctx = t.recently(ctx)
		e, err := t.loadEnvironment(ctx, id)
		if err != nil {
			return nil, err
		}
		rows, err := e.table.list(ctx, databaseKind(id))
		if err != nil || countDocuments(rows) == 0 {
			return nil, err
		}
		return e.observed(ctx, id, rows, accountdb.Prefix)
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
	if target.OnlyRecords(ctx) {
		d, err := decode[document](r)
		if err != nil {
			return target.AccountDatabaseRecord{}, err
		}
		return recordOf[target.AccountDatabaseRecord](d)
	}
	all, err := a.environment.observed(ctx, id.Environment, []row{r}, a.name)
	if err != nil {
		return target.AccountDatabaseRecord{}, err
	}
	return all[0], nil
}

// accounts are the account databases that rows have the records of.
func (n *noun) accounts(id target.EnvironmentID, rows []row) ([]*accountNoun, error) {
	var all []*accountNoun
	for _, r := range rows {
		if r.version == 0 {
			continue
		}
		a := n.accountNoun(target.AccountDatabaseID{Environment: id, Account: r.key.id})
		var err error
		if a.document, err = decode[document](r); err != nil {
			return nil, err
		}
		a.facts = a.document.Facts
		if _, err := a.record(); err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, nil
}

// observed is the records in rows with what AWS and the catalogues of the clusters say of them: one
// query for all that are on the environment's, and one for each cluster of an account's own.
func (n *noun) observed(ctx context.Context, id target.EnvironmentID, rows []row, prefix string) ([]target.AccountDatabaseRecord, error) {
	accounts, err := n.accounts(id, rows)
	if err != nil {
		return nil, err
	}
	clusters, err := n.ownClusters(ctx, accounts)
	if err != nil {
		return nil, err
	}
	logs, err := n.ownLogs(ctx, accounts)
	if err != nil {
		return nil, err
	}
	var shared map[string]accountdb.Entry
	var unread []string
	if slices.ContainsFunc(accounts, func(a *accountNoun) bool { return !a.own() }) {
		if shared, unread, err = n.database().lookInto(ctx, prefix); err != nil {
			return nil, err
		}
	}
	held, err := n.accountSecrets(ctx, accounts)
	if err != nil {
		return nil, err
	}
	out := make([]target.AccountDatabaseRecord, len(accounts))
	at := map[*accountNoun]int{}
	for i, a := range accounts {
		at[a] = i
	}
	return out, together(accounts, func(a *accountNoun) (err error) {
		rec := &out[at[a]]
		if *rec, err = a.record(); err != nil {
			return err
		}
		if a.document.Ending {
			rec.Meta.Problem = unfinishedRemoval
		}
		switch {
		case a.own():
			err = a.observeCluster(ctx, rec, clusters[a.cluster().name], logs)
		case len(unread) > 0: // nothing is known of it then, and what is recorded stays
			rec.Status.Drift = slices.Clone(unread)
		default:
			a.observe(rec, shared)
		}
		if err == nil && rec.Meta.Ready && !rec.Vanished {
			secret, there := held[a.secretName()]
			rec.Status.Drift = append(rec.Status.Drift, a.secretDrift(secret, there)...)
			if !there {
				rec.Status.SecretID = "" // one that is made anew has another ARN
			}
		}
		return err
	})
}

// accountSecrets lists the secrets of accounts by name: of one, or of all in the environment. A list may
// be five minutes late (ListSecrets): what it does not show as it should be is asked for alone.
func (n *noun) accountSecrets(ctx context.Context, accounts []*accountNoun) (map[string]secrets.SecretListEntry, error) {
	prefix := n.accountsPrefix()
	if len(accounts) == 1 {
		prefix = accounts[0].secretName()
	}
	all, err := listSecrets(ctx, n.clients, prefix)
	if err != nil {
		return nil, err
	}
	var late []*accountNoun
	for _, a := range accounts {
		rec, err := a.record()
		if err != nil {
			return nil, err
		}
		if s, there := all[a.secretName()]; rec.Meta.Ready && len(a.secretDrift(s, there)) > 0 {
			late = append(late, a)
		}
	}
	var mu sync.Mutex
	return all, together(late, func(a *accountNoun) error {
		d, err := findSecret(ctx, n.clients, a.secretName())
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			delete(all, a.secretName())
			return gone(err)
		}
		all[a.secretName()] = secrets.SecretListEntry{ARN: d.ARN, Name: d.Name, DeletedDate: d.DeletedDate, SecretVersionsToStages: d.VersionIdsToStages, Tags: d.Tags}
		return nil
	})
}

// secretDrift says how the account's secret differs from what a put makes.
func (a *accountNoun) secretDrift(s secrets.SecretListEntry, there bool) []string {
	switch {
	case !there:
		return []string{"the secret is gone"}
	case s.DeletedDate != nil:
		return []string{"the secret is to be deleted"}
	}
	var drift []string
	if altered(s.SecretVersionsToStages) {
		drift = append(drift, "the value of the secret was changed by somebody else")
	}
	return append(drift, a.tagDrift(partAccount, "the secret", tagMap(s.Tags, func(t secrets.Tag) (*string, *string) { return t.Key, t.Value }))...)
}

// lookInto is what the cluster's catalogue says of the names that begin so, or why that can't be told:
// what is wrong with one cluster, or with the login of plans, must keep nobody from planning its repair.
func (c dbCluster) lookInto(ctx context.Context, prefix string) (all map[string]accountdb.Entry, unread []string, err error) {
	reader, err := c.catalogue()
	if err != nil {
		return nil, nil, err
	}
	if all, err = reader.all(ctx, prefix); err == nil {
		c.target.catalogues.Store(c.name, true)
	}
	if !unreadable(err) {
		return all, nil, err
	}
	// What the Data API may not read in the caller's name it calls by the same codes.
	if _, why := readSecret(ctx, c.clients, c.reader().arn(), ""); why != nil && !unreadable(why) {
		return nil, nil, why
	}
	return nil, []string{fmt.Sprintf("the catalogue of database cluster %q can't be read: %v", c.name, err)}, nil
}

// ownClusters describes the clusters that accounts have of their own, by name, by a call for many.
func (n *noun) ownClusters(ctx context.Context, accounts []*accountNoun) (map[string]*types.DBCluster, error) {
	var names []string
	for _, a := range accounts {
		if a.own() {
			names = append(names, a.cluster().name)
		}
	}
	out := map[string]*types.DBCluster{}
	for some := range slices.Chunk(names, maxDescribed) {
		pages := rds.NewDescribeDBClustersPaginator(n.clients.rds, &rds.DescribeDBClustersInput{Filters: []types.Filter{{Name: aws.String("db-cluster-id"), Values: some}}})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, failed(err, "find the database clusters of accounts")
			}
			for i := range page.DBClusters {
				out[text(page.DBClusters[i].DBClusterIdentifier)] = &page.DBClusters[i]
			}
		}
	}
	return out, nil
}

// ownLogs describes the log groups of these clusters, by name, by a call for many.
func (n *noun) ownLogs(ctx context.Context, accounts []*accountNoun) (map[string]logstypes.LogGroup, error) {
	var names []string
	for _, a := range accounts {
		if a.own() {
			names = append(names, a.cluster().logs().name)
		}
	}
	return findLogGroups(ctx, n.clients, names)
}

// maxDescribed is how many clusters one call describes (DescribeDBClusters: MaxRecords).
const maxDescribed = 100

// observeCluster writes into a record what is to be said of the account's own cluster d, nil where
// there is none, of its log group among some, and of the database on it.
func (a *accountNoun) observeCluster(ctx context.Context, rec *target.AccountDatabaseRecord, d *types.DBCluster, logs map[string]logstypes.LogGroup) error {
	if d == nil {
		a.observe(rec, nil)
		return nil
	}
	c, err := a.clusterOf(rec.Spec)
	if err != nil {
		return err
	}
	c.protected = c.protected && rec.Meta.Ready
	log, there := logs[c.logs().name]
	drift := append(c.difference(d), c.logGroupDrift(c.logs(), log, there)...)
	if !c.answers(d) || c.reader().arn() == "" {
		drift = append(drift, fmt.Sprintf("database cluster %q is %s and can't be read", c.name, text(d.Status)))
	} else {
		seen, unread, err := c.lookInto(ctx, a.name)
		if err != nil {
			return err
		}
		if drift = append(drift, unread...); len(unread) == 0 {
			a.observe(rec, seen)
		}
	}
	if !rec.Vanished {
		rec.Status.Drift = append(drift, rec.Status.Drift...)
	}
	return nil
}

// errsUnreadable are those that one cluster has and others need not. Whoever looks at the others is
// told, and not kept from it.
var errsUnreadable = []string{
	"BadRequestException", "DatabaseErrorException", "DatabaseNotFoundException", "DatabaseUnavailableException",
	"HttpEndpointNotEnabledException", "InvalidResourceStateException", "InvalidSecretException", "SecretsErrorException",
}

// unreadable says whether an error is of a cluster, or of the login of plans, that is not what was made.
func unreadable(err error) bool {
	return coded(err, errsUnreadable...) || isAbsent(err) || errors.Is(err, errNoLogin)
}

// observe writes into a record what the catalogue says.
func (a *accountNoun) observe(rec *target.AccountDatabaseRecord, all map[string]accountdb.Entry) {
	seen, second := all[a.name], all[a.second()]
	if rec.Meta.Ready && seen.Database == nil {
		if rec.Vanished = !a.document.Ending; rec.Vanished { // what we were about to remove has not
			rec.GiveUp = a.table.removal(a.clients.region, a.key)
		}
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

// forgetDatabases gives up the records of databases that have vanished. One that is there keeps
// the environment.
func (n *noun) forgetDatabases(ctx context.Context, id target.EnvironmentID) error {
	rows, err := n.table.list(ctx, databaseKind(id))
	if err != nil || len(rows) == 0 {
		return err
	}
	if countDocuments(rows) > 0 {
		all, err := n.observed(ctx, id, rows, accountdb.Prefix)
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
		a := n.accountNoun(target.AccountDatabaseID{Environment: id, Account: r.key.id})
		err := a.deleteSecret(ctx, partAccount, a.secretName())
		if err == nil {
			a.isolation = target.IsolationCluster
			err = a.deleteSecret(ctx, partReader, a.cluster().reader().name)
		}
		if err == nil {
			err = a.deleteLogGroup(ctx, a.cluster().logs())
		}
		if err == nil {
			err = a.table.erase(ctx, r)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("forget account database %q: %w", a.id, err))
		}
	}
	return errors.Join(errs...)
}
