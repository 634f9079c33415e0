package awstarget

import (
	"context"
	"fmt"
	"slices"
	"strings"

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
		return n.retagRDS(ctx, part, "database subnet group", text(out.DBSubnetGroups[0].DBSubnetGroupArn))
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
func (n *noun) putDatabaseParameters(ctx context.Context, part string, e target.Environment) error {
	name := n.databaseName()
	out, err := n.clients.rds.DescribeDBClusterParameterGroups(ctx, &rds.DescribeDBClusterParameterGroupsInput{DBClusterParameterGroupName: &name})
	switch {
	case err == nil && len(out.DBClusterParameterGroups) > 0:
		err = n.retagRDS(ctx, part, "database parameter group", text(out.DBClusterParameterGroups[0].DBClusterParameterGroupArn))
	case gone(err, errNoParameters, errNoParameters2) == nil:
		_, err = n.clients.rds.CreateDBClusterParameterGroup(ctx, &rds.CreateDBClusterParameterGroupInput{
			DBClusterParameterGroupName: &name, DBParameterGroupFamily: aws.String(databaseFamily(e)), Description: aws.String("Slipway: " + n.key.String()), Tags: n.rdsTags(part),
		})
		err = failed(gone(err, "DBParameterGroupAlreadyExists"), "create parameter group %q", name)
	}
	if err != nil {
		return err
	}
	if done, err := n.forcesTLS(ctx); err != nil || done {
		return err
	}
	_, err = n.clients.rds.ModifyDBClusterParameterGroup(ctx, &rds.ModifyDBClusterParameterGroupInput{
		DBClusterParameterGroupName: &name,
		Parameters: []types.Parameter{
			{ParameterName: aws.String(parameterTLS), ParameterValue: aws.String("1"), ApplyMethod: types.ApplyMethodImmediate},
		},
	})
	return failed(err, "set the parameters of group %q", name)
}

const parameterTLS = "rds.force_ssl"

// forcesTLS says whether the cluster's parameters refuse connections without TLS. A group that is
// gone does not.
func (n *noun) forcesTLS(ctx context.Context) (bool, error) {
	name := n.databaseName()
	pages := rds.NewDescribeDBClusterParametersPaginator(n.clients.rds, &rds.DescribeDBClusterParametersInput{DBClusterParameterGroupName: &name, Source: aws.String("user")})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return false, failed(gone(err, errNoParameters, errNoParameters2), "read the parameters of group %q", name)
		}
		for _, p := range page.Parameters {
			if text(p.ParameterName) == parameterTLS {
				return text(p.ParameterValue) == "1", nil
			}
		}
	}
	return false, nil
}

// databaseFamily is the family of parameter groups of an environment's engine.
func databaseFamily(e target.Environment) string {
	major, _, _ := strings.Cut(settingsOf(e).Database.EngineVersion, ".")
	return databaseEngine + major
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

// putInstances makes the instances that a cluster lacks, removes readers that it has too many of,
// and waits for the others. Which of them writes is the cluster's own business.
func (n *noun) putInstances(ctx context.Context, part string, d *types.DBCluster, e target.Environment) error {
	has, want := n.members(d), settingsOf(e).Database.Instances
	for i := 1; len(has) < want; i++ {
		name := n.instanceName(i)
		if slices.ContainsFunc(has, func(m types.DBClusterMember) bool { return text(m.DBInstanceIdentifier) == name }) {
			continue
		}
		if err := n.putInstance(ctx, part, name, i); err != nil {
			return err
		}
		has = append(has, types.DBClusterMember{DBInstanceIdentifier: &name})
	}
	if surplus := len(has) - want; surplus > 0 {
		readers := slices.DeleteFunc(slices.Clone(has), func(m types.DBClusterMember) bool { return aws.ToBool(m.IsClusterWriter) })
		if err := n.deleteInstances(ctx, readers[max(0, len(readers)-surplus):]); err != nil {
			return err
		}
		has = slices.DeleteFunc(has, func(m types.DBClusterMember) bool {
			return slices.ContainsFunc(readers[max(0, len(readers)-surplus):], func(r types.DBClusterMember) bool {
				return text(r.DBInstanceIdentifier) == text(m.DBInstanceIdentifier)
			})
		})
	}
	for _, m := range has {
		if err := n.waitInstance(ctx, text(m.DBInstanceIdentifier)); err != nil {
			return err
		}
	}
	return nil
}

// members are the instances of a cluster that were made here, in the order of their names.
func (n *noun) members(d *types.DBCluster) []types.DBClusterMember {
	var ours []types.DBClusterMember
	for i := 1; i <= maxInstances; i++ {
		for _, m := range d.DBClusterMembers {
			if text(m.DBInstanceIdentifier) == n.instanceName(i) {
				ours = append(ours, m)
			}
		}
	}
	return ours
}

// maxInstances is how many instances a cluster can have (Quotas and constraints for Amazon Aurora).
const maxInstances = 16

func (n *noun) putInstance(ctx context.Context, part, name string, i int) error {
	d, err := findInstance(ctx, n.clients, name)
	if err == nil {
		return n.retagRDS(ctx, part, "database instance", text(d.DBInstanceArn))
	}
	if !isAbsent(err) {
		return err
	}
	_, err = n.clients.rds.CreateDBInstance(ctx, &rds.CreateDBInstanceInput{
		DBInstanceIdentifier: &name, DBClusterIdentifier: aws.String(n.databaseName()), DBInstanceClass: aws.String("db.serverless"),
		Engine: aws.String(databaseEngine), PubliclyAccessible: aws.Bool(false), AutoMinorVersionUpgrade: aws.Bool(true),
		PromotionTier: aws.Int32(int32(min(i, maxPromotionTier))), Tags: n.rdsTags(part),
	})
	return failed(gone(err, "DBInstanceAlreadyExists"), "create database instance %q", name)
}

// maxPromotionTier is the last place in the order in which readers take over (CreateDBInstance).
const maxPromotionTier = 15

func (n *noun) waitInstance(ctx context.Context, name string) error {
	return n.target.until(ctx, fmt.Sprintf("database instance %q", name), func(ctx context.Context) (status, bool, error) {
		d, err := findInstance(ctx, n.clients, name)
		if err != nil {
			return "", false, err
		}
		return status(text(d.DBInstanceStatus)), text(d.DBInstanceStatus) == available, nil
	})
}

// deleteInstances removes instances of a cluster, which can't go before them.
func (n *noun) deleteInstances(ctx context.Context, members []types.DBClusterMember) error {
	for _, m := range members {
		_, err := n.clients.rds.DeleteDBInstance(ctx, &rds.DeleteDBInstanceInput{DBInstanceIdentifier: m.DBInstanceIdentifier, SkipFinalSnapshot: aws.Bool(true)})
		if gone(err, errNoInstance, "InvalidDBInstanceState") != nil { // it is on its way out already
			return failed(err, "delete database instance %q", text(m.DBInstanceIdentifier))
		}
	}
	for _, m := range members {
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
