package awstarget_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget/awstest"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// ownCluster is a database with a cluster of its own.
func ownCluster(id target.EnvironmentID, account string) target.AccountDatabase {
	d := database(id, account)
	d.Isolation = target.IsolationCluster
	return d
}

// cluster is the database cluster with a host, nil for none.
func (l *lab) cluster(t *testing.T, host string) *types.DBCluster {
	t.Helper()
	out, err := rds.NewFromConfig(l.config(home)).DescribeDBClusters(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range out.DBClusters {
		if aws.ToString(c.Endpoint) == host {
			return &c
		}
	}
	return nil
}

// snapshots are the names of those that somebody asked for, and of what.
func (l *lab) snapshots(t *testing.T) map[string]string {
	t.Helper()
	out, err := rds.NewFromConfig(l.config(home)).DescribeDBClusterSnapshots(t.Context(), &rds.DescribeDBClusterSnapshotsInput{SnapshotType: aws.String("manual")})
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]string{}
	for _, s := range out.DBClusterSnapshots {
		names[aws.ToString(s.DBClusterSnapshotIdentifier)] = aws.ToString(s.DBClusterIdentifier)
	}
	return names
}

// estate is a region with an environment, and a client of the lab.
type estate struct {
	*lab
	*testing.T
	d   target.Driver
	env target.Environment
}

func (e *estate) put(spec target.AccountDatabase, generation int64) target.AccountDatabaseRecord {
	e.Helper()
	rec, err := e.d.PutAccountDatabase(e.Context(), spec, target.PutOptions{Owner: "me", IfGeneration: generation})
	if err != nil {
		e.Fatal(err)
	}
	return rec
}

// seen is what a new run sees of a database.
func (e *estate) seen(id target.AccountDatabaseID) target.AccountDatabaseRecord {
	e.Helper()
	rec, err := e.client(e.T).GetAccountDatabase(e.Context(), id)
	if err != nil {
		e.Fatal(err)
	}
	return rec
}

func (e *estate) change(change func(context.Context, *rds.Client) error) {
	e.Helper()
	if err := change(e.Context(), rds.NewFromConfig(e.config(home))); err != nil {
		e.Fatal(err)
	}
}

// TestAnAccountHasAClusterOfItsOwn follows one through its life.
func TestAnAccountHasAClusterOfItsOwn(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	d := l.client(t)
	production(t, d)
	e := &estate{l, t, d, environment(t, eu.Name, "production")}
	spec := ownCluster(e.env.ID(), "acme")
	spec.DeletionProtection = true
	rec := e.put(spec, 0)
	e.madeLikeTheEnvironments(rec)
	e.usable(t, d, rec)
	e.plansReadEachClusterOnce(rec)
	readersAreMended(t, l, spec, *e.cluster(t, rec.Status.Host))
	e.followsTheEnvironment(rec)
	e.staysWhatItIs(spec)
	spec.DeletionProtection, spec.CredentialVersion = false, 2
	rec = e.put(spec, 1)
	e.usable(t, d, rec)
	e.leavesAFinalSnapshot(rec)
	e.removalIsTakenBack(database(e.env.ID(), "initech"))
	e.isNotTaken(e.isNotMadeAnewWhereItVanished(ownCluster(e.env.ID(), "globex")))
}

func (e *estate) madeLikeTheEnvironments(rec target.AccountDatabaseRecord) {
	e.Helper()
	in, err := e.d.GetEnvironment(e.Context(), e.env.ID())
	if err != nil {
		e.Fatal(err)
	}
	own, theirs := e.cluster(e.T, rec.Status.Host), e.cluster(e.T, in.Status.DatabaseHost)
	if own == nil || rec.Status.Host == in.Status.DatabaseHost || e.login(e.T, rec.Status.SecretID).Host != rec.Status.Host {
		e.Fatalf("the database is on %q, that of the environment on %q", rec.Status.Host, in.Status.DatabaseHost)
	}
	if !aws.ToBool(own.StorageEncrypted) || aws.ToString(own.KmsKeyId) != aws.ToString(theirs.KmsKeyId) || own.MasterUserSecret == nil ||
		aws.ToString(own.DBSubnetGroup) != aws.ToString(theirs.DBSubnetGroup) || aws.ToString(own.DBClusterParameterGroup) != aws.ToString(theirs.DBClusterParameterGroup) ||
		aws.ToString(own.VpcSecurityGroups[0].VpcSecurityGroupId) != aws.ToString(theirs.VpcSecurityGroups[0].VpcSecurityGroupId) ||
		!aws.ToBool(own.HttpEndpointEnabled) || !aws.ToBool(own.DeletionProtection) || len(own.DBClusterMembers) != len(theirs.DBClusterMembers) {
		e.Errorf("the cluster is %+v\nthat of the environment %+v", own, theirs)
	}
}

