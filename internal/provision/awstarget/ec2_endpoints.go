package awstarget

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// endpointServices are what stacks need of AWS where they reach nothing else: images, whose
// layers are in S3, logs, and secrets with their key.
var endpointServices = []string{"ecr.api", "ecr.dkr", "kms", "logs", "s3", "secretsmanager"}

func markEndpoint(service string) string { return "endpoint-" + service }

// endpoints are the ways from private subnets to AWS's services where there is no other way out.
func (n *noun) endpoints(l layout) []thing {
	if !l.endpoints {
		return nil
	}
	var all []thing
	for _, service := range endpointServices {
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
				if state := strings.ToLower(string(e.State)); state != "deleted" && state != "failed" {
					all = append(all, found{text(e.VpcEndpointId), state, ec2Tags(e.Tags)})
				}
			}
			return all, nil
		},
		create: func(ctx context.Context, tags []types.TagSpecification, token string) (string, error) {
			in := &ec2.CreateVpcEndpointInput{
				ServiceName: aws.String("com.amazonaws." + n.clients.region + "." + service), VpcId: aws.String(n.fact(markVPC)),
				TagSpecifications: tags, ClientToken: &token,
			}
			if service == "s3" { // through the route tables, which costs nothing
				in.VpcEndpointType = types.VpcEndpointTypeGateway
				for zone := range l.zones {
					in.RouteTableIds = append(in.RouteTableIds, n.fact(markRoutes(subnetPrivate, zone)))
				}
			} else {
				in.VpcEndpointType, in.PrivateDnsEnabled = types.VpcEndpointTypeInterface, aws.Bool(true)
				in.SubnetIds, in.SecurityGroupIds = n.subnetIDs(l, subnetPrivate), []string{n.fact(markEndpointGroup)}
			}
			out, err := c.CreateVpcEndpoint(ctx, in, onlyOnce)
			if err != nil {
				return "", err
			}
			return text(out.VpcEndpoint.VpcEndpointId), nil
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
