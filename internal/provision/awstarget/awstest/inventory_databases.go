package awstest

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	secretstypes "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

// databases counts what database clusters are made of. Snapshots are those that somebody asked for.
func (c *counter) databases(ctx context.Context) error {
	client := rds.NewFromConfig(c.config)
	clusters, err := client.DescribeDBClusters(ctx, nil)
	if err != nil {
		return c.add("database cluster", 0, err)
	}
	instances, err := client.DescribeDBInstances(ctx, nil)
	if err != nil {
		return c.add("database instance", 0, err)
	}
	subnets, err := client.DescribeDBSubnetGroups(ctx, nil)
	if err != nil {
		return c.add("database subnet group", 0, err)
	}
	parameters, err := client.DescribeDBClusterParameterGroups(ctx, nil)
	if err != nil {
		return c.add("database parameter group", 0, err)
	}
	made := slices.DeleteFunc(parameters.DBClusterParameterGroups, func(g types.DBClusterParameterGroup) bool {
		return strings.HasPrefix(aws.ToString(g.DBClusterParameterGroupName), "default.")
	})
	snapshots, err := client.DescribeDBClusterSnapshots(ctx, &rds.DescribeDBClusterSnapshotsInput{SnapshotType: aws.String("manual")})
	if err != nil {
		return c.add("database snapshot", 0, err)
	}
	secrets, err := secretsmanager.NewFromConfig(c.config).ListSecrets(ctx, nil)
	if err != nil {
		return c.add("secret", 0, err)
	}
	ours := slices.DeleteFunc(secrets.SecretList, func(s secretstypes.SecretListEntry) bool { return !strings.HasPrefix(aws.ToString(s.Name), "slipway") })
	return errors.Join(
		c.add("database cluster", len(clusters.DBClusters), nil), c.add("database instance", len(instances.DBInstances), nil),
		c.add("database subnet group", len(subnets.DBSubnetGroups), nil), c.add("database parameter group", len(made), nil),
		c.add("database snapshot", len(snapshots.DBClusterSnapshots), nil), c.add("secret", len(ours), nil),
	)
}
