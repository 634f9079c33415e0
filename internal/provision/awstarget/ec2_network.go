package awstarget

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func (n *noun) vpc(l layout) thing {
	c := n.clients.ec2
	return thing{
		mark: markVPC, what: "VPC", idFilter: "vpc-id", kind: types.ResourceTypeVpc,
		find: func(ctx context.Context, c *clients, filters []types.Filter) ([]found, error) {
			out, err := c.ec2.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{Filters: filters})
			if err != nil {
				return nil, err
			}
			var all []found
			for _, v := range out.Vpcs {
				all = append(all, found{id: text(v.VpcId), state: string(v.State), tags: ec2Tags(v.Tags)})
			}
			return all, nil
		},
		create: func(ctx context.Context, tags []types.TagSpecification, _ string) (string, error) {
			out, err := c.CreateVpc(ctx, &ec2.CreateVpcInput{CidrBlock: aws.String(l.block.String()), TagSpecifications: tags}, onlyOnce)
			if err != nil {
				return "", err
			}
			return text(out.Vpc.VpcId), nil
		},
		// One attribute per call. Support comes before host names, which need it.
		settle: func(ctx context.Context, id string) error {
			on := &types.AttributeBooleanValue{Value: aws.Bool(true)}
			if _, err := c.ModifyVpcAttribute(ctx, &ec2.ModifyVpcAttributeInput{VpcId: &id, EnableDnsSupport: on}); err != nil {
				return err
			}
			if _, err := c.ModifyVpcAttribute(ctx, &ec2.ModifyVpcAttributeInput{VpcId: &id, EnableDnsHostnames: on}); err != nil {
				return err
			}
			v, err := n.findVPC(ctx, id)
			if err != nil {
				return err
			}
			return n.saveBlocks(ctx, v)
		},
		check: n.checkVPC,
		delete: func(ctx context.Context, id string) error {
			_, err := c.DeleteVpc(ctx, &ec2.DeleteVpcInput{VpcId: &id})
			return gone(err, "InvalidVpcID.NotFound")
		},
	}
}

// checkVPC says whether names are resolved in a VPC as endpoints and load balancers need it.
func (n *noun) checkVPC(ctx context.Context, id string) ([]string, error) {
	var drift []string
	for _, name := range []types.VpcAttributeName{types.VpcAttributeNameEnableDnsSupport, types.VpcAttributeNameEnableDnsHostnames} {
		on, err := n.vpcAttribute(ctx, id, name)
		if err != nil {
			return nil, err
		}
		if !on {
			drift = append(drift, fmt.Sprintf("%s of VPC %s is off", name, id))
		}
	}
	return drift, nil
}

func (n *noun) gateway() thing {
	c := n.clients.ec2
	return thing{
		mark: markGateway, what: "internet gateway", idFilter: "internet-gateway-id", kind: types.ResourceTypeInternetGateway,
		find: func(ctx context.Context, c *clients, filters []types.Filter) ([]found, error) {
			out, err := c.ec2.DescribeInternetGateways(ctx, &ec2.DescribeInternetGatewaysInput{Filters: filters})
			if err != nil {
				return nil, err
			}
			var all []found
			for _, g := range out.InternetGateways {
				all = append(all, found{id: text(g.InternetGatewayId), state: available, tags: ec2Tags(g.Tags)})
			}
			return all, nil
		},
		create: func(ctx context.Context, tags []types.TagSpecification, _ string) (string, error) {
			out, err := c.CreateInternetGateway(ctx, &ec2.CreateInternetGatewayInput{TagSpecifications: tags}, onlyOnce)
			if err != nil {
				return "", err
			}
			return text(out.InternetGateway.InternetGatewayId), nil
		},
		settle: func(ctx context.Context, id string) error {
			_, err := c.AttachInternetGateway(ctx, &ec2.AttachInternetGatewayInput{InternetGatewayId: &id, VpcId: aws.String(n.fact(markVPC))})
			return gone(err, "Resource.AlreadyAssociated")
		},
		check: func(ctx context.Context, id string) ([]string, error) {
			out, err := c.DescribeInternetGateways(ctx, &ec2.DescribeInternetGatewaysInput{Filters: []types.Filter{{Name: aws.String("internet-gateway-id"), Values: []string{id}}}})
			if err != nil {
				return nil, err
			}
			for _, g := range out.InternetGateways {
				for _, a := range g.Attachments {
					if text(a.VpcId) == n.fact(markVPC) {
						return nil, nil
					}
				}
			}
			return []string{fmt.Sprintf("internet gateway %s is not attached to the VPC", id)}, nil
		},
		delete: func(ctx context.Context, id string) error {
			if vpc := n.fact(markVPC); vpc != "" {
				_, err := c.DetachInternetGateway(ctx, &ec2.DetachInternetGatewayInput{InternetGatewayId: &id, VpcId: &vpc})
				if gone(err, "Gateway.NotAttached", "InvalidInternetGatewayID.NotFound") != nil {
					return err
				}
			}
			_, err := c.DeleteInternetGateway(ctx, &ec2.DeleteInternetGatewayInput{InternetGatewayId: &id})
			return gone(err, "InvalidInternetGatewayID.NotFound")
		},
	}
}

