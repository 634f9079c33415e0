package awstarget

import (
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
	administrator  = "slipway"

	factDatabaseHost = "database_host"
	// factDatabaseSecret is the ARN of the secret with the password of the cluster's
	// administrator, which RDS makes and rotates.
	factDatabaseSecret = "database_secret"
)

// databaseName is at most 63 characters (CreateDBCluster). It begins with a letter.
func (n *noun) databaseName() string { return name(60, "slipway", n.region, n.environment) }

func (n *noun) rdsTags(part string) []types.Tag {
	return tagList(n.tags(part), func(k, v string) types.Tag { return types.Tag{Key: &k, Value: &v} })
}

// claimRDS refuses a resource of RDS that is not ours.
func (n *noun) claimRDS(ctx context.Context, part, what, arn string) error {
	_, err := n.tagsRDS(ctx, part, what, arn)
	return err
}

// retagRDS does so too, and gives one that is ours the tags of the definition.
func (n *noun) retagRDS(ctx context.Context, part, what, arn string) error {
	has, err := n.tagsRDS(ctx, part, what, arn)
	if err != nil {
		return err
	}
	lacks, surplus := n.retag(part, has)
	if len(lacks) > 0 {
		tags := tagList(lacks, func(k, v string) types.Tag { return types.Tag{Key: &k, Value: &v} })
		if _, err := n.clients.rds.AddTagsToResource(ctx, &rds.AddTagsToResourceInput{ResourceName: &arn, Tags: tags}); err != nil {
			return failed(err, "tag %s %q", what, arn)
		}
	}
	if len(surplus) == 0 {
		return nil
	}
	_, err = n.clients.rds.RemoveTagsFromResource(ctx, &rds.RemoveTagsFromResourceInput{ResourceName: &arn, TagKeys: surplus})
	return failed(err, "take tags off %s %q", what, arn)
}

