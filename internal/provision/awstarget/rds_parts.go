package awstarget

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// putDatabaseSubnets names the subnets that the database cluster may be in.
func (n *noun) putDatabaseSubnets(ctx context.Context, part string, l layout) error {
	name := n.databaseName()
	out, err := n.clients.rds.DescribeDBSubnetGroups(ctx, &rds.DescribeDBSubnetGroupsInput{DBSubnetGroupName: &name})
	if err == nil && len(out.DBSubnetGroups) > 0 {
		return n.claimRDS(ctx, part, "database subnet group", text(out.DBSubnetGroups[0].DBSubnetGroupArn))
	}
	if gone(err, errNoSubnets) != nil {
		return failed(err, "find subnet group %q", name)
	}
	_, err = n.clients.rds.CreateDBSubnetGroup(ctx, &rds.CreateDBSubnetGroupInput{
		DBSubnetGroupName: &name, DBSubnetGroupDescription: aws.String("Slipway: " + n.key.String()),
		SubnetIds: n.subnetIDs(l, subnetDatabase), Tags: n.rdsTags(part),
	})
	return failed(gone(err, "DBSubnetGroupAlreadyExists"), "create subnet group %q", name)
}

// putDatabaseParameters makes the cluster refuse connections without TLS.
func (n *noun) putDatabaseParameters(ctx context.Context, part string) error {
	name := n.databaseName()
	out, err := n.clients.rds.DescribeDBClusterParameterGroups(ctx, &rds.DescribeDBClusterParameterGroupsInput{DBClusterParameterGroupName: &name})
	switch {
	case err == nil && len(out.DBClusterParameterGroups) > 0:
		err = n.claimRDS(ctx, part, "database parameter group", text(out.DBClusterParameterGroups[0].DBClusterParameterGroupArn))
	case gone(err, errNoParameters, errNoParameters2) == nil:
		_, err = n.clients.rds.CreateDBClusterParameterGroup(ctx, &rds.CreateDBClusterParameterGroupInput{
			DBClusterParameterGroupName: &name, DBParameterGroupFamily: aws.String(databaseFamily), Description: aws.String("Slipway: " + n.key.String()), Tags: n.rdsTags(part),
		})
		err = failed(gone(err, "DBParameterGroupAlreadyExists"), "create parameter group %q", name)
	}
	if err != nil {
		return err
	}
	_, err = n.clients.rds.ModifyDBClusterParameterGroup(ctx, &rds.ModifyDBClusterParameterGroupInput{
		DBClusterParameterGroupName: &name,
		Parameters: []types.Parameter{
			{ParameterName: aws.String("rds.force_ssl"), ParameterValue: aws.String("1"), ApplyMethod: types.ApplyMethodImmediate},
		},
	})
	return failed(err, "set the parameters of group %q", name)
}

// instanceName names the instances 1 … of the cluster.
func (n *noun) instanceName(i int) string { return fmt.Sprintf("%s-%d", n.databaseName(), i) }

// findInstance describes an instance of the cluster.
func findInstance(ctx context.Context, c *clients, name string) (*types.DBInstance, error) {
	out, err := c.rds.DescribeDBInstances(ctx, &rds.DescribeDBInstancesInput{DBInstanceIdentifier: &name})
	if err != nil {
		return nil, failed(absent(err, errNoInstance), "find database instance %q", name)
	}
	if len(out.DBInstances) == 0 {
		return nil, errAbsent
	}
	return &out.DBInstances[0], nil
}

// putInstances makes the cluster's instances and then waits for all of them.
func (n *noun) putInstances(ctx context.Context, part string, e target.Environment) error {
	count := sizingOf(e).instances
	for i := 1; i <= count; i++ {
		name := n.instanceName(i)
		if d, err := findInstance(ctx, n.clients, name); err == nil {
			if err := n.claimRDS(ctx, part, "database instance", text(d.DBInstanceArn)); err != nil {
				return err
			}
			continue
		} else if !isAbsent(err) {
			return err
		}
		_, err := n.clients.rds.CreateDBInstance(ctx, &rds.CreateDBInstanceInput{
			DBInstanceIdentifier: &name, DBClusterIdentifier: aws.String(n.databaseName()), DBInstanceClass: aws.String("db.serverless"),
			Engine: aws.String(databaseEngine), PubliclyAccessible: aws.Bool(false), AutoMinorVersionUpgrade: aws.Bool(true),
			PromotionTier: aws.Int32(int32(i)), Tags: n.rdsTags(part),
		})
		if gone(err, "DBInstanceAlreadyExists") != nil {
			return failed(err, "create database instance %q", name)
		}
	}
	for i := 1; i <= count; i++ {
		name := n.instanceName(i)
		err := n.target.until(ctx, fmt.Sprintf("database instance %q", name), func(ctx context.Context) (status, bool, error) {
			d, err := findInstance(ctx, n.clients, name)
			if err != nil {
				return "", false, err
			}
			return status(text(d.DBInstanceStatus)), text(d.DBInstanceStatus) == available, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// deleteInstances removes the instances that a cluster has: it can't go before them.
func (n *noun) deleteInstances(ctx context.Context, d *types.DBCluster) error {
	for _, m := range d.DBClusterMembers {
		_, err := n.clients.rds.DeleteDBInstance(ctx, &rds.DeleteDBInstanceInput{DBInstanceIdentifier: m.DBInstanceIdentifier, SkipFinalSnapshot: aws.Bool(true)})
		if gone(err, errNoInstance, "InvalidDBInstanceState") != nil { // it is on its way out already
			return failed(err, "delete database instance %q", text(m.DBInstanceIdentifier))
		}
	}
	for _, m := range d.DBClusterMembers {
		name := text(m.DBInstanceIdentifier)
		err := n.target.until(ctx, fmt.Sprintf("the end of database instance %q", name), func(ctx context.Context) (status, bool, error) {
			d, err := findInstance(ctx, n.clients, name)
			if isAbsent(err) {
				return "gone", true, nil
			}
			if err != nil {
				return "", false, err
			}
			return status(text(d.DBInstanceStatus)), false, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// databasePart is the environment's database cluster.
func (n *noun) databasePart(e target.Environment, l layout) part {
	return part{
		name: partDatabase, needs: []string{partGroups, partSubnets},
		put:    func(ctx context.Context) error { return n.putDatabase(ctx, partDatabase, e, l) },
		check:  func(ctx context.Context) ([]string, error) { return n.checkDatabase(ctx, e) },
		delete: func(ctx context.Context) error { return n.deleteDatabase(ctx, partDatabase, e) },
	}
}
