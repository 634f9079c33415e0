package awstarget

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

const (
	errNoDatabase   = "DBClusterNotFoundFault"
	errNoInstance   = "DBInstanceNotFound"
	errNoSubnets    = "DBSubnetGroupNotFoundFault"
	errNoParameters = "DBParameterGroupNotFound"
	// errNoParameters2 is what deleting a cluster's parameter group says.
	errNoParameters2 = "DBClusterParameterGroupNotFound"

	databaseEngine = "aurora-postgresql"
	// databaseLog is the log that a cluster writes to CloudWatch.
	databaseLog = "postgresql"
	// markDatabaseLog marks the log group that it is in.
	markDatabaseLog = "database-log"

	administrator = "slipway"

	factDatabaseHost = "database_host"
	// factCreated says that the cluster, or the database of an account on another one, was not there before the
	// row was. What was may hold what the row does not know of, as where a row was lost.
	factCreated = "created"
	// factDatabaseSecret is the ARN of the secret with the password of the cluster's
	// administrator, which RDS makes and rotates.
	factDatabaseSecret = "database_secret"
)

// databaseName is the name of the environment's cluster, its subnet group and parameter group, of
// at most 63 characters (CreateDBCluster). It begins with a letter.
func (n *noun) databaseName() string { return identifier(60, "slipway", n.region, n.environment) }

// dbCluster is a database cluster. The noun's row keeps what is known of it.
type dbCluster struct {
	*noun
	// part is its mark, name its name.
	part, name string
	// groups is the name of its subnet group and of its parameter group, security the id of its
	// security group: those of the environment's cluster.
	groups, security string
	// size, protected and keep are what it is to be: how large, whether it refuses to be deleted,
	// and whether a final snapshot and automated backups outlive it.
	size            target.AWSDatabase
	protected, keep bool
	// logDays is how long its log is kept.
	logDays int32
	// direct says that statements come over a connection, and the Data API is off; letIn are the
	// blocks that they may come from, none for the whole VPC.
	direct bool
	letIn  []string
}

// database is the environment's cluster as far as it is needed to reach it.
func (n *noun) database() dbCluster {
	c := dbCluster{noun: n, part: partDatabase, name: n.databaseName(), groups: n.databaseName(), security: n.fact(markDatabaseGroup)}
	if e, err := recordOf[target.EnvironmentRecord](n.document); err == nil { // else nothing is to be reached
		d := settingsOf(e.Spec).Database
		c.direct, c.letIn = d.Access == target.AccessDirect, d.CIDRs
	}
	return c
}

// databaseOf is the environment's cluster as a definition has it.
func (n *noun) databaseOf(e target.Environment) dbCluster {
	c := n.database()
	c.size, c.protected, c.keep, c.logDays = settingsOf(e).Database, e.DeletionProtection, e.Kind == target.KindProduction, logRetention(e)
	return c
}

// logs is the log group that the cluster writes its log to.
func (c dbCluster) logs() logGroup {
	return logGroup{part: markDatabaseLog, name: "/aws/rds/cluster/" + c.name + "/" + databaseLog, days: c.logDays, byAWS: true}
}

func (n *noun) rdsTags(part string) []types.Tag {
	return tagList(n.tags(part), func(k, v string) types.Tag { return types.Tag{Key: &k, Value: &v} })
}

// claimRDS refuses a resource of RDS that is not ours.
func (n *noun) claimRDS(ctx context.Context, part, what, arn string) error {
	has, err := n.tagsRDS(ctx, what, arn)
	if err == nil {
		err = n.claim(part, what, arn, has)
	}
	return err
}