// plansReadEachClusterOnce wants a refresh to ask the account's cluster, with the reader's secret,
// and no other, and only what the policy for plans allows.
func (e *estate) plansReadEachClusterOnce(rec target.AccountDatabaseRecord) {
	e.Helper()
	d, calls := faulty(e.T, e.lab)
	calls.FailAt(0, 0)
	e.forgetCalls()
	for range 2 {
		if _, err := d.GetAccountDatabase(e.Context(), rec.Spec.ID()); err != nil {
			e.Fatal(err)
		}
	}
	e.heldToPlans(e.T)
	arn := aws.ToString(e.cluster(e.T, rec.Status.Host).DBClusterArn)
	statements := 0
	for _, c := range calls.Sent() {
		if c.Service != "rds-data" {
			continue
		}
		if statements++; !strings.Contains(string(c.Body), arn) || !strings.Contains(string(c.Body), "slipway-reader/eu/production/acme/") {
			e.Errorf("a plan asks another cluster or with another secret: %s", c.Body)
		}
	}
	if statements != 1 {
		e.Errorf("a refresh took %d statements, want 1", statements)
	}
}

// followsTheEnvironment wants drift to be seen and repaired, and the environment's size and tags to
// be the cluster's as soon as they are the environment's.
func (e *estate) followsTheEnvironment(rec target.AccountDatabaseRecord) {
	e.Helper()
	name := e.cluster(e.T, rec.Status.Host).DBClusterIdentifier
	e.logGroups(3 + 1)
	e.change(func(ctx context.Context, c *rds.Client) error {
		_, err := c.ModifyDBCluster(ctx, &rds.ModifyDBClusterInput{DBClusterIdentifier: name, DeletionProtection: aws.Bool(false), BackupRetentionPeriod: aws.Int32(3)})
		return err
	})
	_, err := cloudwatchlogs.NewFromConfig(e.config(home)).DeleteRetentionPolicy(e.Context(), &cloudwatchlogs.DeleteRetentionPolicyInput{LogGroupName: aws.String("/aws/rds/cluster/" + *name + "/postgresql")})
	if err != nil {
		e.Fatal(err)
	}
	if drift := e.seen(rec.Spec.ID()).Status.Drift; len(drift) != 3 {
		e.Errorf("of three changes %d are seen: %q", len(drift), drift)
	}
	e.put(rec.Spec, 1)
	if drift := e.seen(rec.Spec.ID()).Status.Drift; len(drift) > 0 {
		e.Errorf("a put has left %q", drift)
	}
	settings := *e.env.AWS
	settings.Database.MaxCapacity, settings.Database.Instances = 8, 2
	e.env.AWS, e.env.Tags = &settings, map[string]string{"team": "shop"}
	if _, err := e.d.PutEnvironment(e.Context(), e.env, target.PutOptions{Owner: "me", IfGeneration: 1}); err != nil {
		e.Fatal(err)
	}
	own := e.cluster(e.T, rec.Status.Host)
	tags := map[string]string{}
	for _, tag := range own.TagList {
		tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	if len(own.DBClusterMembers) != 2 || aws.ToFloat64(own.ServerlessV2ScalingConfiguration.MaxCapacity) != 8 || tags["team"] != "shop" || tags["slipway:account"] != "acme" || !aws.ToBool(own.DeletionProtection) {
		e.Errorf("the environment has grown, and the account's cluster is %+v", own)
	}
	if drift := e.seen(rec.Spec.ID()).Status.Drift; len(drift) > 0 {
		e.Errorf("after the environment has grown there is %q", drift)
	}
}

// logGroups counts those of the environment, which has three, and of the clusters of accounts.
func (e *estate) logGroups(want int) {
	e.Helper()
	if got := e.built(e.T, home)["log group"]; got != want {
		e.Errorf("there are %d log groups, want %d", got, want)
	}
}

// staysWhatItIs wants a finished database to keep its isolation, its protection and its environment.
func (e *estate) staysWhatItIs(spec target.AccountDatabase) {
	e.Helper()
	other := spec
	other.Isolation = target.IsolationDatabase
	_, err := e.d.PutAccountDatabase(e.Context(), other, target.PutOptions{Owner: "me", IfGeneration: 1})
	e.refused(err, target.ErrInvalid)
	e.refused(e.d.DeleteAccountDatabase(e.Context(), spec.ID()), target.ErrProtected)
	e.refused(e.d.DeleteEnvironment(e.Context(), spec.Environment), target.ErrNotEmpty)
}

// removalIsTakenBack breaks a removal off and changes its mind. What is written after that is in
// another snapshot. A removal that has come too far is finished, and nothing is called vanished.
func (e *estate) removalIsTakenBack(spec target.AccountDatabase) {
	e.Helper()
	d, calls := faulty(e.T, e.lab)
	first := e.put(spec, 0)
	calls.FailEach(awstest.FailBefore)
	for e.seen(spec.ID()).Meta.Problem == "" {
		if d.DeleteAccountDatabase(e.Context(), spec.ID()) == nil {
			e.Fatal("the removal was not broken off")
		}
	}
	second := e.put(spec, 1)
	e.usable(e.T, e.d, second)
	if second.Status.Recovery == first.Status.Recovery {
		e.Errorf("a second removal would find the snapshot of the first: %s", second.Status.Recovery)
	}
	for there := true; there; there = len(awstest.Query(e.T, "SELECT datname::text FROM pg_database WHERE datname = $1", first.Status.DatabaseName)) > 0 {
		if d.DeleteAccountDatabase(e.Context(), spec.ID()) == nil {
			e.Fatal("the removal was not broken off after the database was gone")
		}
	}
	if rec := e.seen(spec.ID()); rec.Vanished || rec.Meta.Problem == "" {
		e.Errorf("a removal that is not finished is %+v", rec)
	}
	_, err := e.d.PutAccountDatabase(e.Context(), spec, target.PutOptions{Owner: "me", IfGeneration: 1})
	e.refused(err, target.ErrEnding)
	calls.FailAt(0, awstest.FailBefore)
	if err := d.DeleteAccountDatabase(e.Context(), spec.ID()); err != nil {
		e.Error(err)
	}
	e.nothingOf(e.T, first.Status.DatabaseName)
}

func (e *estate) leavesAFinalSnapshot(rec target.AccountDatabaseRecord) {
	e.Helper()
	if err := e.d.DeleteAccountDatabase(e.Context(), rec.Spec.ID()); err != nil {
		e.Fatal(err)
	}
	left := e.snapshots(e.T)
	for name := range left {
		if !strings.Contains(rec.Status.Recovery, name) {
			e.Errorf("snapshot %q was taken, and the record says %q", name, rec.Status.Recovery)
		}
	}
	if len(left) != 1 || e.cluster(e.T, rec.Status.Host) != nil {
		e.Errorf("snapshots %v are left, or the cluster is", left)
	}
	e.logGroups(3)
	e.nothingOf(e.T, rec.Status.DatabaseName)
}

func (e *estate) isNotMadeAnewWhereItVanished(spec target.AccountDatabase) target.AccountDatabaseRecord {
	e.Helper()
	spec.SkipFinalSnapshot = true
	rec := e.put(spec, 0)
	own := e.cluster(e.T, rec.Status.Host)
	e.change(func(ctx context.Context, c *rds.Client) error {
		for _, m := range own.DBClusterMembers {
			if _, err := c.DeleteDBInstance(ctx, &rds.DeleteDBInstanceInput{DBInstanceIdentifier: m.DBInstanceIdentifier, SkipFinalSnapshot: aws.Bool(true)}); err != nil {
				return err
			}
		}
		_, err := c.DeleteDBCluster(ctx, &rds.DeleteDBClusterInput{DBClusterIdentifier: own.DBClusterIdentifier, SkipFinalSnapshot: aws.Bool(true)})
		return err
	})
	giveUp := `aws dynamodb delete-item --region eu-central-1 --table-name slipway-eu-0507c8a7 --key '{"kind":{"S":"database/production"},"id":{"S":"globex"}}'`
	if rec := e.seen(spec.ID()); !rec.Vanished || rec.GiveUp != giveUp {
		e.Errorf("the cluster has vanished, and what is seen is %+v", rec)
	}
	_, err := e.d.PutAccountDatabase(e.Context(), spec, target.PutOptions{Owner: "me", IfGeneration: 1})
	e.refused(err, target.ErrVanished)
	if err := e.d.DeleteAccountDatabase(e.Context(), spec.ID()); err != nil {
		e.Error(err)
	}
	e.nothingOf(e.T, rec.Status.DatabaseName)
	e.logGroups(3)
	return rec
}

// isNotTaken plants a cluster of somebody else's under the account's name.
func (e *estate) isNotTaken(rec target.AccountDatabaseRecord) {
	e.Helper()
	name, _, _ := strings.Cut(rec.Status.Host, ".")
	e.change(func(ctx context.Context, c *rds.Client) error {
		_, err := c.CreateDBCluster(ctx, &rds.CreateDBClusterInput{
			DBClusterIdentifier: &name, Engine: aws.String("aurora-postgresql"), MasterUsername: aws.String("root"), ManageMasterUserPassword: aws.Bool(true),
		})
		return err
	})
	for range 2 {
		_, err := e.d.PutAccountDatabase(e.Context(), rec.Spec, mine)
		e.refused(err, target.ErrForeign)
		if err := e.d.DeleteAccountDatabase(e.Context(), rec.Spec.ID()); err != nil {
			e.Error(err)
		}
	}
	e.change(func(ctx context.Context, c *rds.Client) error { // it is there still
		_, err := c.DescribeDBClusters(ctx, &rds.DescribeDBClustersInput{DBClusterIdentifier: &name})
		return err
	})
}

func (e *estate) refused(err, want error) {
	e.Helper()
	if !errors.Is(err, want) {
		e.Errorf("got error %v, want %v", err, want)
	}
}
