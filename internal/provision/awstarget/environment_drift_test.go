package awstarget_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	route53types "github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go/middleware"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget/awstest"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// drift is a change that somebody makes behind the target's back, and what a look says of it.
type drift struct {
	name string
	make func(s *spoiler)
	want string
}

func attribute(key, value string) func(*spoiler) {
	return func(s *spoiler) {
		s.do(s.elb().ModifyLoadBalancerAttributes(s.ctx, &elb.ModifyLoadBalancerAttributesInput{
			LoadBalancerArn: s.balancer(), Attributes: []elbtypes.LoadBalancerAttribute{{Key: &key, Value: &value}},
		}))
	}
}

func modifyCluster(in rds.ModifyDBClusterInput) func(*spoiler) {
	return func(s *spoiler) {
		in.DBClusterIdentifier, in.ApplyImmediately = s.cluster().DBClusterIdentifier, aws.Bool(true)
		s.do(s.rds().ModifyDBCluster(s.ctx, &in))
	}
}

// networkDrifts are of a network that was made.
var networkDrifts = []drift{
	{"database servers are reached by others and reach everything", func(s *spoiler) {
		s.do(s.ec2().AuthorizeSecurityGroupIngress(s.ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: s.group("group-database"), IpPermissions: []ec2types.IpPermission{{
			IpProtocol: aws.String("tcp"), FromPort: aws.Int32(22), ToPort: aws.Int32(22), IpRanges: []ec2types.IpRange{{CidrIp: aws.String("0.0.0.0/0")}},
		}}}))
		s.onlyOutward("group-database", outward...)
	}, "lets in tcp 22 from 0.0.0.0/0, out everything to 0.0.0.0/0, which it should not"},
	{"a security group lets the same in by another protocol", func(s *spoiler) {
		rules := s.must(s.ec2().DescribeSecurityGroupRules(s.ctx, &ec2.DescribeSecurityGroupRulesInput{Filters: filter("group-id", *s.group("group-stacks"))})).(*ec2.DescribeSecurityGroupRulesOutput)
		for _, r := range rules.SecurityGroupRules {
			if !aws.ToBool(r.IsEgress) {
				s.do(s.ec2().RevokeSecurityGroupIngress(s.ctx, &ec2.RevokeSecurityGroupIngressInput{GroupId: r.GroupId, SecurityGroupRuleIds: []string{*r.SecurityGroupRuleId}}))
				s.do(s.ec2().AuthorizeSecurityGroupIngress(s.ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: r.GroupId, IpPermissions: []ec2types.IpPermission{{
					IpProtocol: aws.String("udp"), FromPort: r.FromPort, ToPort: r.ToPort, UserIdGroupPairs: []ec2types.UserIdGroupPair{{GroupId: r.ReferencedGroupInfo.GroupId}},
				}}}))
			}
		}
	}, "lets in udp 0-65535 from sg-"},
	{"a load balancer reaches everything, as an earlier version left it", func(s *spoiler) {
		s.onlyOutward("group-balancer", outward...)
	}, "does not let out tcp 0-65535 to sg-"},
	{"stacks reach nothing", func(s *spoiler) { s.onlyOutward("group-stacks") }, "out everything to 0.0.0.0/0"},
	{"a subnet gives public addresses", func(s *spoiler) {
		subnets := s.must(s.ec2().DescribeSubnets(s.ctx, &ec2.DescribeSubnetsInput{Filters: filter("tag:slipway:part", "subnet-public-1")})).(*ec2.DescribeSubnetsOutput)
		s.do(s.ec2().ModifySubnetAttribute(s.ctx, &ec2.ModifySubnetAttributeInput{SubnetId: subnets.Subnets[0].SubnetId, MapPublicIpOnLaunch: &ec2types.AttributeBooleanValue{Value: aws.Bool(true)}}))
	}, "gives what is started in it a public address"},
	{"private subnets lost their way outside", func(s *spoiler) {
		s.do(s.ec2().DeleteRoute(s.ctx, &ec2.DeleteRouteInput{RouteTableId: s.routes("routes-private-1").RouteTableId, DestinationCidrBlock: aws.String("0.0.0.0/0")}))
	}, "does not lead outside as it should"},
	{"a subnet has another route table", func(s *spoiler) {
		for _, a := range s.routes("routes-public-1").Associations {
			s.do(s.ec2().ReplaceRouteTableAssociation(s.ctx, &ec2.ReplaceRouteTableAssociationInput{AssociationId: a.RouteTableAssociationId, RouteTableId: s.routes("routes-database-1").RouteTableId}))
			return
		}
	}, "is not that of its subnets"},
	{"names are not resolved in the VPC any more", func(s *spoiler) {
		s.do(s.ec2().ModifyVpcAttribute(s.ctx, &ec2.ModifyVpcAttributeInput{VpcId: s.vpc(), EnableDnsHostnames: &ec2types.AttributeBooleanValue{Value: aws.Bool(false)}}))
	}, "enableDnsHostnames of VPC"},
	{"a subnet has lost a tag", func(s *spoiler) {
		subnets := s.must(s.ec2().DescribeSubnets(s.ctx, &ec2.DescribeSubnetsInput{Filters: filter("tag:slipway:part", "subnet-public-1")})).(*ec2.DescribeSubnetsOutput)
		s.do(s.ec2().DeleteTags(s.ctx, &ec2.DeleteTagsInput{Resources: []string{*subnets.Subnets[0].SubnetId}, Tags: []ec2types.Tag{{Key: aws.String("team")}}}))
	}, "has not the tags of its definition: team"},
}

