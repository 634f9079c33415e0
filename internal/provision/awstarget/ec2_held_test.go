package awstarget

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// What GuardDuty has put into a VPC is named when the removal of the VPC, or of a subnet, is given up.
func TestARemovalThatIsGivenUpNamesWhatIsNotOurs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		kind types.ResourceType
		mark string
		want []string
	}{
		{"a VPC", types.ResourceTypeVpc, markVPC, []string{"eni-1", "vpce-foreign", "sg-foreign"}},
		{"a subnet", types.ResourceTypeSubnet, markSubnet(subnetPrivate, 0), []string{"eni-1", "vpce-foreign"}},
		{"a security group", types.ResourceTypeSecurityGroup, markStackGroup, []string{"eni-1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ours := []types.Tag{{Key: aws.String(tagManagedBy), Value: aws.String(managedBy)}}
			n := scripted(t, func(in any) (any, error) {
				switch in.(type) {
				case *ec2.DescribeNetworkInterfacesInput:
					return &ec2.DescribeNetworkInterfacesOutput{NetworkInterfaces: []types.NetworkInterface{{NetworkInterfaceId: aws.String("eni-1")}}}, nil
				case *ec2.DescribeVpcEndpointsInput:
					return &ec2.DescribeVpcEndpointsOutput{VpcEndpoints: []types.VpcEndpoint{
						{VpcEndpointId: aws.String("vpce-foreign"), SubnetIds: []string{"it"}}, {VpcEndpointId: aws.String("vpce-ours"), SubnetIds: []string{"it"}, Tags: ours},
					}}, nil
				case *ec2.DescribeSecurityGroupsInput:
					return &ec2.DescribeSecurityGroupsOutput{SecurityGroups: []types.SecurityGroup{
						{GroupId: aws.String("sg-foreign"), GroupName: aws.String("GuardDutyManagedSecurityGroup-it")}, {GroupId: aws.String("sg-ours"), Tags: ours}, {GroupId: aws.String("sg-default"), GroupName: aws.String("default")},
					}}, nil
				}
				return nil, fmt.Errorf("%T is not expected", in)
			})
			n.facts = map[string]string{c.mark: "it", markVPC: "it"}
			ctx, cancel := context.WithCancelCause(t.Context())
			err := n.removeThing(ctx, thing{
				mark: c.mark, what: c.name, kind: c.kind, idFilter: "id",
				find: func(context.Context, *clients, []types.Filter) ([]found, error) {
					return []found{{id: "it", state: available}}, nil
				},
				delete: func(context.Context, string) error {
					cancel(context.DeadlineExceeded)
					return refused("DependencyViolation")
				},
			})
			if err == nil {
				t.Fatal("it was removed")
			}
			for _, id := range []string{"eni-1", "vpce-foreign", "vpce-ours", "sg-foreign", "sg-ours", "sg-default"} {
				wanted := strings.Contains(fmt.Sprint(c.want), id)
				if told := strings.Contains(err.Error(), id+" ("); told != wanted {
					t.Errorf("%s is told of: %t, want %t: %v", id, told, wanted, err)
				}
			}
		})
	}
}