// retagRDS does so too, and gives one that is ours the tags of the definition.
func (n *noun) retagRDS(ctx context.Context, part, what, arn string) error {
	has, err := n.tagsRDS(ctx, what, arn)
	if err == nil {
		err = n.claim(part, what, arn, has)
	}
	if err != nil {
		return err
	}
	return n.putTags(part, fmt.Sprintf("%s %q", what, arn), has, func(tags map[string]string) error {
		return n.target.insist(ctx, fmt.Sprintf("%s %q to take tags", what, arn), nil, func(ctx context.Context) error {
			_, err := n.clients.rds.AddTagsToResource(ctx, &rds.AddTagsToResourceInput{ResourceName: &arn, Tags: tagList(tags, func(k, v string) types.Tag { return types.Tag{Key: &k, Value: &v} })})
			return err
		})
	}, func(keys []string) error {
		return n.target.insist(ctx, fmt.Sprintf("%s %q to lose tags", what, arn), nil, func(ctx context.Context) error {
			_, err := n.clients.rds.RemoveTagsFromResource(ctx, &rds.RemoveTagsFromResourceInput{ResourceName: &arn, TagKeys: keys})
			return err
		})
	})
}

// tagsRDS are the tags of a resource of RDS.
func (n *noun) tagsRDS(ctx context.Context, what, arn string) (map[string]string, error) {
	out, err := n.clients.rds.ListTagsForResource(ctx, &rds.ListTagsForResourceInput{ResourceName: &arn})
	if err != nil {
		return nil, failed(absent(err, errNoDatabase, errNoInstance, errNoSubnets, errNoParameters, errNoParameters2, errNoSnapshot), "read the tags of %s %q", what, arn)
	}
	return rdsTagMap(out.TagList), nil
}

func rdsTagMap(tags []types.Tag) map[string]string {
	return tagMap(tags, func(t types.Tag) (*string, *string) { return t.Key, t.Value })
}

// findDatabase describes a database cluster.
func findDatabase(ctx context.Context, c *clients, name string) (*types.DBCluster, error) {
	out, err := c.rds.DescribeDBClusters(ctx, &rds.DescribeDBClustersInput{DBClusterIdentifier: &name})
	if err != nil {
		return nil, failed(absent(err, errNoDatabase), "find database cluster %q", name)
	}
	if len(out.DBClusters) == 0 {
		return nil, errAbsent
	}
	return &out.DBClusters[0], nil
}

// put makes the cluster with its instances. Names are unique in the AWS region: a repeated create
// is refused.
func (c dbCluster) put(ctx context.Context) error {
	d, err := findDatabase(ctx, c.clients, c.name)
	if isAbsent(err) {
		if err := c.create(ctx); err != nil {
			return err
		}
		err = c.target.appearing(ctx, fmt.Sprintf("database cluster %q", c.name), func(ctx context.Context) (err error) {
			d, err = findDatabase(ctx, c.clients, c.name)
			return err
		})
	}
	if err == nil {
		err = c.retagRDS(ctx, c.part, "database cluster", text(d.DBClusterArn))
	}
	if err == nil {
		d, err = c.wait(ctx)
	}
	if err == nil && len(c.drift(d)) > 0 {
		d, err = c.modify(ctx, d)
	}
	opens := err == nil && !c.direct && !aws.ToBool(d.HttpEndpointEnabled)
	if opens {
		err = c.openDataAPI(ctx, d)
	}
	if err == nil {
		err = c.putInstances(ctx, d)
	}
	if err != nil {
		return err
	}
	if d.MasterUserSecret == nil {
		return fmt.Errorf("database cluster %q has no secret of its administrator", c.name)
	}
	err = errors.Join(c.save(ctx, factDatabaseHost, text(d.Endpoint)), c.save(ctx, factDatabaseSecret, text(d.MasterUserSecret.SecretArn)))
	if err != nil || !opens {
		return err
	}
	return c.awaitDataAPI(ctx, text(d.MasterUserSecret.SecretArn))
}

func (c dbCluster) scaling() *types.ServerlessV2ScalingConfiguration {
	return &types.ServerlessV2ScalingConfiguration{MinCapacity: &c.size.MinCapacity, MaxCapacity: &c.size.MaxCapacity}
}