// outward is what EC2 has each group let out that it makes.
var outward = []ec2types.IpPermission{{IpProtocol: aws.String("-1"), IpRanges: []ec2types.IpRange{{CidrIp: aws.String("0.0.0.0/0")}}}}

// entranceDrifts are of the load balancer, what it shows, and the names that lead to it.
var entranceDrifts = []drift{
	{"the load balancer writes no logs any more", attribute("access_logs.s3.enabled", "false"), "access_logs.s3.enabled"},
	{"the load balancer lets invalid headers through", attribute("routing.http.drop_invalid_header_fields.enabled", "false"), "drop_invalid_header_fields"},
	{"the load balancer is protected from a deletion that is asked for", attribute("deletion_protection.enabled", "true"), "deletion_protection.enabled"},
	{"the load balancer waits longer", attribute("idle_timeout.timeout_seconds", "120"), "idle_timeout"},
	{"the load balancer has another security group", func(s *spoiler) {
		s.do(s.elb().SetSecurityGroups(s.ctx, &elb.SetSecurityGroupsInput{LoadBalancerArn: s.balancer(), SecurityGroups: []string{*s.group("group-stacks")}}))
	}, "has another security group"},
	{"the load balancer has lost a tag", func(s *spoiler) {
		s.do(s.elb().RemoveTags(s.ctx, &elb.RemoveTagsInput{ResourceArns: []string{*s.balancer()}, TagKeys: []string{"managed-by", "slipway:installation"}}))
	}, "load balancer \"eu-production-"},
	{"the entrance by HTTP is gone", func(s *spoiler) {
		s.do(s.elb().DeleteListener(s.ctx, &elb.DeleteListenerInput{ListenerArn: s.listener(80).ListenerArn}))
	}, "the listener on port 80 is gone"},
	{"the entrance takes old versions of TLS", func(s *spoiler) {
		s.do(s.elb().ModifyListener(s.ctx, &elb.ModifyListenerInput{ListenerArn: s.listener(443).ListenerArn, SslPolicy: aws.String("ELBSecurityPolicy-2016-08"), DefaultActions: s.listener(443).DefaultActions}))
	}, "the listener on port 443 has TLS policy \"ELBSecurityPolicy-2016-08\", not \""},
	{"the preview entrance answers otherwise", func(s *spoiler) {
		s.do(s.elb().ModifyListener(s.ctx, &elb.ModifyListenerInput{ListenerArn: s.listener(8443).ListenerArn, DefaultActions: []elbtypes.Action{{
			Type: elbtypes.ActionTypeEnumFixedResponse, FixedResponseConfig: &elbtypes.FixedResponseActionConfig{StatusCode: aws.String("200"), ContentType: aws.String("text/plain"), MessageBody: aws.String("hello")},
		}}}))
	}, "the listener on port 8443 answers otherwise where no rule applies"},
	{"an entrance has lost a tag", func(s *spoiler) {
		s.do(s.elb().RemoveTags(s.ctx, &elb.RemoveTagsInput{ResourceArns: []string{*s.listener(443).ListenerArn}, TagKeys: []string{"slipway:installation"}}))
	}, "the listener on port 443 has not the tags"},
	{"the certificate has lost a tag", func(s *spoiler) {
		all := s.must(s.acm().ListCertificates(s.ctx, nil)).(*acm.ListCertificatesOutput)
		s.do(s.acm().RemoveTagsFromCertificate(s.ctx, &acm.RemoveTagsFromCertificateInput{CertificateArn: all.CertificateSummaryList[0].CertificateArn, Tags: []acmtypes.Tag{{Key: aws.String("team")}}}))
	}, "certificate \"arn:aws:acm"},
	{"a name leads elsewhere", func(s *spoiler) {
		s.record(route53types.ChangeActionUpsert, &route53types.ResourceRecordSet{
			Name: aws.String("production.eu.example.com"), Type: route53types.RRTypeA, TTL: aws.Int64(60), ResourceRecords: []route53types.ResourceRecord{{Value: aws.String("192.0.2.1")}},
		})
	}, "the name \"production.eu.example.com\" does not lead"},
	{"the name of accounts is gone", func(s *spoiler) {
		s.record(route53types.ChangeActionDelete, s.recordNamed("A", ".production.eu.example.com."))
	}, "the name \"*.production.eu.example.com\" does not lead"},
	{"the certificate can't be renewed", func(s *spoiler) {
		s.record(route53types.ChangeActionDelete, s.recordNamed("CNAME", ""))
	}, "can't be renewed"},
}

