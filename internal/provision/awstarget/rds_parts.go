package awstarget

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// findSubnetGroup describes a subnet group.
func findSubnetGroup(ctx context.Context, c *clients, name string) (*types.DBSubnetGroup, error) {
	out, err := c.rds.DescribeDBSubnetGroups(ctx, &rds.DescribeDBSubnetGroupsInput{DBSubnetGroupName: &name})
	if err != nil {
		return nil, failed(absent(err, errNoSubnets), "find subnet group %q", name)
	}
	if len(out.DBSubnetGroups) == 0 {
		return nil, errAbsent
	}
	return &out.DBSubnetGroups[0], nil
}

// groupsSubnets says whether a group has some subnets and no others.
func groupsSubnets(g *types.DBSubnetGroup, subnets []string) bool {
	var has []string
	for _, s := range g.Subnets {
		has = append(has, text(s.SubnetIdentifier))
	}
	return sameSet(has, subnets)
}

// putDatabaseSubnets names the subnets that the database cluster may be in.
func (n *noun) putDatabaseSubnets(ctx context.Context, part string, l layout) error {
	name, subnets := n.databaseName(), n.subnetIDs(l, subnetDatabase)
	g, err := findSubnetGroup(ctx, n.clients, name)
	if isAbsent(err) {
		return n.target.patiently(ctx, fmt.Sprintf("subnet group %q", name), func(ctx context.Context) error {
			_, err := n.clients.rds.CreateDBSubnetGroup(ctx, &rds.CreateDBSubnetGroupInput{
				DBSubnetGroupName: &name, DBSubnetGroupDescription: aws.String("Slipway: " + n.key.String()),
				SubnetIds: subnets, Tags: n.rdsTags(part),
			})
			return failed(gone(err, "DBSubnetGroupAlreadyExists"), "create subnet group %q", name)
		}, lagsOfRDSRole...)
	}
	if err == nil {
		err = n.retagRDS(ctx, part, "database subnet group", text(g.DBSubnetGroupArn))
	}
	if err != nil || groupsSubnets(g, subnets) {
		return err
	}
	_, err = n.clients.rds.ModifyDBSubnetGroup(ctx, &rds.ModifyDBSubnetGroupInput{DBSubnetGroupName: &name, SubnetIds: subnets})
	return failed(err, "set the subnets of subnet group %q", name)
}

// checkDatabaseSubnets says how the subnet group differs from what putDatabaseSubnets makes.
func (n *noun) checkDatabaseSubnets(ctx context.Context, l layout) ([]string, error) {
	name := n.databaseName()
	g, err := findSubnetGroup(ctx, n.clients, name)
	if isAbsent(err) {
		return []string{fmt.Sprintf("database subnet group %q is gone", name)}, nil
	}
	if err != nil {
		return nil, err
	}
	var drift []string
	if !groupsSubnets(g, n.subnetIDs(l, subnetDatabase)) {
		drift = append(drift, fmt.Sprintf("database subnet group %q has other subnets", name))
	}
	has, err := n.tagsRDS(ctx, "database subnet group", text(g.DBSubnetGroupArn))
	return append(drift, n.tagDrift(partDatabase, fmt.Sprintf("database subnet group %q", name), has)...), gone(err)
}

// checkDatabaseParameters says which tags the parameter group lacks, and whether it lets connections
// come without TLS. Its ARN is told by its name.
func (n *noun) checkDatabaseParameters(ctx context.Context) ([]string, error) {
	name := n.databaseName()
	has, err := n.tagsRDS(ctx, "database parameter group", n.clients.arn("rds", "cluster-pg:"+name))
	if isAbsent(err) {
		return []string{fmt.Sprintf("database parameter group %q is gone", name)}, nil
	}
	if err != nil {
		return nil, err
	}
	drift := n.tagDrift(partDatabase, fmt.Sprintf("database parameter group %q", name), has)
	wrong, err := n.wrongParameters(ctx)
	for _, p := range target.SortedKeys(wrong) {
		if p == parameterTLS {
			drift = append(drift, fmt.Sprintf("database cluster %q takes connections without TLS", name))
		} else {
			drift = append(drift, fmt.Sprintf("database cluster %q may write customers' statements to its log: %s is %q, and is to be %q", name, p, wrong[p], quietParameters[p]))
		}
	}
	return drift, err
}

// putDatabaseParameters makes the cluster refuse connections without TLS, and write no statements to its log.
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
	wrong, err := n.wrongParameters(ctx)
	if err != nil || len(wrong) == 0 {
		return err
	}
	var set []types.Parameter
	for _, p := range target.SortedKeys(wrong) {
		value := quietParameters[p]
		if p == parameterTLS {
			value = parameterOn
		}
		set = append(set, types.Parameter{ParameterName: &p, ParameterValue: &value, ApplyMethod: types.ApplyMethodImmediate})
	}
	return n.setParameters(ctx, name, set)
}

// setParameters waits until the group shows the parameters: a cluster that is made with a group which RDS has
// not finished may begin without them (CreateDBClusterParameterGroup).
func (n *noun) setParameters(ctx context.Context, name string, set []types.Parameter) error {
	err := n.target.insist(ctx, fmt.Sprintf("parameter group %q to take a change", name), nil, func(ctx context.Context) error {
		_, err := n.clients.rds.ModifyDBClusterParameterGroup(ctx, &rds.ModifyDBClusterParameterGroupInput{DBClusterParameterGroupName: &name, Parameters: set})
		return err
	}, append([]string{errNoParameters, errNoParameters2}, rdsBusy...)...)
	if err != nil {
		return failed(err, "set the parameters of group %q", name)
	}
	last := n.target.now().Add(rdsLag)
	return n.target.until(ctx, fmt.Sprintf("the parameters of group %q", name), func(ctx context.Context) (status, bool, error) {
		wrong, err := n.wrongParameters(ctx)
		if err == nil && len(wrong) > 0 && !n.target.now().Before(last) {
			err = target.Errorf(target.ErrUnavailable, "parameter group %q was given other values of %q, and does not show them: try again", name, target.SortedKeys(wrong))
		}
		return status(fmt.Sprintf("other values of %q", target.SortedKeys(wrong))), len(wrong) == 0, err
	})
}

