package awstarget_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	route53types "github.com/aws/aws-sdk-go-v2/service/route53/types"
)

// drifts are changes that somebody makes behind the target's back.
var drifts = []struct {
	name string
	make func(ctx context.Context, c aws.Config) error
}{
	{"a security group lets more in", func(ctx context.Context, c aws.Config) error {
		network := ec2.NewFromConfig(c)
		groups, err := network.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{Filters: []ec2types.Filter{{Name: aws.String("tag:slipway:part"), Values: []string{"group-database"}}}})
		if err != nil {
			return err
		}
		_, err = network.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: groups.SecurityGroups[0].GroupId, IpPermissions: []ec2types.IpPermission{{
			IpProtocol: aws.String("tcp"), FromPort: aws.Int32(22), ToPort: aws.Int32(22), IpRanges: []ec2types.IpRange{{CidrIp: aws.String("0.0.0.0/0")}},
		}}})
		return err
	}},
	{"private subnets lost their way outside", func(ctx context.Context, c aws.Config) error {
		network := ec2.NewFromConfig(c)
		tables, err := network.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{Filters: []ec2types.Filter{{Name: aws.String("tag:slipway:part"), Values: []string{"routes-private-1"}}}})
		if err != nil {
			return err
		}
		_, err = network.DeleteRoute(ctx, &ec2.DeleteRouteInput{RouteTableId: tables.RouteTables[0].RouteTableId, DestinationCidrBlock: aws.String("0.0.0.0/0")})
		return err
	}},
	{"the load balancer writes no logs any more", func(ctx context.Context, c aws.Config) error {
		client := elb.NewFromConfig(c)
		balancers, err := client.DescribeLoadBalancers(ctx, nil)
		if err != nil {
			return err
		}
		_, err = client.ModifyLoadBalancerAttributes(ctx, &elb.ModifyLoadBalancerAttributesInput{
			LoadBalancerArn: balancers.LoadBalancers[0].LoadBalancerArn,
			Attributes:      []elbtypes.LoadBalancerAttribute{{Key: aws.String("access_logs.s3.enabled"), Value: aws.String("false")}},
		})
		return err
	}},
	{"an entrance is gone", func(ctx context.Context, c aws.Config) error {
		client := elb.NewFromConfig(c)
		balancers, err := client.DescribeLoadBalancers(ctx, nil)
		if err != nil {
			return err
		}
		listeners, err := client.DescribeListeners(ctx, &elb.DescribeListenersInput{LoadBalancerArn: balancers.LoadBalancers[0].LoadBalancerArn})
		if err != nil {
			return err
		}
		_, err = client.DeleteListener(ctx, &elb.DeleteListenerInput{ListenerArn: listeners.Listeners[0].ListenerArn})
		return err
	}},
	{"a name leads elsewhere", func(ctx context.Context, c aws.Config) error {
		client := route53.NewFromConfig(c)
		zones, err := client.ListHostedZones(ctx, nil)
		if err != nil {
			return err
		}
		_, err = client.ChangeResourceRecordSets(ctx, &route53.ChangeResourceRecordSetsInput{HostedZoneId: zones.HostedZones[0].Id, ChangeBatch: &route53types.ChangeBatch{Changes: []route53types.Change{{
			Action: route53types.ChangeActionUpsert, ResourceRecordSet: &route53types.ResourceRecordSet{
				Name: aws.String("production.eu.example.com"), Type: route53types.RRTypeA, TTL: aws.Int64(60), ResourceRecords: []route53types.ResourceRecord{{Value: aws.String("192.0.2.1")}},
			},
		}}}})
		return err
	}},
	{"logs are kept for a day", func(ctx context.Context, c aws.Config) error {
		_, err := cloudwatchlogs.NewFromConfig(c).PutRetentionPolicy(ctx, &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: aws.String("/slipway/eu/production"), RetentionInDays: aws.Int32(1)})
		return err
	}},
	{"a role may do anything", func(ctx context.Context, c aws.Config) error {
		client := iam.NewFromConfig(c)
		roles, err := client.ListRoles(ctx, &iam.ListRolesInput{PathPrefix: aws.String("/slipway/")})
		if err != nil {
			return err
		}
		_, err = client.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: roles.Roles[0].RoleName, PolicyName: aws.String("slipway"), PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)})
		return err
	}},
	{"names are not resolved in the VPC any more", func(ctx context.Context, c aws.Config) error {
		network := ec2.NewFromConfig(c)
		vpcs, err := network.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{Filters: []ec2types.Filter{{Name: aws.String("tag:slipway:part"), Values: []string{"vpc"}}}})
		if err != nil {
			return err
		}
		_, err = network.ModifyVpcAttribute(ctx, &ec2.ModifyVpcAttributeInput{VpcId: vpcs.Vpcs[0].VpcId, EnableDnsHostnames: &ec2types.AttributeBooleanValue{Value: aws.Bool(false)}})
		return err
	}},
	{"a subnet has lost a tag", func(ctx context.Context, c aws.Config) error {
		network := ec2.NewFromConfig(c)
		subnets, err := network.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{Filters: []ec2types.Filter{{Name: aws.String("tag:slipway:part"), Values: []string{"subnet-public-1"}}}})
		if err != nil {
			return err
		}
		_, err = network.DeleteTags(ctx, &ec2.DeleteTagsInput{Resources: []string{aws.ToString(subnets.Subnets[0].SubnetId)}, Tags: []ec2types.Tag{{Key: aws.String("team")}}})
		return err
	}},
	{"the database cluster has lost a tag", func(ctx context.Context, c aws.Config) error {
		client := rds.NewFromConfig(c)
		clusters, err := client.DescribeDBClusters(ctx, nil)
		if err != nil {
			return err
		}
		_, err = client.RemoveTagsFromResource(ctx, &rds.RemoveTagsFromResourceInput{ResourceName: clusters.DBClusters[0].DBClusterArn, TagKeys: []string{"team"}})
		return err
	}},
	{"a role has another tag", func(ctx context.Context, c aws.Config) error {
		client := iam.NewFromConfig(c)
		roles, err := client.ListRoles(ctx, &iam.ListRolesInput{PathPrefix: aws.String("/slipway/")})
		if err != nil {
			return err
		}
		_, err = client.TagRole(ctx, &iam.TagRoleInput{RoleName: roles.Roles[0].RoleName, Tags: []iamtypes.Tag{{Key: aws.String("team"), Value: aws.String("other")}}})
		return err
	}},
	{"databases take connections without TLS", func(ctx context.Context, c aws.Config) error {
		client := rds.NewFromConfig(c)
		clusters, err := client.DescribeDBClusters(ctx, nil)
		if err != nil {
			return err
		}
		_, err = client.ModifyDBClusterParameterGroup(ctx, &rds.ModifyDBClusterParameterGroupInput{
			DBClusterParameterGroupName: clusters.DBClusters[0].DBClusterParameterGroup,
			Parameters:                  []rdstypes.Parameter{{ParameterName: aws.String("rds.force_ssl"), ParameterValue: aws.String("0"), ApplyMethod: rdstypes.ApplyMethodImmediate}},
		})
		return err
	}},
	{"the dashboard is gone", func(ctx context.Context, c aws.Config) error {
		client := cloudwatch.NewFromConfig(c)
		all, err := client.ListDashboards(ctx, nil)
		if err != nil {
			return err
		}
		_, err = client.DeleteDashboards(ctx, &cloudwatch.DeleteDashboardsInput{DashboardNames: []string{aws.ToString(all.DashboardEntries[0].DashboardName)}})
		return err
	}},
	{"the database cluster has another size", func(ctx context.Context, c aws.Config) error {
		client := rds.NewFromConfig(c)
		clusters, err := client.DescribeDBClusters(ctx, nil)
		if err != nil {
			return err
		}
		_, err = client.ModifyDBCluster(ctx, &rds.ModifyDBClusterInput{
			DBClusterIdentifier:              clusters.DBClusters[0].DBClusterIdentifier,
			ServerlessV2ScalingConfiguration: &rdstypes.ServerlessV2ScalingConfiguration{MinCapacity: aws.Float64(8), MaxCapacity: aws.Float64(64)},
		})
		return err
	}},
}