func (c dbCluster) create(ctx context.Context) error {
	if err := c.save(ctx, factCreated, "true"); err != nil {
		return err
	}
	in := &rds.CreateDBClusterInput{
		DBClusterIdentifier: &c.name, Engine: aws.String(databaseEngine), EngineVersion: &c.size.EngineVersion,
		DBSubnetGroupName: &c.groups, DBClusterParameterGroupName: &c.groups, VpcSecurityGroupIds: []string{c.security},
		MasterUsername: aws.String(administrator), ManageMasterUserPassword: aws.Bool(true), MasterUserSecretKmsKeyId: aws.String(c.regionKeyARN()),
		StorageEncrypted: aws.Bool(true), KmsKeyId: aws.String(c.regionKeyARN()), CopyTagsToSnapshot: aws.Bool(true),
		ServerlessV2ScalingConfiguration: c.scaling(),
		EnableHttpEndpoint:               aws.Bool(!c.direct), BackupRetentionPeriod: aws.Int32(int32(c.size.BackupDays)),
		DeletionProtection: &c.protected, EnableCloudwatchLogsExports: []string{databaseLog},
		Tags: c.rdsTags(c.part),
	}
	err := c.withKey(ctx, c.regionKey, func(ctx context.Context) error {
		return c.target.patiently(ctx, fmt.Sprintf("database cluster %q", c.name), func(ctx context.Context) error {
			_, err := c.clients.rds.CreateDBCluster(ctx, in)
			return err
		}, lagsOfRDSRole...)
	})
	if coded(err, "DBClusterAlreadyExistsFault") {
		return nil // made by the call whose answer was lost; its tags are read next
	}
	return failed(err, "create database cluster %q", c.name)
}

// drift says how a database cluster differs from what create makes.
func (c dbCluster) drift(d *types.DBCluster) []string {
	var drift []string
	if s := cmp.Or(d.ServerlessV2ScalingConfiguration, new(types.ServerlessV2ScalingConfigurationInfo)); aws.ToFloat64(s.MinCapacity) != c.size.MinCapacity || aws.ToFloat64(s.MaxCapacity) != c.size.MaxCapacity {
		drift = append(drift, fmt.Sprintf("database cluster %q has %g to %g capacity units, not %g to %g",
			c.name, aws.ToFloat64(s.MinCapacity), aws.ToFloat64(s.MaxCapacity), c.size.MinCapacity, c.size.MaxCapacity))
	}
	if aws.ToBool(d.DeletionProtection) != c.protected {
		drift = append(drift, fmt.Sprintf("the deletion protection of database cluster %q is %t", c.name, !c.protected))
	}
	if aws.ToInt32(d.BackupRetentionPeriod) != int32(c.size.BackupDays) {
		drift = append(drift, fmt.Sprintf("backups of database cluster %q are kept for %s, not %s", c.name, inDays(aws.ToInt32(d.BackupRetentionPeriod)), inDays(int32(c.size.BackupDays))))
	}
	if len(d.VpcSecurityGroups) != 1 || text(d.VpcSecurityGroups[0].VpcSecurityGroupId) != c.security {
		drift = append(drift, fmt.Sprintf("database cluster %q has other security groups", c.name))
	}
	if text(d.DBClusterParameterGroup) != c.groups {
		drift = append(drift, fmt.Sprintf("database cluster %q has another parameter group, %q", c.name, text(d.DBClusterParameterGroup)))
	}
	if !sameSet(d.EnabledCloudwatchLogsExports, []string{databaseLog}) {
		drift = append(drift, fmt.Sprintf("database cluster %q writes other logs to CloudWatch than %q", c.name, databaseLog))
	}
	if !aws.ToBool(d.CopyTagsToSnapshot) {
		drift = append(drift, fmt.Sprintf("snapshots of database cluster %q do not get its tags", c.name))
	}
	if aws.ToBool(d.IAMDatabaseAuthenticationEnabled) {
		drift = append(drift, fmt.Sprintf("database cluster %q takes logins by IAM", c.name))
	}
	if d.MasterUserSecret == nil {
		drift = append(drift, fmt.Sprintf("the password of the administrator of database cluster %q is not in a secret of RDS", c.name))
	}
	if older(text(d.EngineVersion), c.size.EngineVersion) {
		drift = append(drift, fmt.Sprintf("database cluster %q has version %s, older than %s", c.name, text(d.EngineVersion), c.size.EngineVersion))
	}
	return drift
}

