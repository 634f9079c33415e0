package awstarget

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// addresses are the public addresses of the NAT gateways.
func (n *noun) addresses(l layout) []thing {
	var all []thing
	for zone := range l.gateways {
		all = append(all, n.address(zone))
	}
	return all
}

// factAddress is where the address itself is saved: stacks come to the preview entrance from it.
func factAddress(zone int) string { return markAddress(zone) + "_block" }

func (n *noun) address(zone int) thing {
	c := n.clients.ec2
	describe := func(ctx context.Context, filters []types.Filter) ([]types.Address, error) {
		out, err := c.DescribeAddresses(ctx, &ec2.DescribeAddressesInput{Filters: filters})
		if err != nil {
			return nil, err
		}
		return out.Addresses, nil
	}
	const idFilter = "allocation-id"
	return thing{
		mark: markAddress(zone), what: "elastic address", idFilter: idFilter, kind: types.ResourceTypeElasticIp,
		find: func(ctx context.Context, _ *clients, filters []types.Filter) ([]found, error) {
			addresses, err := describe(ctx, filters)
			var all []found
			for _, a := range addresses {
				all = append(all, found{id: text(a.AllocationId), state: available, tags: ec2Tags(a.Tags)})
			}
			return all, err
		},
		create: func(ctx context.Context, tags []types.TagSpecification, _ string) (string, error) {
			out, err := c.AllocateAddress(ctx, &ec2.AllocateAddressInput{Domain: types.DomainTypeVpc, TagSpecifications: tags}, onlyOnce)
			if err != nil {
				return "", err
			}
			return text(out.AllocationId), nil
		},
		settle: func(ctx context.Context, id string) error {
			addresses, err := describe(ctx, []types.Filter{{Name: aws.String(idFilter), Values: []string{id}}})
			if err != nil {
				return err
			}
			at := slices.IndexFunc(addresses, func(a types.Address) bool { return text(a.AllocationId) == id }) // not every emulator filters
			if at < 0 {
				return errAbsent
			}
			return n.save(ctx, factAddress(zone), text(addresses[at].PublicIp)+"/32")
		},
		delete: func(ctx context.Context, id string) error {
			_, err := c.ReleaseAddress(ctx, &ec2.ReleaseAddressInput{AllocationId: &id})
			if err := gone(err, "InvalidAllocationID.NotFound"); err != nil {
				return err
			}
			return n.save(ctx, factAddress(zone), "")
		},
	}
}

// gateways lead from private subnets to the outside. One that failed never becomes anything
// else.
func (n *noun) gateways(l layout) []thing {
	var all []thing
	for zone := range l.gateways {
		all = append(all, n.natGateway(zone))
	}
	return all
}

func (n *noun) natGateway(zone int) thing {
	c := n.clients.ec2
	return thing{
		mark: markNAT(zone), what: "NAT gateway", idFilter: "nat-gateway-id", kind: types.ResourceTypeNatgateway,
		find: func(ctx context.Context, c *clients, filters []types.Filter) ([]found, error) {
			out, err := c.ec2.DescribeNatGateways(ctx, &ec2.DescribeNatGatewaysInput{Filter: filters})
			if err != nil {
				return nil, err
			}
			var all []found
			for _, g := range out.NatGateways {
				if g.State == types.NatGatewayStateDeleted {
					continue
				}
				f := found{id: text(g.NatGatewayId), state: string(g.State), tags: ec2Tags(g.Tags)}
				if g.State == types.NatGatewayStateFailed {
					f.failure = failure(f.state, g.FailureCode, g.FailureMessage)
				}
				all = append(all, f)
			}
			return all, nil
		},
		create: func(ctx context.Context, tags []types.TagSpecification, token string) (string, error) {
			address := n.fact(markAddress(zone))
			out, err := c.CreateNatGateway(ctx, &ec2.CreateNatGatewayInput{
				SubnetId: aws.String(n.fact(markSubnet(subnetPublic, zone))), AllocationId: &address,
				ConnectivityType: types.ConnectivityTypePublic, TagSpecifications: tags, ClientToken: &token,
			}, onlyOnce)
			if err != nil {
				return "", err
			}
			return text(out.NatGateway.NatGatewayId), nil
		},
		delete: func(ctx context.Context, id string) error {
			_, err := c.DeleteNatGateway(ctx, &ec2.DeleteNatGatewayInput{NatGatewayId: &id})
			return gone(err, "NatGatewayNotFound")
		},
	}
}