func TestDriftOfAnEnvironmentIsSeenAndRepaired(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	d := l.client(t)
	if _, err := d.PutRegion(t.Context(), eu, mine); err != nil {
		t.Fatal(err)
	}
	e := environment(t, eu.Name, "production")
	e.Tags = map[string]string{"team": "platform"}
	if _, err := d.PutEnvironment(t.Context(), e, mine); err != nil {
		t.Fatal(err)
	}
	problem := func(t *testing.T, want bool) {
		t.Helper()
		rec, err := d.GetEnvironment(t.Context(), e.ID())
		if err != nil {
			t.Fatal(err)
		}
		if (rec.Meta.Problem != "") != want {
			t.Errorf("the problem is %q, want one: %t", rec.Meta.Problem, want)
		}
	}
	problem(t, false)
	for _, c := range drifts {
		t.Run(c.name, func(t *testing.T) {
			if err := c.make(t.Context(), l.config(home)); err != nil {
				t.Fatal(err)
			}
			problem(t, true)
			if _, err := d.PutEnvironment(t.Context(), e, again); err != nil {
				t.Fatal(err)
			}
			problem(t, false)
		})
	}
	t.Run("another definition of its tags", func(t *testing.T) {
		e.Tags = map[string]string{"owner": "shop"}
		if _, err := d.PutEnvironment(t.Context(), e, again); err != nil {
			t.Fatal(err)
		}
		problem(t, false)
		all, err := ec2.NewFromConfig(l.config(home)).DescribeTags(t.Context(), &ec2.DescribeTagsInput{Filters: []ec2types.Filter{{Name: aws.String("key"), Values: []string{"team", "owner"}}}})
		if err != nil {
			t.Fatal(err)
		}
		for _, tag := range all.Tags {
			if aws.ToString(tag.Key) == "team" {
				t.Errorf("%s still has the tag of before", aws.ToString(tag.ResourceId))
			}
		}
		if len(all.Tags) == 0 {
			t.Error("nothing has the new tag")
		}
	})
}
