package awstarget

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// endpointServices are what stacks need of AWS where they reach nothing else: images, whose
// layers are in S3, logs, and secrets. What is encrypted is decrypted by the service that keeps it.
var endpointServices = []string{"ecr.api", "ecr.dkr", "logs", gatewayService, "secretsmanager"}

// gatewayService is the one with an endpoint in the route tables. It costs nothing, and spares what NAT gateways
// bill by traffic: the layers of images.
const gatewayService = "s3"

// earlierServices had endpoints in networks of earlier versions.
var earlierServices = []string{"kms"}

func markEndpoint(service string) string { return "endpoint-" + service }

// services are those that have endpoints in a network: where there is another way out only what costs nothing.
func (l layout) services() []string {
	if l.endpoints {
		return endpointServices
	}
	return []string{gatewayService}
}

// endpoints are the ways from private subnets to AWS's services that lead past NAT gateways.
func (n *noun) endpoints(l layout) []thing {
	var all []thing
	for _, service := range l.services() {
		all = append(all, n.endpoint(l, service))
	}
	return all
}

func (n *noun) endpoint(l layout, service string) thing {
	c := n.clients.ec2
	return thing{
		mark: markEndpoint(service), what: "VPC endpoint", idFilter: "vpc-endpoint-id", kind: types.ResourceTypeVpcEndpoint,
		find: func(ctx context.Context, c *clients, filters []types.Filter) ([]found, error) {
			out, err := c.ec2.DescribeVpcEndpoints(ctx, &ec2.DescribeVpcEndpointsInput{Filters: filters})
			if err != nil {
				return nil, err
			}
			var all []found
			for _, e := range out.VpcEndpoints {
				f := found{id: text(e.VpcEndpointId), state: strings.ToLower(string(e.State)), tags: ec2Tags(e.Tags)}
				if f.state == "deleted" {
					continue
				}
				if f.state == "failed" || f.state == "rejected" || f.state == "expired" {
					var why types.LastError
					if e.LastError != nil {
						why = *e.LastError
					}
					f.failure = failure(f.state, why.Code, why.Message)
				}
				all = append(all, f)
			}
			return all, nil
		},
		create: func(ctx context.Context, tags []types.TagSpecification, token string) (string, error) {
			in := &ec2.CreateVpcEndpointInput{
				ServiceName: aws.String("com.amazonaws." + n.clients.region + "." + service), VpcId: aws.String(n.fact(markVPC)),
				TagSpecifications: tags, ClientToken: &token,
			}
			if service == gatewayService {
				in.VpcEndpointType = types.VpcEndpointTypeGateway
				in.RouteTableIds = n.tableIDs(l, subnetPrivate)
			} else {
				in.VpcEndpointType, in.PrivateDnsEnabled = types.VpcEndpointTypeInterface, aws.Bool(true)
				in.SubnetIds, in.SecurityGroupIds = n.subnetIDs(l, subnetPrivate), []string{n.fact(markEndpointGroup)}
			}
			out, err := c.CreateVpcEndpoint(ctx, in, onlyOnce)
			if err != nil {
				return "", taken(err)
			}
			return text(out.VpcEndpoint.VpcEndpointId), nil
		},
		settle: func(ctx context.Context, id string) error { return n.settleEndpoint(ctx, id, l, service) },
		check: func(ctx context.Context, id string) ([]string, error) {
			change, err := n.endpointDrift(ctx, id, l, service)
			if err != nil || change == nil {
				return nil, gone(err)
			}
			return []string{fmt.Sprintf("VPC endpoint %s for %s is not where it should be, or not reached by the name of the service", id, service)}, nil
		},
		delete: func(ctx context.Context, id string) error {
			out, err := c.DeleteVpcEndpoints(ctx, &ec2.DeleteVpcEndpointsInput{VpcEndpointIds: []string{id}})
			if err != nil {
				return gone(err, "InvalidVpcEndpointId.NotFound")
			}
			for _, u := range out.Unsuccessful {
				if u.Error != nil && text(u.Error.Code) != "InvalidVpcEndpoint.NotFound" && text(u.Error.Code) != "InvalidVpcEndpointId.NotFound" {
					return fmt.Errorf("%s: %s", text(u.Error.Code), text(u.Error.Message))
				}
			}
			return nil
		},
	}
}

// endpointDrift is the change that makes an endpoint what it should be, nil where it is.
func (n *noun) endpointDrift(ctx context.Context, id string, l layout, service string) (*ec2.ModifyVpcEndpointInput, error) {
	filter := "vpc-endpoint-id"
	out, err := n.clients.ec2.DescribeVpcEndpoints(ctx, &ec2.DescribeVpcEndpointsInput{Filters: []types.Filter{{Name: &filter, Values: n.beside("endpoint-", id)}}})
	if err != nil {
		return nil, err
	}
	for _, e := range out.VpcEndpoints {
		if text(e.VpcEndpointId) == id {
			return n.endpointChange(e, l, service), nil
		}
	}
	return nil, errAbsent
}

func (n *noun) endpointChange(e types.VpcEndpoint, l layout, service string) *ec2.ModifyVpcEndpointInput {
	in := &ec2.ModifyVpcEndpointInput{VpcEndpointId: e.VpcEndpointId}
	if service == gatewayService {
		in.AddRouteTableIds, in.RemoveRouteTableIds = changes(e.RouteTableIds, n.tableIDs(l, subnetPrivate))
		if len(in.AddRouteTableIds)+len(in.RemoveRouteTableIds) == 0 {
			return nil
		}
		return in
	}
	var groups []string
	for _, g := range e.Groups {
		groups = append(groups, text(g.GroupId))
	}
	in.AddSubnetIds, in.RemoveSubnetIds = changes(e.SubnetIds, n.subnetIDs(l, subnetPrivate))
	in.AddSecurityGroupIds, in.RemoveSecurityGroupIds = changes(groups, []string{n.fact(markEndpointGroup)})
	if !aws.ToBool(e.PrivateDnsEnabled) {
		in.PrivateDnsEnabled = aws.Bool(true)
	}
	if in.PrivateDnsEnabled == nil && len(in.AddSubnetIds)+len(in.RemoveSubnetIds)+len(in.AddSecurityGroupIds)+len(in.RemoveSecurityGroupIds) == 0 {
		return nil
	}
	return in
}

// changes are what is missing of a list and what is too much.
func changes(has, want []string) (add, remove []string) {
	for _, w := range want {
		if !slices.Contains(has, w) {
			add = append(add, w)
		}
	}
	for _, h := range has {
		if !slices.Contains(want, h) {
			remove = append(remove, h)
		}
	}
	return add, remove
}

func (n *noun) settleEndpoint(ctx context.Context, id string, l layout, service string) error {
	change, err := n.endpointDrift(ctx, id, l, service)
	if err != nil || change == nil {
		return err
	}
	_, err = n.clients.ec2.ModifyVpcEndpoint(ctx, change)
	return taken(err)
}

// errTaken is that a route table has a route to a service already: each has one at most.
var errTaken = errors.New("another VPC endpoint, which Slipway did not make, leads to S3 from route tables of private subnets: take these off it, or delete it, and apply again")

// taken says what to do where a route table leads to another endpoint (EC2, "RouteAlreadyExists").
func taken(err error) error {
	if coded(err, "RouteAlreadyExists") {
		return fmt.Errorf("%w (%w)", errTaken, err)
	}
	return err
}