// subnets are those of every kind in every zone.
func (n *noun) subnets(l layout) []thing {
	var all []thing
	for _, kind := range subnetKinds {
		for zone := range l.zones {
			all = append(all, n.subnet(kind, zone, l.subnet(kind, zone)))
		}
	}
	return all
}

func (n *noun) subnet(kind string, zone int, block string) thing {
	c := n.clients.ec2
	return thing{
		mark: markSubnet(kind, zone), what: "subnet", idFilter: "subnet-id", kind: types.ResourceTypeSubnet,
		find: func(ctx context.Context, c *clients, filters []types.Filter) ([]found, error) {
			out, err := c.ec2.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{Filters: filters})
			if err != nil {
				return nil, err
			}
			var all []found
			for _, s := range out.Subnets {
				f := found{id: text(s.SubnetId), state: string(s.State), tags: ec2Tags(s.Tags)}
				if aws.ToBool(s.MapPublicIpOnLaunch) {
					f.wrong = "gives what is started in it a public address"
				}
				all = append(all, f)
			}
			return all, nil
		},
		create: func(ctx context.Context, tags []types.TagSpecification, _ string) (string, error) {
			zones, err := n.zones(ctx)
			if err != nil {
				return "", err
			}
			if zone >= len(zones) {
				return "", target.Errorf(target.ErrInvalid, "%s has %d availability zones in which Fargate runs, too few for this environment", n.clients.region, len(zones))
			}
			out, err := c.CreateSubnet(ctx, &ec2.CreateSubnetInput{
				VpcId: aws.String(n.fact(markVPC)), CidrBlock: &block, AvailabilityZoneId: &zones[zone], TagSpecifications: tags,
			}, onlyOnce)
			if err != nil {
				return "", err
			}
			return text(out.Subnet.SubnetId), nil
		},
		correct: func(ctx context.Context, id string) error {
			_, err := c.ModifySubnetAttribute(ctx, &ec2.ModifySubnetAttributeInput{SubnetId: &id, MapPublicIpOnLaunch: &types.AttributeBooleanValue{Value: aws.Bool(false)}})
			return err
		},
		delete: func(ctx context.Context, id string) error {
			_, err := c.DeleteSubnet(ctx, &ec2.DeleteSubnetInput{SubnetId: &id})
			return gone(err, "InvalidSubnetID.NotFound")
		},
	}
}

// subnetIDs are the ids of the subnets of a kind.
func (n *noun) subnetIDs(l layout, kind string) []string {
	if l.given != nil {
		return map[string][]string{subnetPublic: l.given.PublicSubnets, subnetPrivate: l.given.PrivateSubnets, subnetDatabase: l.given.DatabaseSubnets}[kind]
	}
	var ids []string
	for zone := range l.zones {
		ids = append(ids, n.fact(markSubnet(kind, zone)))
	}
	return ids
}