// tagsRDS are the tags of a resource of RDS that is ours.
func (n *noun) tagsRDS(ctx context.Context, part, what, arn string) (map[string]string, error) {
	out, err := n.clients.rds.ListTagsForResource(ctx, &rds.ListTagsForResourceInput{ResourceName: &arn})
	if err != nil {
		return nil, failed(absent(err, errNoDatabase, errNoInstance, errNoSubnets, errNoParameters, errNoParameters2), "read the tags of %s %q", what, arn)
	}
	has := tagMap(out.TagList, func(t types.Tag) (*string, *string) { return t.Key, t.Value })
	if !n.ours(part, has) {
		return nil, foreign(what, arn)
	}
	return has, nil
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

func (n *noun) waitDatabase(ctx context.Context, name string) error {
	return n.target.until(ctx, fmt.Sprintf("database cluster %q", name), func(ctx context.Context) (status, bool, error) {
		d, err := findDatabase(ctx, n.clients, name)
		if err != nil {
			return "", false, err
		}
		return status(text(d.Status)), text(d.Status) == available, nil
	})
}

// putDatabase makes the environment's database cluster, with its subnets and parameters. Names
// are unique in the AWS region: a repeated create is refused.
func (n *noun) putDatabase(ctx context.Context, part string, e target.Environment, l layout) error {
	if err := n.putDatabaseSubnets(ctx, part, l); err != nil {
		return err
	}
	if err := n.putDatabaseParameters(ctx, part, e); err != nil {
		return err
	}
	name := n.databaseName()
	d, err := findDatabase(ctx, n.clients, name)
	if isAbsent(err) {
		if err := n.createDatabase(ctx, part, name, e); err != nil {
			return err
		}
		d, err = findDatabase(ctx, n.clients, name)
	}
	if err == nil {
		err = n.retagRDS(ctx, part, "database cluster", text(d.DBClusterArn))
	}
	if err == nil {
		err = n.waitDatabase(ctx, name)
	}
	if err != nil {
		return err
	}
	if len(n.databaseDrift(d, e)) > 0 {
		if err := n.modifyDatabase(ctx, name, d, e); err != nil {
			return err
		}
	}
	if !aws.ToBool(d.HttpEndpointEnabled) {
		if _, err := n.clients.rds.EnableHttpEndpoint(ctx, &rds.EnableHttpEndpointInput{ResourceArn: d.DBClusterArn}); err != nil {
			return failed(err, "enable the Data API of database cluster %q", name)
		}
	}
	if err := n.putInstances(ctx, part, d, e); err != nil {
		return err
	}
	if d.MasterUserSecret == nil {
		return fmt.Errorf("database cluster %q has no secret of its administrator", name)
	}
	return errors.Join(n.save(ctx, factDatabaseHost, text(d.Endpoint)), n.save(ctx, factDatabaseSecret, text(d.MasterUserSecret.SecretArn)))
}

func (n *noun) createDatabase(ctx context.Context, part, name string, e target.Environment) error {
	s := settingsOf(e).Database
	_, err := n.clients.rds.CreateDBCluster(ctx, &rds.CreateDBClusterInput{
		DBClusterIdentifier: &name, Engine: aws.String(databaseEngine), EngineVersion: &s.EngineVersion,
		DBSubnetGroupName: &name, DBClusterParameterGroupName: &name, VpcSecurityGroupIds: []string{n.fact(markDatabaseGroup)},
		MasterUsername: aws.String(administrator), ManageMasterUserPassword: aws.Bool(true), MasterUserSecretKmsKeyId: aws.String(n.regionKeyARN()),
		StorageEncrypted: aws.Bool(true), KmsKeyId: aws.String(n.regionKeyARN()), CopyTagsToSnapshot: aws.Bool(true),
		ServerlessV2ScalingConfiguration: &types.ServerlessV2ScalingConfiguration{MinCapacity: &s.MinCapacity, MaxCapacity: &s.MaxCapacity},
		EnableHttpEndpoint:               aws.Bool(true), BackupRetentionPeriod: aws.Int32(int32(s.BackupDays)),
		DeletionProtection: &e.DeletionProtection, EnableCloudwatchLogsExports: []string{"postgresql"},
		Tags: n.rdsTags(part),
	})
	if coded(err, "DBClusterAlreadyExistsFault") {
		return nil // made by the call whose answer was lost; its tags are read next
	}
	return failed(err, "create database cluster %q", name)
}

// databaseDrift says how a database cluster differs from what createDatabase makes.
func (n *noun) databaseDrift(d *types.DBCluster, e target.Environment) []string {
	s, name := settingsOf(e).Database, text(d.DBClusterIdentifier)
	var drift []string
	if c := d.ServerlessV2ScalingConfiguration; c == nil || aws.ToFloat64(c.MinCapacity) != s.MinCapacity || aws.ToFloat64(c.MaxCapacity) != s.MaxCapacity {
		drift = append(drift, fmt.Sprintf("the capacity of database cluster %q was changed", name))
	}
	if aws.ToBool(d.DeletionProtection) != e.DeletionProtection {
		drift = append(drift, fmt.Sprintf("the deletion protection of database cluster %q is %t", name, !e.DeletionProtection))
	}
	if aws.ToInt32(d.BackupRetentionPeriod) != int32(s.BackupDays) {
		drift = append(drift, fmt.Sprintf("backups of database cluster %q are kept for %d days", name, aws.ToInt32(d.BackupRetentionPeriod)))
	}
	if len(d.VpcSecurityGroups) != 1 || text(d.VpcSecurityGroups[0].VpcSecurityGroupId) != n.fact(markDatabaseGroup) {
		drift = append(drift, fmt.Sprintf("database cluster %q has other security groups", name))
	}
	if text(d.DBClusterParameterGroup) != name {
		drift = append(drift, fmt.Sprintf("database cluster %q has another parameter group, %q", name, text(d.DBClusterParameterGroup)))
	}
	if older(text(d.EngineVersion), s.EngineVersion) {
		drift = append(drift, fmt.Sprintf("database cluster %q has version %s, older than %s", name, text(d.EngineVersion), s.EngineVersion))
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

func (n *noun) modifyDatabase(ctx context.Context, name string, d *types.DBCluster, e target.Environment) error {
	s := settingsOf(e).Database
	var version *string
	if older(text(d.EngineVersion), s.EngineVersion) {
		version = &s.EngineVersion
	}
	_, err := n.clients.rds.ModifyDBCluster(ctx, &rds.ModifyDBClusterInput{
		EngineVersion: version, DBClusterParameterGroupName: &name, VpcSecurityGroupIds: []string{n.fact(markDatabaseGroup)},
		DBClusterIdentifier: &name, ApplyImmediately: aws.Bool(true), DeletionProtection: &e.DeletionProtection,
		BackupRetentionPeriod:            aws.Int32(int32(s.BackupDays)),
		ServerlessV2ScalingConfiguration: &types.ServerlessV2ScalingConfiguration{MinCapacity: &s.MinCapacity, MaxCapacity: &s.MaxCapacity},
	})
	if err != nil {
		return failed(err, "change database cluster %q", name)
	}
	return n.waitDatabase(ctx, name)
}

// checkDatabase says how the cluster with its instances differs from what putDatabase makes.
func (n *noun) checkDatabase(ctx context.Context, e target.Environment) ([]string, error) {
	name := n.databaseName()
	d, err := findDatabase(ctx, n.clients, name)
	if isAbsent(err) {
		return []string{fmt.Sprintf("database cluster %q is gone", name)}, nil
	}
	if err != nil {
		return nil, err
	}
	drift := append(n.databaseDrift(d, e), n.tagDrift(partDatabase, fmt.Sprintf("database cluster %q", name), tagMap(d.TagList, func(t types.Tag) (*string, *string) { return t.Key, t.Value }))...)
	encrypted, err := n.forcesTLS(ctx)
	if err != nil {
		return drift, err
	}
	if !encrypted {
		drift = append(drift, fmt.Sprintf("database cluster %q takes connections without TLS", name))
	}
	if !aws.ToBool(d.HttpEndpointEnabled) {
		drift = append(drift, fmt.Sprintf("the Data API of database cluster %q is off", name))
	}
	if has, want := len(n.members(d)), settingsOf(e).Database.Instances; has != want {
		drift = append(drift, fmt.Sprintf("database cluster %q has %d instances, not %d", name, has, want))
	}
	return drift, nil
}

// deleteDatabase removes the cluster. Production leaves a final snapshot behind, and its
// automated backups.
func (n *noun) deleteDatabase(ctx context.Context, part string, e target.Environment) error {
	name := n.databaseName()
	d, err := findDatabase(ctx, n.clients, name)
	if err == nil {
		err = n.claimRDS(ctx, part, "database cluster", text(d.DBClusterArn))
	}
	if gone(err) != nil {
		return err
	}
	if err == nil {
		if err := n.removeDatabase(ctx, d, e); err != nil {
			return err
		}
	}
	if _, err := n.clients.rds.DeleteDBClusterParameterGroup(ctx, &rds.DeleteDBClusterParameterGroupInput{DBClusterParameterGroupName: &name}); gone(err, errNoParameters, errNoParameters2) != nil {
		return failed(err, "delete parameter group %q", name)
	}
	_, err = n.clients.rds.DeleteDBSubnetGroup(ctx, &rds.DeleteDBSubnetGroupInput{DBSubnetGroupName: &name})
	return failed(gone(err, errNoSubnets), "delete subnet group %q", name)
}

func (n *noun) removeDatabase(ctx context.Context, d *types.DBCluster, e target.Environment) error {
	name := text(d.DBClusterIdentifier)
	if aws.ToBool(d.DeletionProtection) {
		if _, err := n.clients.rds.ModifyDBCluster(ctx, &rds.ModifyDBClusterInput{DBClusterIdentifier: &name, ApplyImmediately: aws.Bool(true), DeletionProtection: aws.Bool(false)}); err != nil {
			return failed(err, "take away the protection of database cluster %q", name)
		}
	}
	if err := n.deleteInstances(ctx, d.DBClusterMembers); err != nil {
		return err
	}
	if text(d.Status) != "deleting" {
		in := &rds.DeleteDBClusterInput{DBClusterIdentifier: &name, SkipFinalSnapshot: aws.Bool(true), DeleteAutomatedBackups: aws.Bool(e.Kind != target.KindProduction)}
		if e.Kind == target.KindProduction {
			// Of the same create there is one last snapshot, also when this is repeated.
			in.SkipFinalSnapshot, in.FinalDBSnapshotIdentifier = aws.Bool(false), aws.String(fmt.Sprintf("%s-final-%d", name, aws.ToTime(d.ClusterCreateTime).Unix()))
		}
		if _, err := n.clients.rds.DeleteDBCluster(ctx, in); gone(err, errNoDatabase) != nil && !coded(err, "InvalidDBClusterStateFault") {
			return failed(err, "delete database cluster %q", name)
		}
	}
	return n.target.until(ctx, fmt.Sprintf("the end of database cluster %q", name), func(ctx context.Context) (status, bool, error) {
		d, err := findDatabase(ctx, n.clients, name)
		if isAbsent(err) {
			return "gone", true, nil
		}
		if err != nil {
			return "", false, err
		}
		return status(text(d.Status)), false, nil
	})
}