const (
	parameterTLS = "rds.force_ssl"
	parameterOn  = "1"
)

// quietParameters write statements that worked to the log where they have another value than this, their
// default. All can be set while a cluster runs.
var quietParameters = map[string]string{
	"log_statement": "none", "log_min_duration_statement": "-1", "log_min_duration_sample": "-1", "log_transaction_sample_rate": "0",
	"auto_explain.log_min_duration": "-1", "pgaudit.log": "none",
}

// wrongParameters are those of the cluster's parameters that must not be as they are: connections come
// by TLS, and customers' statements are not in the log. Others are left to whoever sets them. A group that
// is gone lacks TLS.
func (n *noun) wrongParameters(ctx context.Context) (map[string]string, error) {
	name, wrong := n.databaseName(), map[string]string{parameterTLS: ""}
	pages := rds.NewDescribeDBClusterParametersPaginator(n.clients.rds, &rds.DescribeDBClusterParametersInput{DBClusterParameterGroupName: &name, Source: aws.String("user")})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return wrong, failed(gone(err, errNoParameters, errNoParameters2), "read the parameters of group %q", name)
		}
		for _, p := range page.Parameters {
			key, value := text(p.ParameterName), text(p.ParameterValue)
			quiet, loud := quietParameters[key]
			switch {
			case key == parameterTLS && value == parameterOn:
				delete(wrong, key)
			case loud && value != "" && value != quiet:
				wrong[key] = value
			}
		}
	}
	return wrong, nil
}

// databaseFamily is the family of parameter groups of an environment's engine.
func databaseFamily(e target.Environment) string {
	major, _, _ := strings.Cut(settingsOf(e).Database.EngineVersion, ".")
	return databaseEngine + major
}

// putDatabase makes the environment's database cluster, with its subnets and parameters.
func (n *noun) putDatabase(ctx context.Context, e target.Environment, l layout) error {
	if err := n.putDatabaseSubnets(ctx, partDatabase, l); err != nil {
		return err
	}
	if err := n.putDatabaseParameters(ctx, partDatabase, e); err != nil {
		return err
	}
	return n.databaseOf(e).put(ctx)
}

// checkDatabase says how the cluster with its instances differs from what putDatabase makes.
func (n *noun) checkDatabase(ctx context.Context, e target.Environment, l layout) ([]string, error) {
	c := n.databaseOf(e)
	d, err := findDatabase(ctx, n.clients, c.name)
	if isAbsent(err) {
		n.lose(factDatabaseHost)
		return []string{fmt.Sprintf("database cluster %q is gone, and is made anew without data: to have its data back, restore a snapshot of it under this name before the next apply", c.name)}, nil
	}
	if err != nil {
		return nil, err
	}
	drift := c.difference(d)
	for _, check := range []func() ([]string, error){
		func() ([]string, error) { return c.checkInstances(ctx) },
		func() ([]string, error) { return n.checkDatabaseSubnets(ctx, l) },
		func() ([]string, error) { return n.checkDatabaseParameters(ctx) },
	} {
		more, err := check()
		if err != nil {
			return drift, err
		}
		drift = append(drift, more...)
	}
	return drift, nil
}

// deleteDatabase removes the cluster, and its groups, which RDS calls used for a while after it. Production
// leaves a final snapshot behind, and its automated backups. What was never finished leaves none, but for
// a cluster that was there before it.
func (n *noun) deleteDatabase(ctx context.Context, e target.Environment) error {
	rec, err := recordOf[target.EnvironmentRecord](n.document)
	if err != nil {
		return err
	}
	c := n.databaseOf(e)
	c.keep = n.keeps(rec.Meta, c.keep)
	if err := c.delete(ctx); err != nil {
		return err
	}
	err = n.target.insist(ctx, fmt.Sprintf("the end of parameter group %q", c.groups), nil, func(ctx context.Context) error {
		_, err := n.clients.rds.DeleteDBClusterParameterGroup(ctx, &rds.DeleteDBClusterParameterGroupInput{DBClusterParameterGroupName: &c.groups})
		return err
	})
	if err := gone(err, errNoParameters, errNoParameters2); err != nil {
		return failed(err, "delete parameter group %q", c.groups)
	}
	err = n.target.insist(ctx, fmt.Sprintf("the end of subnet group %q", c.groups), nil, func(ctx context.Context) error {
		_, err := n.clients.rds.DeleteDBSubnetGroup(ctx, &rds.DeleteDBSubnetGroupInput{DBSubnetGroupName: &c.groups})
		return err
	})
	return failed(gone(err, errNoSubnets), "delete subnet group %q", c.groups)
}

// databasePart is the environment's database cluster.
func (n *noun) databasePart(e target.Environment, l layout) part {
	return part{
		name: partDatabase, needs: []string{partGroups, partLogging, partSubnets},
		put:    func(ctx context.Context) error { return n.putDatabase(ctx, e, l) },
		check:  func(ctx context.Context) ([]string, error) { return n.checkDatabase(ctx, e, l) },
		delete: func(ctx context.Context) error { return n.deleteDatabase(ctx, e) },
	}
}