// older compares two versions such as "17.4" by their numbers.
func older(has, wanted string) bool {
	a, b := strings.Split(has, "."), strings.Split(wanted, ".")
	for i := range min(len(a), len(b)) {
		x, errX := strconv.Atoi(a[i])
		y, errY := strconv.Atoi(b[i])
		if errX != nil || errY != nil || x != y {
			return x < y
		}
	}
	return len(a) < len(b)
}

// modify makes a cluster what create makes, and says what it is then.
func (c dbCluster) modify(ctx context.Context, d *types.DBCluster) (*types.DBCluster, error) {
	var version *string
	if older(text(d.EngineVersion), c.size.EngineVersion) {
		version = &c.size.EngineVersion
	}
	var managed *bool // it may be said only where it changes
	var key *string
	if d.MasterUserSecret == nil {
		managed, key = aws.Bool(true), aws.String(c.regionKeyARN())
	}
	in := &rds.ModifyDBClusterInput{
		EngineVersion: version, DBClusterParameterGroupName: &c.groups, VpcSecurityGroupIds: []string{c.security},
		DBClusterIdentifier: &c.name, ApplyImmediately: aws.Bool(true), DeletionProtection: &c.protected,
		BackupRetentionPeriod: aws.Int32(int32(c.size.BackupDays)), CopyTagsToSnapshot: aws.Bool(true),
		CloudwatchLogsExportConfiguration: logExports(d), EnableIAMDatabaseAuthentication: aws.Bool(false),
		ManageMasterUserPassword: managed, MasterUserSecretKmsKeyId: key,
		ServerlessV2ScalingConfiguration: c.scaling(),
	}
	err := c.target.insist(ctx, fmt.Sprintf("database cluster %q to take a change", c.name), c.free, func(ctx context.Context) error {
		return c.withKey(ctx, c.regionKey, func(ctx context.Context) error {
			_, err := c.clients.rds.ModifyDBCluster(ctx, in)
			return err
		})
	})
	if err != nil {
		return nil, failed(err, "change database cluster %q", c.name)
	}
	return c.changed(ctx)
}

// openDataAPI turns the Data API on.
func (c dbCluster) openDataAPI(ctx context.Context, d *types.DBCluster) error {
	err := c.target.insist(ctx, fmt.Sprintf("database cluster %q to take the Data API", c.name), c.free, func(ctx context.Context) error {
		_, err := c.clients.rds.EnableHttpEndpoint(ctx, &rds.EnableHttpEndpointInput{ResourceArn: d.DBClusterArn})
		return err
	})
	return failed(err, "enable the Data API of database cluster %q", c.name)
}

// logExports makes a cluster write the one log that it is to write; nil where it does.
func logExports(d *types.DBCluster) *types.CloudwatchLogsExportConfiguration {
	var change types.CloudwatchLogsExportConfiguration
	change.EnableLogTypes, change.DisableLogTypes = changes(d.EnabledCloudwatchLogsExports, []string{databaseLog})
	if len(change.EnableLogTypes)+len(change.DisableLogTypes) == 0 {
		return nil
	}
	return &change
}

