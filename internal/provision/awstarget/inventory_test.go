package awstarget_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/logging"
)

// config is for looking, and for changing things behind the target's back.
func (l *lab) config(region string) aws.Config {
	return aws.Config{
		Region: region, BaseEndpoint: &l.URL, Logger: logging.Nop{},
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}
}

func (l *lab) kms(region string) *kms.Client { return kms.NewFromConfig(l.config(region)) }
func (l *lab) dynamodb(region string) *dynamodb.Client {
	return dynamodb.NewFromConfig(l.config(region))
}
func (l *lab) s3(region string) *s3.Client {
	return s3.NewFromConfig(l.config(region), func(o *s3.Options) { o.UsePathStyle = true })
}

// inventory counts what is in an AWS region of the account, by kind.
func (l *lab) inventory(t *testing.T, region string) map[string]int {
	t.Helper()
	ctx, all := t.Context(), map[string]int{}
	tables, err := l.dynamodb(region).ListTables(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range tables.TableNames {
		if name != "slipway-directory" { // outlives the installation
			all["table"]++
		}
	}
	keys, err := l.kms(region).ListKeys(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys.Keys {
		d, err := l.kms(region).DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: k.KeyId})
		if err != nil {
			t.Fatal(err)
		}
		if d.KeyMetadata.KeyState != kmstypes.KeyStatePendingDeletion && d.KeyMetadata.KeyManager == kmstypes.KeyManagerTypeCustomer {
			all["key"]++
		}
	}
	buckets, err := l.s3(region).ListBuckets(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(buckets.Buckets); n > 0 {
		all["bucket"] = n
	}
	return all
}

// built counts what environments are made of, in an AWS region where nothing else is.
func (l *lab) built(t *testing.T, region string) map[string]int {
	t.Helper()
	ctx, c, all := t.Context(), l.config(region), map[string]int{}
	count := func(kind string, n int, err error) {
		if err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			all[kind] = n
		}
	}
	made := []ec2types.Filter{{Name: aws.String("tag:managed-by"), Values: []string{"slipway"}}}
	network := ec2.NewFromConfig(c)
	vpcs, err := network.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{Filters: made})
	count("vpc", len(vpcs.Vpcs), err)
	subnets, err := network.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{Filters: made})
	count("subnet", len(subnets.Subnets), err)
	gateways, err := network.DescribeInternetGateways(ctx, &ec2.DescribeInternetGatewaysInput{Filters: made})
	count("gateway", len(gateways.InternetGateways), err)
	addresses, err := network.DescribeAddresses(ctx, nil)
	count("address", len(addresses.Addresses), err)
	nat, err := network.DescribeNatGateways(ctx, &ec2.DescribeNatGatewaysInput{Filter: []ec2types.Filter{{Name: aws.String("state"), Values: []string{"available", "pending"}}}})
	count("nat", len(nat.NatGateways), err)
	tables, err := network.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{Filters: made})
	count("route table", len(tables.RouteTables), err)
	groups, err := network.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{Filters: made})
	count("security group", len(groups.SecurityGroups), err)
	balancers, err := elb.NewFromConfig(c).DescribeLoadBalancers(ctx, nil)
	count("load balancer", len(balancers.LoadBalancers), err)
	certificates, err := acm.NewFromConfig(c).ListCertificates(ctx, nil)
	count("certificate", len(certificates.CertificateSummaryList), err)
	names := route53.NewFromConfig(c)
	zones, err := names.ListHostedZones(ctx, nil)
	count("zone", len(zones.HostedZones), err)
	for _, z := range zones.HostedZones {
		records, err := names.ListResourceRecordSets(ctx, &route53.ListResourceRecordSetsInput{HostedZoneId: z.Id})
		count("record", len(records.ResourceRecordSets), err)
	}
	roles, err := iam.NewFromConfig(c).ListRoles(ctx, nil)
	count("role", len(roles.Roles), err)
	logs, err := cloudwatchlogs.NewFromConfig(c).DescribeLogGroups(ctx, nil)
	count("log group", len(logs.LogGroups), err)
	containers := ecs.NewFromConfig(c)
	clusters, err := containers.ListClusters(ctx, nil)
	count("", 0, err)
	described, err := containers.DescribeClusters(ctx, &ecs.DescribeClustersInput{Clusters: clusters.ClusterArns})
	active := slices.DeleteFunc(described.Clusters, func(c ecstypes.Cluster) bool { return aws.ToString(c.Status) != "ACTIVE" })
	count("cluster", len(active), err)
	database := rds.NewFromConfig(c)
	databases, err := database.DescribeDBClusters(ctx, nil)
	count("database cluster", len(databases.DBClusters), err)
	instances, err := database.DescribeDBInstances(ctx, nil)
	count("database instance", len(instances.DBInstances), err)
	return all
}

// words sorts an inventory into one line.
func words(inventory map[string]int) string {
	var all []string
	for k, n := range inventory {
		all = append(all, fmt.Sprint(n, " ", k))
	}
	slices.Sort(all)
	return fmt.Sprint(all)
}
