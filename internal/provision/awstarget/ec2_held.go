package awstarget

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// stillInUse is the status of a thing that EC2 does not remove, as something holds on to it.
const stillInUse status = "still in use"

// heldBy adds to the end of a wait for the removal of a thing what holds on to it and is not ours: GuardDuty
// and others put things into every VPC that they look after, and it is not for us to remove them.
func (n *noun) heldBy(ctx context.Context, t thing, err error) error {
	var late *wait.TimeoutError
	if !errors.As(err, &late) || late.Last != stillInUse.String() || errors.Is(late, context.Canceled) {
		return err
	}
	ctx, cancel := uninterrupted(ctx)
	defer cancel()
	holders, lookErr := n.holders(ctx, t)
	if lookErr != nil {
		return errors.Join(err, failed(lookErr, "look for what holds on to %s %s", t.what, n.fact(t.mark)))
	}
	if len(holders) == 0 {
		return err
	}
	return fmt.Errorf("%w: what holds on to %s %s is %s: remove what Slipway did not make, endpoints before security groups, and destroy again", err, t.what, n.fact(t.mark), some(holders))
}

// holders are the endpoints and security groups in a VPC or subnet that are not ours, and all network
// interfaces in it or in a security group.
func (n *noun) holders(ctx context.Context, t thing) ([]string, error) {
	id := n.fact(t.mark)
	by := map[types.ResourceType]string{types.ResourceTypeVpc: "vpc-id", types.ResourceTypeSubnet: "subnet-id", types.ResourceTypeSecurityGroup: "group-id"}[t.kind]
	if by == "" {
		return nil, nil
	}
	in := []types.Filter{{Name: &by, Values: []string{id}}}
	interfaces, err := n.clients.ec2.DescribeNetworkInterfaces(ctx, &ec2.DescribeNetworkInterfacesInput{Filters: in})
	if err != nil {
		return nil, err
	}
	var all []string
	for _, i := range interfaces.NetworkInterfaces {
		all = append(all, fmt.Sprintf("network interface %s (%s)", text(i.NetworkInterfaceId), text(i.Description)))
	}
	if t.kind == types.ResourceTypeSecurityGroup {
		return all, nil
	}
	ofVPC := "vpc-id"
	endpoints, err := n.clients.ec2.DescribeVpcEndpoints(ctx, &ec2.DescribeVpcEndpointsInput{Filters: []types.Filter{{Name: &ofVPC, Values: []string{n.fact(markVPC)}}}})
	if err != nil {
		return nil, err
	}
	for _, e := range endpoints.VpcEndpoints {
		if ec2Tags(e.Tags)[tagManagedBy] != managedBy && (t.kind == types.ResourceTypeVpc || slices.Contains(e.SubnetIds, id)) {
			all = append(all, fmt.Sprintf("endpoint %s (%s)", text(e.VpcEndpointId), text(e.ServiceName)))
		}
	}
	if t.kind == types.ResourceTypeSubnet {
		return all, nil
	}
	groups, err := n.clients.ec2.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{Filters: in})
	if err != nil {
		return nil, err
	}
	for _, g := range groups.SecurityGroups {
		if text(g.GroupName) != "default" && ec2Tags(g.Tags)[tagManagedBy] != managedBy { // the default one goes with the VPC
			all = append(all, fmt.Sprintf("security group %s (%s)", text(g.GroupId), text(g.GroupName)))
		}
	}
	return all, nil
}