// difference says how a cluster with its instances differs from what put makes, without the
// parameters that it shares.
func (c dbCluster) difference(d *types.DBCluster) []string {
	drift := append(c.drift(d), c.tagDrift(c.part, fmt.Sprintf("database cluster %q", c.name), dbTags(d))...)
	if on := aws.ToBool(d.HttpEndpointEnabled); on == c.direct {
		drift = append(drift, fmt.Sprintf("the Data API of database cluster %q is %s", c.name, map[bool]string{true: "on", false: "off"}[on]))
	}
	if has, want := len(c.members(d)), c.size.Instances; has != want {
		drift = append(drift, fmt.Sprintf("database cluster %q has %d instances, not %d", c.name, has, want))
	}
	return drift
}

func dbTags(d *types.DBCluster) map[string]string {
	return rdsTagMap(d.TagList)
}

// answers says whether a cluster takes statements.
func (c dbCluster) answers(d *types.DBCluster) bool {
	return text(d.Status) == available && (c.direct || aws.ToBool(d.HttpEndpointEnabled)) && len(d.DBClusterMembers) > 0
}

// delete removes the cluster with its instances. RDS takes nothing away that is just being made, or
// changed: then it is asked again.
func (c dbCluster) delete(ctx context.Context) error {
	d, err := findDatabase(ctx, c.clients, c.name)
	if err == nil {
		err = c.claimRDS(ctx, c.part, "database cluster", text(d.DBClusterArn))
	}
	if err != nil {
		return gone(err)
	}
	taken, bared := false, false
	return c.target.until(ctx, fmt.Sprintf("the end of database cluster %q", c.name), func(ctx context.Context) (status, bool, error) {
		d, err := findDatabase(ctx, c.clients, c.name)
		switch {
		case isAbsent(err):
			return "gone", true, nil
		case err != nil:
			return "", false, err
		case aws.ToBool(d.DeletionProtection) && !taken && text(d.Status) != deleting:
			if !bared { // what RDS has taken it may show late
				if bared, err = c.bare(ctx); err == nil && !bared {
					err = c.stuck(text(d.Status))
				}
			}
		case !taken && text(d.Status) != deleting:
			if taken, err = c.end(ctx, d); err == nil && !taken && text(d.Status) == stopped {
				err = c.stuck(stopped)
			}
		}
		return status(text(d.Status)), false, err
	})
}

// bare takes away the protection of the cluster, and says whether RDS has taken that.
func (c dbCluster) bare(ctx context.Context) (taken bool, err error) {
	_, err = c.clients.rds.ModifyDBCluster(ctx, &rds.ModifyDBClusterInput{DBClusterIdentifier: &c.name, ApplyImmediately: aws.Bool(true), DeletionProtection: aws.Bool(false)})
	return err == nil, failed(gone(err, busyCluster), "take away the protection of database cluster %q", c.name)
}

// end asks for the end of a cluster that is seen to have no protection, which may have no effect yet, and
// says whether RDS has taken that.
func (c dbCluster) end(ctx context.Context, d *types.DBCluster) (taken bool, err error) {
	if err := c.deleteInstances(ctx, d.DBClusterMembers); err != nil {
		return false, err
	}
	in := &rds.DeleteDBClusterInput{DBClusterIdentifier: &c.name, SkipFinalSnapshot: aws.Bool(!c.keep), DeleteAutomatedBackups: aws.Bool(!c.keep)}
	if c.keep {
		in.FinalDBSnapshotIdentifier = aws.String(c.finalSnapshot(d))
	}
	err = c.target.insist(ctx, fmt.Sprintf("database cluster %q to be no longer protected", c.name), nil, func(ctx context.Context) error {
		_, err := c.clients.rds.DeleteDBCluster(ctx, in)
		return err
	}, "InvalidParameterCombination")
	return err == nil, failed(gone(err, errNoDatabase, busyCluster), "delete database cluster %q", c.name)
}

// finalSnapshot names what is left of a cluster. Of the same create there is one last snapshot,
// also when the end is repeated.
func (c dbCluster) finalSnapshot(d *types.DBCluster) string {
	return fmt.Sprintf("%s-final-%d", c.name, aws.ToTime(d.ClusterCreateTime).Unix())
}
