package awstarget_test

import (
	"context"
	"crypto/rand"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	route53types "github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// spoiler changes things behind the target's back, in an AWS account with one environment.
type spoiler struct {
	ctx context.Context
	*lab
	t testing.TB
}

// do wants a call to succeed, must its answer.
func (s *spoiler) do(_ any, err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *spoiler) must(v any, err error) any {
	s.t.Helper()
	s.do(v, err)
	return v
}

func (s *spoiler) acm() *acm.Client             { return acm.NewFromConfig(s.config(home)) }
func (s *spoiler) ec2() *ec2.Client             { return ec2.NewFromConfig(s.config(home)) }
func (s *spoiler) ecs() *ecs.Client             { return ecs.NewFromConfig(s.config(home)) }
func (s *spoiler) elb() *elb.Client             { return elb.NewFromConfig(s.config(home)) }
func (s *spoiler) iam() *iam.Client             { return iam.NewFromConfig(s.config(home)) }
func (s *spoiler) logs() *cloudwatchlogs.Client { return cloudwatchlogs.NewFromConfig(s.config(home)) }
func (s *spoiler) metrics() *cloudwatch.Client  { return cloudwatch.NewFromConfig(s.config(home)) }
func (s *spoiler) rds() *rds.Client             { return rds.NewFromConfig(s.config(home)) }
func (s *spoiler) route53() *route53.Client     { return route53.NewFromConfig(s.config(home)) }
func (s *spoiler) secrets() *secretsmanager.Client {
	return secretsmanager.NewFromConfig(s.config(home))
}

// group is the id of a security group.
func (s *spoiler) group(part string) *string {
	out, err := s.ec2().DescribeSecurityGroups(s.ctx, &ec2.DescribeSecurityGroupsInput{Filters: filter("tag:slipway:part", part)})
	s.do(out, err)
	return out.SecurityGroups[0].GroupId
}

// onlyOutward has a security group let out nothing but this.
func (s *spoiler) onlyOutward(part string, permissions ...ec2types.IpPermission) {
	group := s.group(part)
	rules, err := s.ec2().DescribeSecurityGroupRules(s.ctx, &ec2.DescribeSecurityGroupRulesInput{Filters: filter("group-id", *group)})
	s.do(rules, err)
	for _, r := range rules.SecurityGroupRules {
		if aws.ToBool(r.IsEgress) {
			s.do(s.ec2().RevokeSecurityGroupEgress(s.ctx, &ec2.RevokeSecurityGroupEgressInput{GroupId: group, SecurityGroupRuleIds: []string{*r.SecurityGroupRuleId}}))
		}
	}
	if len(permissions) > 0 {
		s.do(s.ec2().AuthorizeSecurityGroupEgress(s.ctx, &ec2.AuthorizeSecurityGroupEgressInput{GroupId: group, IpPermissions: permissions}))
	}
}

func (s *spoiler) routes(part string) ec2types.RouteTable {
	out, err := s.ec2().DescribeRouteTables(s.ctx, &ec2.DescribeRouteTablesInput{Filters: filter("tag:slipway:part", part)})
	s.do(out, err)
	return out.RouteTables[0]
}

// everythingAllowed is a policy.
const everythingAllowed = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`

// policyMore and policyAttached let a role do anything, by a policy in it and by one of its own.
func (s *spoiler) policyMore() {
	s.do(s.iam().PutRolePolicy(s.ctx, &iam.PutRolePolicyInput{RoleName: s.role(), PolicyName: aws.String("more"), PolicyDocument: aws.String(everythingAllowed)}))
}

func (s *spoiler) policyAttached() {
	made := s.must(s.iam().CreatePolicy(s.ctx, &iam.CreatePolicyInput{PolicyName: aws.String(rand.Text()), PolicyDocument: aws.String(everythingAllowed)})).(*iam.CreatePolicyOutput)
	s.do(s.iam().AttachRolePolicy(s.ctx, &iam.AttachRolePolicyInput{RoleName: s.role(), PolicyArn: made.Policy.Arn}))
}

// loseMarks takes what says whose it is off what has a name of its own.
func (s *spoiler) loseMarks() {
	lost := []string{"managed-by", "slipway:installation"}
	s.do(s.iam().UntagRole(s.ctx, &iam.UntagRoleInput{RoleName: s.role(), TagKeys: lost}))
	s.do(s.ecs().UntagResource(s.ctx, &ecs.UntagResourceInput{ResourceArn: s.containers(), TagKeys: lost}))
	s.do(s.elb().RemoveTags(s.ctx, &elb.RemoveTagsInput{ResourceArns: []string{*s.balancer()}, TagKeys: lost}))
	s.do(s.rds().RemoveTagsFromResource(s.ctx, &rds.RemoveTagsFromResourceInput{ResourceName: s.cluster().DBClusterArn, TagKeys: lost}))
	s.do(s.logs().UntagResource(s.ctx, &cloudwatchlogs.UntagResourceInput{ResourceArn: aws.String("arn:aws:logs:" + home + ":" + s.ID + ":log-group:/slipway/eu/production"), TagKeys: lost}))
}

// databaseLog is the name of the log group that the cluster writes to.
func (s *spoiler) databaseLog() *string {
	return aws.String("/aws/rds/cluster/" + *s.cluster().DBClusterIdentifier + "/postgresql")
}

func (s *spoiler) vpc() *string {
	out, err := s.ec2().DescribeVpcs(s.ctx, &ec2.DescribeVpcsInput{Filters: filter("tag:slipway:part", "vpc")})
	s.do(out, err)
	return out.Vpcs[0].VpcId
}

func (s *spoiler) endpoint(part string) ec2types.VpcEndpoint {
	out, err := s.ec2().DescribeVpcEndpoints(s.ctx, &ec2.DescribeVpcEndpointsInput{Filters: filter("tag:slipway:part", part)})
	s.do(out, err)
	return out.VpcEndpoints[0]
}

func (s *spoiler) balancer() *string {
	out, err := s.elb().DescribeLoadBalancers(s.ctx, nil)
	s.do(out, err)
	return out.LoadBalancers[0].LoadBalancerArn
}

func (s *spoiler) listener(port int32) elbtypes.Listener {
	out, err := s.elb().DescribeListeners(s.ctx, &elb.DescribeListenersInput{LoadBalancerArn: s.balancer()})
	s.do(out, err)
	for _, l := range out.Listeners {
		if aws.ToInt32(l.Port) == port {
			return l
		}
	}
	s.t.Fatalf("there is no listener on port %d", port)
	return elbtypes.Listener{}
}

func (s *spoiler) cluster() rdstypes.DBCluster {
	out, err := s.rds().DescribeDBClusters(s.ctx, nil)
	s.do(out, err)
	return out.DBClusters[0]
}

// dropCluster deletes the only cluster with its instances.
func (s *spoiler) dropCluster() {
	c := s.cluster()
	for _, i := range c.DBClusterMembers {
		s.do(s.rds().DeleteDBInstance(s.ctx, &rds.DeleteDBInstanceInput{DBInstanceIdentifier: i.DBInstanceIdentifier, SkipFinalSnapshot: aws.Bool(true)}))
	}
	s.do(s.rds().DeleteDBCluster(s.ctx, &rds.DeleteDBClusterInput{DBClusterIdentifier: c.DBClusterIdentifier, SkipFinalSnapshot: aws.Bool(true)}))
}

func (s *spoiler) subnetGroup() rdstypes.DBSubnetGroup {
	out, err := s.rds().DescribeDBSubnetGroups(s.ctx, nil)
	s.do(out, err)
	return out.DBSubnetGroups[0]
}

func (s *spoiler) role() *string {
	out, err := s.iam().ListRoles(s.ctx, &iam.ListRolesInput{PathPrefix: aws.String("/slipway/")})
	s.do(out, err)
	return out.Roles[0].RoleName
}

// containers is the ARN of the cluster of ECS.
func (s *spoiler) containers() *string {
	out, err := s.ecs().ListClusters(s.ctx, nil)
	s.do(out, err)
	return &out.ClusterArns[0]
}

func (s *spoiler) zone() *string {
	out, err := s.route53().ListHostedZones(s.ctx, nil)
	s.do(out, err)
	return out.HostedZones[0].Id
}

// recordNamed is the first record of a kind with some text in its name.
func (s *spoiler) recordNamed(kind route53types.RRType, name string) *route53types.ResourceRecordSet {
	out, err := s.route53().ListResourceRecordSets(s.ctx, &route53.ListResourceRecordSetsInput{HostedZoneId: s.zone()})
	s.do(out, err)
	for _, r := range out.ResourceRecordSets {
		if r.Type == kind && strings.Contains(aws.ToString(r.Name), name) {
			return &r
		}
	}
	s.t.Fatalf("there is no record %s of type %s", name, kind)
	return nil
}
