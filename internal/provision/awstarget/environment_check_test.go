package awstarget_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// TestWhatAWSWouldRefuseOfANetworkIsRefusedAtPlan: the apply would fail with what can be known before it.
func TestWhatAWSWouldRefuseOfANetworkIsRefusedAtPlan(t *testing.T) {
	t.Parallel()
	ctx, l := t.Context(), newLab(t)
	d := l.client(t)
	west := eu
	west.Location = "us-west-1"
	given := l.network(t)
	client := ec2.NewFromConfig(l.config(home))
	for i := range 3 {
		s, err := client.CreateSubnet(ctx, &ec2.CreateSubnetInput{
			VpcId: &given.ID, CidrBlock: aws.String(fmt.Sprintf("172.20.%d.0/24", 100+i)), AvailabilityZone: aws.String(home + []string{"a", "a", "b"}[i]),
		})
		if err != nil {
			t.Fatal(err)
		}
		given.PublicSubnets = append(given.PublicSubnets, aws.ToString(s.Subnet.SubnetId))
	}
	small, err := client.CreateSubnet(ctx, &ec2.CreateSubnetInput{VpcId: &given.ID, CidrBlock: aws.String("172.20.110.0/28"), AvailabilityZone: aws.String(home + "b")})
	if err != nil {
		t.Fatal(err)
	}
	within := func(change func(*target.AWS)) func(*target.AWS) {
		return func(a *target.AWS) {
			vpc := *given
			a.NAT, a.Zones, a.VPC = "", 0, &vpc
			change(a)
		}
	}
	blocks := func(n int) []string {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf("203.0.113.%d/32", i))
		}
		return all
	}
	for _, c := range []struct {
		name   string
		in     target.Region
		change func(*target.AWS)
		want   []string
	}{
		{"as many zones as there are", west, func(a *target.AWS) { a.Zones = 2 }, nil},
		{"more zones than there are", west, func(a *target.AWS) { a.Zones = 3 }, []string{"aws.zones"}},
		{"two public subnets in one zone", eu, within(func(*target.AWS) {}), []string{"aws.vpc.public_subnet_ids"}},
		{"a public subnet in each zone", eu, within(func(a *target.AWS) { a.VPC.PublicSubnets = a.VPC.PublicSubnets[1:] }), nil},
		{"two private subnets in one zone for an internal load balancer", eu, within(func(a *target.AWS) { a.Internal = true }), nil},
		{"a public subnet that is too small", eu, within(func(a *target.AWS) {
			a.VPC.PublicSubnets = []string{a.VPC.PublicSubnets[0], aws.ToString(small.Subnet.SubnetId)}
		}), []string{"doubtful: aws.vpc.public_subnet_ids"}},
		{"a small private one that is not the load balancer's", eu, within(func(a *target.AWS) {
			a.VPC.PublicSubnets, a.VPC.PrivateSubnets = a.VPC.PublicSubnets[1:], append(slices.Clone(a.VPC.PrivateSubnets), aws.ToString(small.Subnet.SubnetId))
		}), nil},
		{"a subnet that is not there", eu, within(func(a *target.AWS) { a.VPC.PublicSubnets = []string{"subnet-00000001", a.VPC.PublicSubnets[2]} }), []string{"aws.vpc.public_subnet_ids"}},
		// Of 60 rules the VPC and the only NAT gateway have two for each port.
		{"as many blocks as there is room for", eu, func(a *target.AWS) { a.CIDRs, a.PreviewCIDRs = blocks(25), blocks(4) }, nil},
		{"a block more for the front door", eu, func(a *target.AWS) { a.CIDRs, a.PreviewCIDRs = blocks(26), blocks(4) }, []string{"doubtful: aws.cidr_blocks"}},
		{"a block more for the preview", eu, func(a *target.AWS) { a.PreviewCIDRs = blocks(57) }, []string{"doubtful: aws.preview_cidr_blocks"}},
		{"more blocks for a given VPC", eu, within(func(a *target.AWS) { a.Internal, a.CIDRs = true, blocks(29) }), []string{"doubtful: aws.cidr_blocks"}},
		{"more blocks for the databases", eu, within(func(a *target.AWS) {
			a.Internal, a.Database.Access, a.Database.CIDRs = true, target.AccessDirect, blocks(60)
		}), []string{"doubtful: aws.database.cidr_blocks"}},
	} {
		e := environment(t, eu.Name, "production")
		c.change(e.AWS)
		faults, err := d.CheckEnvironment(ctx, e, c.in)
		var got []string
		for _, f := range faults {
			if f.Doubtful {
				got = append(got, "doubtful: "+f.Path)
			} else if f.Path != "domain_name" { // there is no zone
				got = append(got, f.Path)
			}
		}
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: got faults of %q, want of %q: %v (%v)", c.name, got, c.want, faults, err)
		}
	}
}
