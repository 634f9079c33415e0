package awstest

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/smithy-go"
)

// TestWhatAWSRefusesIsRefused holds the overlay to our reading of AWS's reference.
func TestWhatAWSRefusesIsRefused(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	network := ec2.NewFromConfig(config(s.Account))
	subnet, vpc := s.network.AwsvpcConfiguration.Subnets[0], s.vpc
	made, err := network.CreateSecurityGroup(t.Context(), &ec2.CreateSecurityGroupInput{GroupName: aws.String("one"), Description: aws.String("one"), VpcId: &vpc})
	s.ok(err)
	other, err := network.CreateSecurityGroup(t.Context(), &ec2.CreateSecurityGroupInput{GroupName: aws.String("two"), Description: aws.String("two"), VpcId: &vpc})
	s.ok(err)
	_, err = network.AuthorizeSecurityGroupIngress(t.Context(), &ec2.AuthorizeSecurityGroupIngressInput{GroupId: other.GroupId, IpPermissions: []ec2types.IpPermission{
		{IpProtocol: aws.String("tcp"), FromPort: aws.Int32(80), ToPort: aws.Int32(80), UserIdGroupPairs: []ec2types.UserIdGroupPair{{GroupId: made.GroupId}}},
	}})
	s.ok(err)
	_, err = s.elb.SetSecurityGroups(t.Context(), &elb.SetSecurityGroupsInput{LoadBalancerArn: &s.balancer, SecurityGroups: []string{*other.GroupId}})
	s.ok(err)
	_, err = s.elb.ModifyLoadBalancerAttributes(t.Context(), &elb.ModifyLoadBalancerAttributesInput{LoadBalancerArn: &s.balancer, Attributes: []elbtypes.LoadBalancerAttribute{{Key: aws.String("deletion_protection.enabled"), Value: aws.String("true")}}})
	s.ok(err)
	group := s.group("web")
	forward := func(weight int32) []elbtypes.Action {
		return []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, ForwardConfig: &elbtypes.ForwardActionConfig{TargetGroups: []elbtypes.TargetGroupTuple{{TargetGroupArn: &group, Weight: &weight}}}}}
	}
	conditions := []elbtypes.RuleCondition{{Field: aws.String("path-pattern"), PathPatternConfig: &elbtypes.PathPatternConditionConfig{Values: []string{"/a", "/b", "/c", "/d", "/e"}}}}
	define := func(cpu, memory string) error {
		_, err := s.ecs.RegisterTaskDefinition(t.Context(), &ecs.RegisterTaskDefinitionInput{
			Family: aws.String("sized"), Cpu: &cpu, Memory: &memory, NetworkMode: ecstypes.NetworkModeAwsvpc, RequiresCompatibilities: []ecstypes.Compatibility{ecstypes.CompatibilityFargate},
			ContainerDefinitions: []ecstypes.ContainerDefinition{{Name: aws.String("main"), Image: aws.String("well:1")}},
		})
		return err
	}
	for _, c := range []struct {
		name, code string // no code: it is done
		call       func(ctx context.Context) error
	}{
		{"a second listener on a port", "DuplicateListener", func(ctx context.Context) error {
			_, err := s.elb.CreateListener(ctx, &elb.CreateListenerInput{LoadBalancerArn: &s.balancer, Port: aws.Int32(80), Protocol: elbtypes.ProtocolEnumHttp, DefaultActions: forward(1)})
			return err
		}},
		{"a weight over 999", "ValidationError", func(ctx context.Context) error {
			_, err := s.elb.CreateRule(ctx, &elb.CreateRuleInput{ListenerArn: &s.listener, Priority: aws.Int32(1), Conditions: conditions, Actions: forward(1000)})
			return err
		}},
		{"a sixth value", "ValidationError", func(ctx context.Context) error {
			more := append([]elbtypes.RuleCondition{{Field: aws.String("host-header"), HostHeaderConfig: &elbtypes.HostHeaderConditionConfig{Values: []string{"a.example.com"}}}}, conditions...)
			_, err := s.elb.CreateRule(ctx, &elb.CreateRuleInput{ListenerArn: &s.listener, Priority: aws.Int32(1), Conditions: more, Actions: forward(1)})
			return err
		}},
		{"a rule within the limits", "", func(ctx context.Context) error {
			_, err := s.elb.CreateRule(ctx, &elb.CreateRuleInput{ListenerArn: &s.listener, Priority: aws.Int32(1), Conditions: conditions, Actions: forward(999)})
			return err
		}},
		{"the end of a target group in a rule", "ResourceInUse", func(ctx context.Context) error {
			_, err := s.elb.DeleteTargetGroup(ctx, &elb.DeleteTargetGroupInput{TargetGroupArn: &group})
			return err
		}},
		{"the end of a protected load balancer", "OperationNotPermitted", func(ctx context.Context) error {
			_, err := s.elb.DeleteLoadBalancer(ctx, &elb.DeleteLoadBalancerInput{LoadBalancerArn: &s.balancer})
			return err
		}},
		{"rules of which one is there", "InvalidPermission.Duplicate", func(ctx context.Context) error {
			_, err := network.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: other.GroupId, IpPermissions: []ec2types.IpPermission{
				{IpProtocol: aws.String("tcp"), FromPort: aws.Int32(443), ToPort: aws.Int32(443), IpRanges: []ec2types.IpRange{{CidrIp: aws.String("192.0.2.0/24")}}},
				{IpProtocol: aws.String("tcp"), FromPort: aws.Int32(80), ToPort: aws.Int32(80), UserIdGroupPairs: []ec2types.UserIdGroupPair{{GroupId: made.GroupId}}},
			}})
			return err
		}},
		{"one of them, which was not added", "", func(ctx context.Context) error {
			_, err := network.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: other.GroupId, IpPermissions: []ec2types.IpPermission{
				{IpProtocol: aws.String("tcp"), FromPort: aws.Int32(443), ToPort: aws.Int32(443), IpRanges: []ec2types.IpRange{{CidrIp: aws.String("192.0.2.0/24")}}},
			}})
			return err
		}},
		{"the end of a security group that another names", "DependencyViolation", func(ctx context.Context) error {
			_, err := network.DeleteSecurityGroup(ctx, &ec2.DeleteSecurityGroupInput{GroupId: made.GroupId})
			return err
		}},
		{"the end of a security group with a load balancer", "DependencyViolation", func(ctx context.Context) error {
			_, err := network.DeleteSecurityGroup(ctx, &ec2.DeleteSecurityGroupInput{GroupId: other.GroupId})
			return err
		}},
		{"the end of a subnet with a load balancer", "DependencyViolation", func(ctx context.Context) error {
			_, err := network.DeleteSubnet(ctx, &ec2.DeleteSubnetInput{SubnetId: &subnet})
			return err
		}},
		{"a load balancer whose name begins like an internal one's", "ValidationError", func(ctx context.Context) error {
			_, err := s.elb.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{Name: aws.String("internal-front"), Subnets: s.network.AwsvpcConfiguration.Subnets})
			return err
		}},
		{"a database cluster with two hyphens in a row", "InvalidParameterValue", func(ctx context.Context) error {
			_, err := rds.NewFromConfig(config(s.Account)).CreateDBCluster(ctx, &rds.CreateDBClusterInput{DBClusterIdentifier: aws.String("a--b"), Engine: aws.String("aurora-postgresql")})
			return err
		}},
		{"a tag twice", "InvalidParameterValue", func(ctx context.Context) error {
			tag := ec2types.Tag{Key: aws.String("Name"), Value: aws.String("one")}
			_, err := network.CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{vpc}, Tags: []ec2types.Tag{tag, tag}})
			return err
		}},
		{"a tag's key in two cases on a role", "InvalidInput", func(ctx context.Context) error {
			_, err := iam.NewFromConfig(config(s.Account)).TagRole(ctx, &iam.TagRoleInput{RoleName: aws.String("one"), Tags: []iamtypes.Tag{{Key: aws.String("team"), Value: aws.String("one")}, {Key: aws.String("Team"), Value: aws.String("one")}}})
			return err
		}},
		{"too much memory for the CPU", "ClientException", func(context.Context) error { return define("256", "4096") }},
		{"memory between the steps", "ClientException", func(context.Context) error { return define("8192", "17408") }},
		{"a size of Fargate's", "", func(context.Context) error { return define("8192", "20480") }},
	} {
		err := c.call(t.Context())
		var api smithy.APIError
		if errors.As(err, &api) != (c.code != "") || c.code != "" && api.ErrorCode() != c.code {
			t.Errorf("%s: got error %v, want code %q", c.name, err, c.code)
		}
	}
}