// readersSecret is that of the login of plans.
const readersSecret = "slipway-reader/eu/production/database"

// databaseDrifts are of the database cluster with all around it.
var databaseDrifts = []drift{
	{"the cluster has another size", modifyCluster(rds.ModifyDBClusterInput{ServerlessV2ScalingConfiguration: &rdstypes.ServerlessV2ScalingConfiguration{MinCapacity: aws.Float64(8), MaxCapacity: aws.Float64(64)}}), " has 8 to 64 capacity units, not 0 to 4"},
	{"backups are kept for three days", modifyCluster(rds.ModifyDBClusterInput{BackupRetentionPeriod: aws.Int32(3)}), "are kept for 3 days, not 1 day"},
	{"the cluster is protected", modifyCluster(rds.ModifyDBClusterInput{DeletionProtection: aws.Bool(true)}), "the deletion protection of database cluster"},
	{"the cluster writes no log any more", modifyCluster(rds.ModifyDBClusterInput{CloudwatchLogsExportConfiguration: &rdstypes.CloudwatchLogsExportConfiguration{DisableLogTypes: []string{"postgresql"}}}), "writes other logs to CloudWatch"},
	{"snapshots get no tags", modifyCluster(rds.ModifyDBClusterInput{CopyTagsToSnapshot: aws.Bool(false)}), "do not get its tags"},
	{"the Data API is off", func(s *spoiler) {
		s.do(s.rds().DisableHttpEndpoint(s.ctx, &rds.DisableHttpEndpointInput{ResourceArn: s.cluster().DBClusterArn}))
	}, "the Data API of database cluster"},
	{"connections come without TLS", func(s *spoiler) {
		s.do(s.rds().ModifyDBClusterParameterGroup(s.ctx, &rds.ModifyDBClusterParameterGroupInput{
			DBClusterParameterGroupName: s.cluster().DBClusterParameterGroup,
			Parameters:                  []rdstypes.Parameter{{ParameterName: aws.String("rds.force_ssl"), ParameterValue: aws.String("0"), ApplyMethod: rdstypes.ApplyMethodImmediate}},
		}))
	}, "takes connections without TLS"},
	{"customers' statements are in the log", func(s *spoiler) {
		s.do(s.rds().ModifyDBClusterParameterGroup(s.ctx, &rds.ModifyDBClusterParameterGroupInput{
			DBClusterParameterGroupName: s.cluster().DBClusterParameterGroup,
			Parameters:                  []rdstypes.Parameter{{ParameterName: aws.String("log_statement"), ParameterValue: aws.String("all"), ApplyMethod: rdstypes.ApplyMethodImmediate}},
		}))
	}, `log_statement is "all"`},
	{"the cluster has lost a tag", func(s *spoiler) {
		s.do(s.rds().RemoveTagsFromResource(s.ctx, &rds.RemoveTagsFromResourceInput{ResourceName: s.cluster().DBClusterArn, TagKeys: []string{"slipway:installation", "slipway:part"}}))
	}, "database cluster \"slipway-eu-production-"},
	{"the instance has a public address", func(s *spoiler) {
		s.do(s.rds().ModifyDBInstance(s.ctx, &rds.ModifyDBInstanceInput{DBInstanceIdentifier: s.cluster().DBClusterMembers[0].DBInstanceIdentifier, PubliclyAccessible: aws.Bool(true), ApplyImmediately: aws.Bool(true)}))
	}, "has a public address"},
	{"the instance takes over later", func(s *spoiler) {
		s.do(s.rds().ModifyDBInstance(s.ctx, &rds.ModifyDBInstanceInput{DBInstanceIdentifier: s.cluster().DBClusterMembers[0].DBInstanceIdentifier, PromotionTier: aws.Int32(2)}))
	}, "takes over in place 2, not 0"},
	{"the instance has lost a tag", func(s *spoiler) {
		all := s.must(s.rds().DescribeDBInstances(s.ctx, nil)).(*rds.DescribeDBInstancesOutput)
		s.do(s.rds().RemoveTagsFromResource(s.ctx, &rds.RemoveTagsFromResourceInput{ResourceName: all.DBInstances[0].DBInstanceArn, TagKeys: []string{"managed-by"}}))
	}, "database instance \""},
	{"the cluster may be in fewer subnets", func(s *spoiler) {
		g := s.subnetGroup()
		s.do(s.rds().ModifyDBSubnetGroup(s.ctx, &rds.ModifyDBSubnetGroupInput{DBSubnetGroupName: g.DBSubnetGroupName, SubnetIds: []string{*g.Subnets[0].SubnetIdentifier}}))
	}, "has other subnets"},
	{"the subnet group has lost a tag", func(s *spoiler) {
		s.do(s.rds().RemoveTagsFromResource(s.ctx, &rds.RemoveTagsFromResourceInput{ResourceName: s.subnetGroup().DBSubnetGroupArn, TagKeys: []string{"slipway:environment"}}))
	}, "database subnet group \"slipway-eu-production-"},
	{"the secret of the reader holds something else", func(s *spoiler) {
		s.do(s.secrets().PutSecretValue(s.ctx, &secretsmanager.PutSecretValueInput{SecretId: aws.String(readersSecret), SecretString: aws.String("{}")}))
	}, "the value of secret"},
	{"the secret of the reader is to be deleted", func(s *spoiler) {
		s.do(s.secrets().DeleteSecret(s.ctx, &secretsmanager.DeleteSecretInput{SecretId: aws.String(readersSecret)}))
	}, "is to be deleted"},
}

