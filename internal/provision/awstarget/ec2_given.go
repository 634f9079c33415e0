package awstarget

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// factBlocks are the IPv4 blocks of the VPC.
const factBlocks = "blocks"

// givenPart is a network that somebody else looks after: it is known, and never changed.
func (n *noun) givenPart(l layout) part {
	return part{
		name: partVPC,
		put: func(ctx context.Context) error {
			v, err := n.findVPC(ctx, l.given.ID)
			if err == nil {
				err = n.save(ctx, markVPC, l.given.ID)
			}
			if err == nil {
				err = n.saveBlocks(ctx, v)
			}
			return failed(err, "look at VPC %q", l.given.ID)
		},
		check: func(ctx context.Context) ([]string, error) {
			v, err := n.findVPC(ctx, l.given.ID)
			switch {
			case isAbsent(err):
				return []string{fmt.Sprintf("VPC %s is gone", l.given.ID)}, nil
			case err == nil && blocksOf(v) != n.fact(factBlocks):
				return []string{fmt.Sprintf("VPC %s has other address blocks", l.given.ID)}, nil
			}
			return nil, failed(err, "look at VPC %q", l.given.ID)
		},
		delete: func(context.Context) error { return nil },
	}
}

func (n *noun) findVPC(ctx context.Context, id string) (*types.Vpc, error) {
	out, err := n.clients.ec2.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{VpcIds: []string{id}})
	if err != nil {
		return nil, absent(err, "InvalidVpcID.NotFound")
	}
	if len(out.Vpcs) == 0 {
		return nil, errAbsent
	}
	return &out.Vpcs[0], nil
}

// blocksOf are the blocks of a VPC, joined by commas.
func blocksOf(v *types.Vpc) string {
	all := text(v.CidrBlock)
	for _, a := range v.CidrBlockAssociationSet {
		if block := text(a.CidrBlock); block != text(v.CidrBlock) && (a.CidrBlockState == nil || a.CidrBlockState.State == types.VpcCidrBlockStateCodeAssociated) {
			all += "," + block
		}
	}
	return all
}

func (n *noun) saveBlocks(ctx context.Context, v *types.Vpc) error {
	return n.save(ctx, factBlocks, blocksOf(v))
}

// attribute reads whether a VPC has an attribute on.
func (n *noun) vpcAttribute(ctx context.Context, id string, name types.VpcAttributeName) (bool, error) {
	out, err := n.clients.ec2.DescribeVpcAttribute(ctx, &ec2.DescribeVpcAttributeInput{VpcId: &id, Attribute: name})
	if err != nil {
		return false, err
	}
	value := out.EnableDnsSupport
	if name == types.VpcAttributeNameEnableDnsHostnames {
		value = out.EnableDnsHostnames
	}
	return value != nil && aws.ToBool(value.Value), nil
}

// findSubnets describes those of some subnets that are there, in order of their ids.
func findSubnets(ctx context.Context, c *clients, ids []string) ([]types.Subnet, error) {
	out, err := c.ec2.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{Filters: []types.Filter{{Name: aws.String("subnet-id"), Values: ids}}})
	if err != nil {
		return nil, failed(err, "find subnets %q", ids)
	}
	slices.SortFunc(out.Subnets, func(a, b types.Subnet) int { return strings.Compare(text(a.SubnetId), text(b.SubnetId)) })
	return out.Subnets, nil
}

// onePerZone are the ids of the first of some subnets in each availability zone.
func onePerZone(all []types.Subnet) []string {
	var ids []string
	seen := map[string]bool{}
	for _, s := range all {
		if zone := text(s.AvailabilityZoneId); !seen[zone] {
			seen[zone] = true
			ids = append(ids, text(s.SubnetId))
		}
	}
	return ids
}
