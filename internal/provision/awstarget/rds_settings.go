package awstarget

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"
)

// instanceClass is that of instances whose capacity the cluster says.
const instanceClass = "db.serverless"

// findInstances describes all instances of the cluster.
func (c dbCluster) findInstances(ctx context.Context) ([]types.DBInstance, error) {
	var all []types.DBInstance
	pages := rds.NewDescribeDBInstancesPaginator(c.clients.rds, &rds.DescribeDBInstancesInput{
		Filters: []types.Filter{{Name: aws.String("db-cluster-id"), Values: []string{c.name}}},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, failed(gone(err, errNoInstance, errNoDatabase), "find the instances of database cluster %q", c.name)
		}
		all = append(all, page.DBInstances...)
	}
	return all, nil
}

// settleInstances gives every instance the tags and the settings of the definition.
func (c dbCluster) settleInstances(ctx context.Context) error {
	all, err := c.findInstances(ctx)
	if err != nil {
		return err
	}
	for _, d := range all {
		name := text(d.DBInstanceIdentifier)
		if len(c.tagDrift(c.part, name, rdsTagMap(d.TagList))) > 0 {
			if err := c.retagRDS(ctx, c.part, "database instance", text(d.DBInstanceArn)); err != nil {
				return err
			}
		}
		if len(c.instanceDrift(d)) == 0 {
			continue
		}
		if err := c.settleInstance(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// settleInstance gives an instance the settings of the definition. For a while RDS calls one available that
// it has not begun to change; what it does not show in rdsLag is told as drift.
func (c dbCluster) settleInstance(ctx context.Context, name string) error {
	in := &rds.ModifyDBInstanceInput{
		DBInstanceIdentifier: &name, ApplyImmediately: aws.Bool(true),
		DBInstanceClass: aws.String(instanceClass), PubliclyAccessible: aws.Bool(false), AutoMinorVersionUpgrade: aws.Bool(true),
		PromotionTier: c.tier(name),
	}
	free := func(ctx context.Context) error {
		if err := c.free(ctx); err != nil {
			return err
		}
		return c.waitInstance(ctx, name)
	}
	err := c.target.insist(ctx, fmt.Sprintf("database instance %q to take a change", name), free, func(ctx context.Context) error {
		_, err := c.clients.rds.ModifyDBInstance(ctx, in)
		return err
	})
	if err != nil {
		return failed(err, "change database instance %q", name)
	}
	last := c.target.now().Add(rdsLag)
	return c.target.until(ctx, fmt.Sprintf("the change of database instance %q", name), func(ctx context.Context) (status, bool, error) {
		d, err := findInstance(ctx, c.clients, name)
		if err != nil {
			return "", false, err
		}
		if state := text(d.DBInstanceStatus); state != available {
			last = c.target.now().Add(rdsLag)
			return status(state), false, c.stuckInstance(name, state)
		}
		drift := c.instanceDrift(*d)
		return status(strings.Join(drift, "; ")), len(drift) == 0 || !c.target.now().Before(last), nil
	})
}

// instanceDrift says how an instance differs from what putInstance makes.
func (c dbCluster) instanceDrift(d types.DBInstance) []string {
	var drift []string
	name := text(d.DBInstanceIdentifier)
	if text(d.DBInstanceClass) != instanceClass {
		drift = append(drift, fmt.Sprintf("database instance %q is of class %q", name, text(d.DBInstanceClass)))
	}
	if aws.ToBool(d.PubliclyAccessible) {
		drift = append(drift, fmt.Sprintf("database instance %q has a public address", name))
	}
	if !aws.ToBool(d.AutoMinorVersionUpgrade) {
		drift = append(drift, fmt.Sprintf("database instance %q does not get minor versions by itself", name))
	}
	if has, want := d.PromotionTier, c.tier(name); has != nil && want != nil && *has != *want && max(*has, *want) > 1 {
		drift = append(drift, fmt.Sprintf("database instance %q takes over in place %d, not %d, and is kept as large as the one that writes in places 0 and 1 only", name, *has, *want))
	}
	return drift
}

// checkInstances says how the instances differ from what putInstances makes.
func (c dbCluster) checkInstances(ctx context.Context) ([]string, error) {
	var drift []string
	all, err := c.findInstances(ctx)
	for _, i := range all {
		drift = append(drift, c.instanceDrift(i)...)
		drift = append(drift, c.tagDrift(c.part, fmt.Sprintf("database instance %q", text(i.DBInstanceIdentifier)), rdsTagMap(i.TagList))...)
	}
	return drift, err
}