// stackDrifts are of what stacks run with.
var stackDrifts = []drift{
	{"logs are kept for a day", func(s *spoiler) {
		s.do(s.logs().PutRetentionPolicy(s.ctx, &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: aws.String("/slipway/eu/production"), RetentionInDays: aws.Int32(1)}))
	}, "keeps logs for 1 day, not 14 days"},
	{"logs are not encrypted with our key any more", func(s *spoiler) {
		s.do(s.logs().DisassociateKmsKey(s.ctx, &cloudwatchlogs.DisassociateKmsKeyInput{LogGroupName: aws.String("/slipway/eu/production")}))
	}, "is not encrypted with the region's key"},
	{"the log group has lost a tag", func(s *spoiler) {
		s.do(s.logs().UntagResource(s.ctx, &cloudwatchlogs.UntagResourceInput{ResourceArn: aws.String("arn:aws:logs:" + home + ":" + s.ID + ":log-group:/slipway/eu/production"), TagKeys: []string{"slipway:region"}}))
	}, "log group \"/slipway/eu/production\" has not the tags"},
	{"RDS has made the log group of the database by itself", func(s *spoiler) {
		s.do(s.logs().DeleteLogGroup(s.ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: s.databaseLog()}))
		s.do(s.logs().CreateLogGroup(s.ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: s.databaseLog()}))
	}, "/postgresql\" keeps logs for ever, not for 14 days; log group"},
	{"the log group of Container Insights is gone", func(s *spoiler) {
		all := s.must(s.logs().DescribeLogGroups(s.ctx, &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String("/aws/ecs/containerinsights/slipway-eu-production-")})).(*cloudwatchlogs.DescribeLogGroupsOutput)
		s.do(s.logs().DeleteLogGroup(s.ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: all.LogGroups[0].LogGroupName}))
	}, "/performance\" is gone"},
	{"a role may do anything", func(s *spoiler) {
		s.do(s.iam().PutRolePolicy(s.ctx, &iam.PutRolePolicyInput{RoleName: s.role(), PolicyName: aws.String("slipway"), PolicyDocument: aws.String(everythingAllowed)}))
	}, "has other rights"},
	{"a role has a policy more", func(s *spoiler) { s.policyMore() }, "has a policy beside its own, \"more\""},
	{"a policy is attached to a role", func(s *spoiler) { s.policyAttached() }, "has a policy beside its own, \"arn:aws:iam::"},
	{"anybody may have a role", func(s *spoiler) {
		s.do(s.iam().UpdateAssumeRolePolicy(s.ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: s.role(), PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}`)}))
	}, "others than ECS tasks"},
	{"a role has another tag", func(s *spoiler) {
		s.do(s.iam().TagRole(s.ctx, &iam.TagRoleInput{RoleName: s.role(), Tags: []iamtypes.Tag{{Key: aws.String("team"), Value: aws.String("other")}}}))
	}, "role \"slipway-eu-production"},
	{"a role has lost what says whose it is", func(s *spoiler) {
		s.do(s.iam().UntagRole(s.ctx, &iam.UntagRoleInput{RoleName: s.role(), TagKeys: []string{"managed-by", "slipway:installation"}}))
	}, "slipway:installation (none"},
	{"the cluster for containers has lost all that says whose it is", func(s *spoiler) {
		s.do(s.ecs().UntagResource(s.ctx, &ecs.UntagResourceInput{ResourceArn: s.containers(), TagKeys: []string{"managed-by", "slipway:installation", "slipway:region", "slipway:environment", "slipway:part"}}))
	}, "cluster \"slipway-eu-production"},
	{"containers are not measured any more", func(s *spoiler) {
		s.do(s.ecs().UpdateCluster(s.ctx, &ecs.UpdateClusterInput{Cluster: s.containers(), Settings: []ecstypes.ClusterSetting{{Name: ecstypes.ClusterSettingNameContainerInsights, Value: aws.String("disabled")}}}))
	}, "container insights"},
	{"images come to a private subnet past the endpoint", func(s *spoiler) {
		e := s.endpoint("endpoint-s3")
		s.do(s.ec2().ModifyVpcEndpoint(s.ctx, &ec2.ModifyVpcEndpointInput{VpcEndpointId: e.VpcEndpointId, RemoveRouteTableIds: e.RouteTableIds[:1]}))
	}, "for s3 is not where it should be"},
	{"the dashboard is gone", func(s *spoiler) {
		all := s.must(s.metrics().ListDashboards(s.ctx, nil)).(*cloudwatch.ListDashboardsOutput)
		s.do(s.metrics().DeleteDashboards(s.ctx, &cloudwatch.DeleteDashboardsInput{DashboardNames: []string{*all.DashboardEntries[0].DashboardName}}))
	}, "dashboard \""},
}

// endpointDrifts are of a network without gateways, and of what the drifts before can't show with it.
var endpointDrifts = []drift{
	{"an endpoint is in fewer subnets", func(s *spoiler) {
		e := s.endpoint("endpoint-logs")
		s.do(s.ec2().ModifyVpcEndpoint(s.ctx, &ec2.ModifyVpcEndpointInput{VpcEndpointId: e.VpcEndpointId, RemoveSubnetIds: e.SubnetIds[:1]}))
	}, "for logs is not where it should be"},
	{"the dashboard shows something else", func(s *spoiler) {
		all := s.must(s.metrics().ListDashboards(s.ctx, nil)).(*cloudwatch.ListDashboardsOutput)
		s.do(s.metrics().PutDashboard(s.ctx, &cloudwatch.PutDashboardInput{DashboardName: all.DashboardEntries[0].DashboardName, DashboardBody: aws.String(`{"widgets":[{"type":"text","properties":{"markdown":"ours"}}]}`)}))
	}, "was changed"},
}

// proveAnew wants a certificate to stay whose proof is gone, unless its names lie in another zone by now.
func (l *lab) proveAnew(t *testing.T, anew func() []string) {
	t.Helper()
	const certificate = "certificate_arn"
	if got := anew(); slices.Contains(got, certificate) {
		t.Errorf("without its proof the certificate is made anew: %q", got)
	}
	zone := awstest.HostedZone(t, l.config(home), "eu.example.com")
	if got := anew(); !slices.Contains(got, certificate) {
		t.Errorf("in another zone the certificate stays: %q", got)
	}
	if _, err := route53.NewFromConfig(l.config(home)).DeleteHostedZone(t.Context(), &route53.DeleteHostedZoneInput{Id: &zone}); err != nil {
		t.Fatal(err)
	}
}

// TestDriftOfAnEnvironmentIsSeenAndRepaired breaks one setting after the other of one environment,
// wants each look to say so, and one put to repair them all.
func TestDriftOfAnEnvironmentIsSeenAndRepaired(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	a := &ailing{next: true, failed: map[string]bool{}, ending: map[string]int{}}
	d := l.client(t, func(_ *awstarget.Settings, o *awstarget.Options) {
		inspect := o.Inspect
		o.Inspect = func(stack *middleware.Stack) error { return errors.Join(inspect(stack), a.show(stack)) }
	})
	if _, err := d.PutRegion(t.Context(), eu, mine); err != nil {
		t.Fatal(err)
	}
	e := environment(t, eu.Name, "production")
	e.Tags = map[string]string{"team": "platform"}
	look := func() target.EnvironmentRecord {
		t.Helper()
		rec, err := d.GetEnvironment(t.Context(), e.ID())
		if err != nil {
			t.Fatal(err)
		}
		return rec
	}
	seen := func() string {
		t.Helper()
		return look().Meta.Problem
	}
	put := func(o target.PutOptions) {
		t.Helper()
		if _, err := d.PutEnvironment(t.Context(), e, o); err != nil {
			t.Fatal(err)
		}
		if problem := seen(); problem != "" {
			t.Errorf("not repaired: %s", strings.ReplaceAll(problem, "; ", "\n"))
		}
	}
	spoil := func(all ...drift) {
		t.Helper()
		before := seen()
		for _, c := range all {
			c.make(&spoiler{t.Context(), l, t})
			after := seen()
			if strings.Count(after, c.want) <= strings.Count(before, c.want) {
				t.Errorf("%s: %q is not told of: %s", c.name, c.want, after)
			}
			before = after
		}
	}
	if _, err := d.PutEnvironment(t.Context(), e, mine); err == nil || !a.tells(err.Error()) {
		t.Errorf("a NAT gateway that fails: got error %v", err)
	}
	s := &spoiler{t.Context(), l, t}
	s.free()
	put(mine)
	a.fails(s.gateway("nat-1"))
	s.free()
	if problem := seen(); !a.tells(problem) {
		t.Errorf("a NAT gateway that has failed is not told of: %s", problem)
	}
	spoil(networkDrifts...)
	spoil(entranceDrifts...)
	l.proveAnew(t, func() []string {
		t.Helper()
		return look().Status.AWS.Anew
	})
	spoil(databaseDrifts...)
	spoil(stackDrifts...)
	put(again)
	s.dropCluster()
	if got := look(); !strings.Contains(got.Meta.Problem, "is gone, and is made anew without data") || !slices.Contains(got.Status.AWS.Anew, "database_host") {
		t.Errorf("of a cluster that is gone it says: %s; anew are %q", got.Meta.Problem, got.Status.AWS.Anew)
	}
	put(again)
	if got := aws.ToString(s.listener(443).SslPolicy); got != oldPolicy {
		t.Errorf("where the newest policy is not known the front door has %q, want %q", got, oldPolicy)
	}
	keepsToItsLogGroups(t, l, func() error { return second(d.PutEnvironment(t.Context(), e, again)) })

	none := settings(e)
	none.NAT = target.NATNone
	e.AWS = &none
	put(again)
	spoil(endpointDrifts...)
	a.fails(s.endpoint("endpoint-secretsmanager").VpcEndpointId)
	if problem := seen(); !a.tells(problem) {
		t.Errorf("an endpoint that was rejected is not told of: %s", problem)
	}
	going := s.endpoint("endpoint-ecr.api").VpcEndpointId
	a.lingers(going)
	s.do(s.ec2().DeleteVpcEndpoints(s.ctx, &ec2.DeleteVpcEndpointsInput{VpcEndpointIds: []string{*going}}))
	put(target.PutOptions{Owner: "me", IfGeneration: 2})
	if diff := cmp.Diff([]string{
		"group-balancer -> tcp 0-65535 group-stacks",
		"group-balancer <- tcp 443-443 0.0.0.0/0",
		"group-balancer <- tcp 80-80 0.0.0.0/0",
		"group-balancer <- tcp 8443-8443 10.43.0.0/16",
		"group-database <- tcp 5432-5432 group-stacks",
		"group-endpoints <- tcp 443-443 group-stacks",
		"group-stacks -> -1 0.0.0.0/0",
		"group-stacks <- tcp 0-65535 group-balancer",
	}, l.throughGroups(t)); diff != "" {
		t.Errorf("security groups let through (-want +got):\n%s", diff)
	}
	s.policyMore()
	s.policyAttached()
	s.loseMarks()
	if err := d.DeleteEnvironment(t.Context(), e.ID()); err != nil {
		t.Errorf("with policies in a role that somebody has added, and without marks: %v", err)
	}
}

// keepsToItsLogGroups wants the log group that RDS has made to have become the environment's, and one of
// another installation to be left alone.
func keepsToItsLogGroups(t *testing.T, l *lab, put func() error) {
	t.Helper()
	s := &spoiler{t.Context(), l, t}
	arn := aws.String("arn:aws:logs:" + home + ":" + l.ID + ":log-group:" + *s.databaseLog())
	has := s.must(s.logs().ListTagsForResource(s.ctx, &cloudwatchlogs.ListTagsForResourceInput{ResourceArn: arn})).(*cloudwatchlogs.ListTagsForResourceOutput).Tags
	if has["slipway:environment"] != "production" || has["team"] != "platform" {
		t.Errorf("what RDS has made has the tags %v", has)
	}
	mark := func(installation string) {
		s.do(s.logs().TagResource(s.ctx, &cloudwatchlogs.TagResourceInput{ResourceArn: arn, Tags: map[string]string{"slipway:installation": installation}}))
	}
	mark("another")
	if err := put(); !errors.Is(err, target.ErrForeign) {
		t.Errorf("with the log group of another installation: got error %v, want %v", err, target.ErrForeign)
	}
	mark(has["slipway:installation"])
}

func settings(e target.Environment) target.AWS { return *e.AWS }

// TestTagsReachEverything changes the tags of a region and its environment, and the provider's, and
// wants everything to bear the new ones and nothing the old.
func TestTagsReachEverything(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	tagged := func(defaults map[string]string) *awstarget.Target {
		return l.client(t, func(s *awstarget.Settings, _ *awstarget.Options) { s.DefaultTags = defaults })
	}
	put := func(d *awstarget.Target, tags map[string]string, o target.PutOptions) {
		t.Helper()
		r, e := eu, environment(t, eu.Name, "production")
		r.Tags, e.Tags = tags, tags
		if _, err := d.PutRegion(t.Context(), r, o); err != nil {
			t.Fatal(err)
		}
		if _, err := d.PutEnvironment(t.Context(), e, o); err != nil {
			t.Fatal(err)
		}
	}
	problems := func(d *awstarget.Target) string {
		t.Helper()
		r, err := d.GetRegion(t.Context(), eu.Name)
		if err != nil {
			t.Fatal(err)
		}
		e, err := d.GetEnvironment(t.Context(), target.EnvironmentID{Region: eu.Name, Name: "production"})
		if err != nil {
			t.Fatal(err)
		}
		return r.Meta.Problem + "; " + e.Meta.Problem
	}
	first := tagged(map[string]string{"cost": "1"})
	put(first, map[string]string{"team": "platform", "Name": "platform"}, mine)
	if got := problems(first); got != "; " {
		t.Errorf("at first: %s", got)
	}
	// Everything that has tags, each by a word of its own.
	everything := []string{
		"table", "key", "bucket", "VPC", "subnet", "internet gateway", "elastic address", "NAT gateway", "route table", "security group", "load balancer",
		"listener on port 80", "listener on port 443", "listener on port 8443", "certificate", "database cluster", "database subnet group",
		"database parameter group", "database instance", "secret", "log group", "role", "cluster",
	}
	for _, changed := range []map[string]string{{"cost": "2"}, nil} {
		d := tagged(changed)
		got := problems(d)
		for _, what := range everything {
			found := false
			for _, p := range strings.Split(got, "; ") {
				found = found || strings.Contains(p, what) && strings.Contains(p, "has not the tags of its definition: cost ")
			}
			if !found {
				t.Errorf("with %v: that a %s has other tags is not told of", changed, what)
			}
		}
		put(d, map[string]string{"team": "platform", "Name": "platform"}, again)
		if got := problems(d); got != "; " {
			t.Errorf("with %v: not repaired: %s", changed, got)
		}
	}
	d := tagged(nil)
	put(d, map[string]string{"owner": "shop"}, again)
	if got := problems(d); got != "; " {
		t.Errorf("of another definition: %s", got)
	}
}

func filter(name, value string) []ec2types.Filter {
	return []ec2types.Filter{{Name: &name, Values: []string{value}}}
}

// record changes a record of the only hosted zone.
func (s *spoiler) record(action route53types.ChangeAction, r *route53types.ResourceRecordSet) {
	s.do(s.route53().ChangeResourceRecordSets(s.ctx, &route53.ChangeResourceRecordSetsInput{HostedZoneId: s.zone(), ChangeBatch: &route53types.ChangeBatch{Changes: []route53types.Change{{Action: action, ResourceRecordSet: r}}}}))
}
