package awstest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Left counts by kind everything that there is in an AWS region of the account: what [Endpoint.Inventory]
// and [Endpoint.Running] count.
func (e *Endpoint) Left(ctx context.Context, region string) (map[string]int, error) {
	left, err := e.Inventory(ctx, region)
	if err != nil {
		return nil, err
	}
	running, err := e.Running(ctx, region)
	maps.Copy(left, running) // they have no kind in common
	return left, err
}

// Inventory counts by kind what is in an AWS region of the account, and what is in all of them:
// roles, hosted zones and their records. What outlives an installation is left out.
func (e *Endpoint) Inventory(ctx context.Context, region string) (map[string]int, error) {
	c := &counter{config: e.Config(region), all: map[string]int{}}
	for _, count := range []func(context.Context) error{c.control, c.network, c.entrances, c.names, c.stacks, c.databases} {
		if err := count(ctx); err != nil {
			return nil, err
		}
	}
	return c.all, nil
}

// counter counts one service after the other.
type counter struct {
	config aws.Config
	all    map[string]int
}

// add notes n things of a kind; zero is not there.
func (c *counter) add(kind string, n int, err error) error {
	if n > 0 {
		c.all[kind] += n
	}
	if err != nil {
		return fmt.Errorf("count %s: %w", kind, err)
	}
	return nil
}

func (c *counter) control(ctx context.Context) error {
	tables, err := dynamodb.NewFromConfig(c.config).ListTables(ctx, nil)
	if err != nil {
		return c.add("table", 0, err)
	}
	names := slices.DeleteFunc(tables.TableNames, func(name string) bool { return name == "slipway-directory" })
	buckets, err := s3.NewFromConfig(c.config, func(o *s3.Options) { o.UsePathStyle = true }).ListBuckets(ctx, nil)
	if err != nil {
		return c.add("bucket", 0, err)
	}
	keys := kms.NewFromConfig(c.config)
	listed, err := keys.ListKeys(ctx, nil)
	if err != nil {
		return c.add("key", 0, err)
	}
	lasting := 0
	for _, k := range listed.Keys {
		d, err := keys.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: k.KeyId})
		if err != nil {
			return c.add("key", 0, err)
		}
		if d.KeyMetadata.KeyState != kmstypes.KeyStatePendingDeletion && d.KeyMetadata.KeyManager == kmstypes.KeyManagerTypeCustomer {
			lasting++
		}
	}
	aliases, err := keys.ListAliases(ctx, nil)
	if err != nil {
		return c.add("alias", 0, err)
	}
	ours := slices.DeleteFunc(aliases.Aliases, func(a kmstypes.AliasListEntry) bool {
		return strings.HasPrefix(aws.ToString(a.AliasName), "alias/aws/")
	})
	return errors.Join(c.add("table", len(names), nil), c.add("bucket", len(buckets.Buckets), nil), c.add("key", lasting, nil), c.add("alias", len(ours), nil))
}

// network counts what bears our mark: an account has a network of its own from the beginning.
func (c *counter) network(ctx context.Context) error {
	made := []types.Filter{{Name: aws.String("tag:managed-by"), Values: []string{"slipway"}}}
	standing := append(slices.Clone(made), types.Filter{Name: aws.String("state"), Values: []string{"available", "pending"}})
	client := ec2.NewFromConfig(c.config)
	vpcs, err := client.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{Filters: made})
	if err != nil {
		return c.add("vpc", 0, err)
	}
	subnets, err := client.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{Filters: made})
	if err != nil {
		return c.add("subnet", 0, err)
	}
	gateways, err := client.DescribeInternetGateways(ctx, &ec2.DescribeInternetGatewaysInput{Filters: made})
	if err != nil {
		return c.add("gateway", 0, err)
	}
	addresses, err := client.DescribeAddresses(ctx, nil)
	if err != nil {
		return c.add("address", 0, err)
	}
	nat, err := client.DescribeNatGateways(ctx, &ec2.DescribeNatGatewaysInput{Filter: standing})
	if err != nil {
		return c.add("nat", 0, err)
	}
	tables, err := client.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{Filters: made})
	if err != nil {
		return c.add("route table", 0, err)
	}
	groups, err := client.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{Filters: made})
	if err != nil {
		return c.add("security group", 0, err)
	}
	endpoints, err := client.DescribeVpcEndpoints(ctx, &ec2.DescribeVpcEndpointsInput{Filters: made})
	if err != nil {
		return c.add("endpoint", 0, err)
	}
	there := slices.DeleteFunc(endpoints.VpcEndpoints, func(e types.VpcEndpoint) bool { return e.State == "deleted" })
	for kind, n := range map[string]int{
		"vpc": len(vpcs.Vpcs), "subnet": len(subnets.Subnets), "gateway": len(gateways.InternetGateways), "address": len(addresses.Addresses),
		"nat": len(nat.NatGateways), "route table": len(tables.RouteTables), "security group": len(groups.SecurityGroups), "endpoint": len(there),
	} {
		_ = c.add(kind, n, nil)
	}
	return nil
}

func (c *counter) entrances(ctx context.Context) error {
	client := elb.NewFromConfig(c.config)
	balancers, err := client.DescribeLoadBalancers(ctx, nil)
	if err != nil {
		return c.add("load balancer", 0, err)
	}
	for _, b := range balancers.LoadBalancers {
		listeners, err := client.DescribeListeners(ctx, &elb.DescribeListenersInput{LoadBalancerArn: b.LoadBalancerArn})
		if err != nil {
			return c.add("listener", 0, err)
		}
		_ = c.add("listener", len(listeners.Listeners), nil)
	}
	certificates, err := acm.NewFromConfig(c.config).ListCertificates(ctx, nil)
	if err != nil {
		return c.add("certificate", 0, err)
	}
	return errors.Join(c.add("load balancer", len(balancers.LoadBalancers), nil), c.add("certificate", len(certificates.CertificateSummaryList), nil))
}

func (c *counter) names(ctx context.Context) error {
	client := route53.NewFromConfig(c.config)
	zones, err := client.ListHostedZones(ctx, nil)
	if err != nil {
		return c.add("zone", 0, err)
	}
	for _, z := range zones.HostedZones {
		records, err := client.ListResourceRecordSets(ctx, &route53.ListResourceRecordSetsInput{HostedZoneId: z.Id})
		if err != nil {
			return c.add("record", 0, err)
		}
		_ = c.add("record", len(records.ResourceRecordSets), nil)
	}
	return c.add("zone", len(zones.HostedZones), nil)
}

func (c *counter) stacks(ctx context.Context) error {
	roles, err := iam.NewFromConfig(c.config).ListRoles(ctx, nil)
	if err != nil {
		return c.add("role", 0, err)
	}
	logs, err := cloudwatchlogs.NewFromConfig(c.config).DescribeLogGroups(ctx, nil)
	if err != nil {
		return c.add("log group", 0, err)
	}
	dashboards, err := cloudwatch.NewFromConfig(c.config).ListDashboards(ctx, nil)
	if err != nil {
		return c.add("dashboard", 0, err)
	}
	_ = c.add("dashboard", len(dashboards.DashboardEntries), nil)
	clusters, err := c.clusters(ctx)
	if err != nil {
		return c.add("cluster", 0, err)
	}
	return errors.Join(c.add("role", len(roles.Roles), nil), c.add("log group", len(logs.LogGroups), nil), c.add("cluster", len(clusters), nil))
}
