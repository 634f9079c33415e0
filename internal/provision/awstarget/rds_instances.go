package awstarget

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"
)

// instanceName names the instances 1 … of the cluster.
func (c dbCluster) instanceName(i int) string { return fmt.Sprintf("%s-%d", c.name, i) }

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
func (c dbCluster) putInstances(ctx context.Context, d *types.DBCluster) error {
	has, want := c.members(d), c.size.Instances
	for i := 1; len(has) < want; i++ {
		name := c.instanceName(i)
		if slices.ContainsFunc(has, func(m types.DBClusterMember) bool { return text(m.DBInstanceIdentifier) == name }) {
			continue
		}
		if err := c.putInstance(ctx, name, d.DBClusterMembers); err != nil {
			return err
		}
		d.DBClusterMembers = append(d.DBClusterMembers, types.DBClusterMember{DBInstanceIdentifier: &name})
		has = c.members(d)
	}
	if surplus := len(has) - want; surplus > 0 {
		readers := slices.DeleteFunc(slices.Clone(has), func(m types.DBClusterMember) bool { return aws.ToBool(m.IsClusterWriter) })
		if err := c.deleteInstances(ctx, readers[max(0, len(readers)-surplus):]); err != nil {
			return err
		}
		has = slices.DeleteFunc(has, func(m types.DBClusterMember) bool {
			return slices.ContainsFunc(readers[max(0, len(readers)-surplus):], func(r types.DBClusterMember) bool {
				return text(r.DBInstanceIdentifier) == text(m.DBInstanceIdentifier)
			})
		})
	}
	for _, m := range has {
		name := text(m.DBInstanceIdentifier)
		err := c.target.appearing(ctx, fmt.Sprintf("database instance %q", name), func(ctx context.Context) error { return c.waitInstance(ctx, name) })
		if err != nil {
			return err
		}
	}
	return c.settleInstances(ctx)
}

// members are the instances of a cluster that were made here, in the order of their names.
func (c dbCluster) members(d *types.DBCluster) []types.DBClusterMember {
	var ours []types.DBClusterMember
	for i := 1; i <= maxInstances; i++ {
		for _, m := range d.DBClusterMembers {
			if text(m.DBInstanceIdentifier) == c.instanceName(i) {
				ours = append(ours, m)
			}
		}
	}
	return ours
}

// maxInstances is how many instances a cluster can have (Quotas and constraints for Amazon Aurora).
const maxInstances = 16

// putInstance makes an instance of the cluster beside the others. Where the zone that was chosen for it has no
// room for it, AWS chooses.
func (c dbCluster) putInstance(ctx context.Context, name string, others []types.DBClusterMember) error {
	d, err := findInstance(ctx, c.clients, name)
	if err == nil {
		return c.retagRDS(ctx, c.part, "database instance", text(d.DBInstanceArn))
	}
	if !isAbsent(err) {
		return err
	}
	zone, err := c.zoneFor(ctx, others)
	if err != nil {
		return err
	}
	in := &rds.CreateDBInstanceInput{
		DBInstanceIdentifier: &name, DBClusterIdentifier: &c.name, DBInstanceClass: aws.String(instanceClass), AvailabilityZone: zone,
		Engine: aws.String(databaseEngine), PubliclyAccessible: aws.Bool(false), AutoMinorVersionUpgrade: aws.Bool(true),
		PromotionTier: c.tier(name), Tags: c.rdsTags(c.part),
	}
	err = c.target.insist(ctx, fmt.Sprintf("database cluster %q to take another instance", c.name), c.free, func(ctx context.Context) error {
		return c.target.patiently(ctx, fmt.Sprintf("database instance %q", name), func(ctx context.Context) error {
			_, err := c.clients.rds.CreateDBInstance(ctx, in)
			if in.AvailabilityZone != nil && coded(err, "InsufficientDBInstanceCapacity") {
				in.AvailabilityZone = nil
				_, err = c.clients.rds.CreateDBInstance(ctx, in)
			}
			return err
		}, lagsOfRDSRole...)
	})
	return failed(gone(err, "DBInstanceAlreadyExists"), "create database instance %q", name)
}

// tier is the place of an instance in the order in which readers take over, 0 to 15, nil of one that was not
// made here. Readers in 0 and 1 are kept as large as the one that writes and pause with it; those
// after them scale by themselves ("How Aurora Serverless v2 works").
func (c dbCluster) tier(name string) *int32 {
	for i := range int32(maxInstances) {
		if c.instanceName(int(i)+1) == name {
			return &i
		}
	}
	return nil
}

func (c dbCluster) waitInstance(ctx context.Context, name string) error {
	return c.target.until(ctx, fmt.Sprintf("database instance %q", name), func(ctx context.Context) (status, bool, error) {
		d, err := findInstance(ctx, c.clients, name)
		if err != nil {
			return "", false, err
		}
		return status(text(d.DBInstanceStatus)), text(d.DBInstanceStatus) == available, c.stuckInstance(name, text(d.DBInstanceStatus))
	})
}

// deleteInstances removes instances of a cluster, which can't go before them.
func (c dbCluster) deleteInstances(ctx context.Context, members []types.DBClusterMember) error {
	for _, m := range members {
		if _, err := c.endInstance(ctx, text(m.DBInstanceIdentifier)); err != nil {
			return err
		}
	}
	for _, m := range members {
		name := text(m.DBInstanceIdentifier)
		err := c.target.until(ctx, fmt.Sprintf("the end of database instance %q", name), func(ctx context.Context) (status, bool, error) {
			d, err := findInstance(ctx, c.clients, name)
			switch {
			case isAbsent(err):
				return "gone", true, nil
			case err != nil:
				return "", false, err
			case text(d.DBInstanceStatus) != deleting:
				var taken bool
				if taken, err = c.endInstance(ctx, name); err == nil && !taken && text(d.DBInstanceStatus) == stopped {
					err = c.stuck(stopped)
				}
			}
			return status(text(d.DBInstanceStatus)), false, err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// endInstance asks for the end of an instance, and says whether RDS has taken that. One that is on its way
// out refuses, and so may one that is being made, or changed with its cluster.
func (c dbCluster) endInstance(ctx context.Context, name string) (taken bool, err error) {
	_, err = c.clients.rds.DeleteDBInstance(ctx, &rds.DeleteDBInstanceInput{DBInstanceIdentifier: &name, SkipFinalSnapshot: aws.Bool(true)})
	return err == nil, failed(gone(err, errNoInstance, busyInstance, busyCluster), "delete database instance %q", name)
}
