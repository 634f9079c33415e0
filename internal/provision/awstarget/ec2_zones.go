package awstarget

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// fargateZones are the ids of the availability zones in which Fargate runs, for AWS regions where it does not run in
// all of them ("Supported Regions for Amazon ECS on AWS Fargate"). AWS has no call that tells it.
var fargateZones = map[string][]string{
	"ap-northeast-1": {"apne1-az1", "apne1-az2", "apne1-az4"},
	"cn-north-1":     {"cnn1-az1", "cnn1-az2"},
	"us-west-1":      {"usw1-az1", "usw1-az3"},
}

const factZones = "zones"

// zones are the availability zones that the environment was first built in. They are saved:
// AWS may list others later.
func (n *noun) zones(ctx context.Context) ([]string, error) {
	if saved := n.savedZones(); len(saved) > 0 {
		return saved, nil
	}
	ids, err := findZones(ctx, n.clients)
	if err != nil {
		return nil, err
	}
	return ids, n.save(ctx, factZones, strings.Join(ids, ","))
}

// savedZones are those zones, none before the first subnet was made.
func (n *noun) savedZones() []string { return n.factList(factZones) }

// findZones lists the ids of the availability zones in which stacks can run, in order.
func findZones(ctx context.Context, c *clients) ([]string, error) {
	state, kind := "state", "zone-type"
	out, err := c.ec2.DescribeAvailabilityZones(ctx, &ec2.DescribeAvailabilityZonesInput{Filters: []types.Filter{
		{Name: &state, Values: []string{available}}, {Name: &kind, Values: []string{"availability-zone"}},
	}})
	if err != nil {
		return nil, failed(err, "list availability zones")
	}
	var ids []string
	for _, z := range out.AvailabilityZones {
		ids = append(ids, text(z.ZoneId))
	}
	return runnable(c.region, ids), nil
}

// runnable are those of some zones of an AWS region in which Fargate runs, in order.
func runnable(region string, ids []string) []string {
	runs, some := fargateZones[region]
	ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return some && !slices.Contains(runs, id) })
	slices.Sort(ids)
	return ids
}

// zones must be as many as a network that is made spans. One that stands keeps those that it has.
func (s site) zones(ctx context.Context) (target.Faults, error) {
	wanted := s.settings.Zones
	if s.settings.VPC != nil || s.stands != nil && len(s.stands.savedZones()) >= wanted {
		return nil, nil
	}
	has, err := findZones(ctx, s.clients)
	if err != nil || len(has) >= wanted {
		return nil, err
	}
	way := "choose another location for the region"
	if len(has) >= 2 {
		way = fmt.Sprintf("set zones = %d, or %s", len(has), way)
	}
	return fault("aws.zones", "AWS account %s has %d availability zones in location %q in which Fargate runs, %q, and the network would span %d: %s",
		s.clients.account, len(has), s.clients.region, has, wanted, way), nil
}
