package awstarget

import (
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// A route table that was seen once may not be known by what is asked next.
func TestANewRouteTableIsWaitedFor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		unknown int // how often EC2 does not know the table
		fails   bool
	}{{"known soon", 3, false}, {"never known", 1 << 30, true}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			associated := map[string]bool{}
			n := scripted(t, func(in any) (any, error) {
				switch in := in.(type) {
				case *ec2.DescribeRouteTablesInput:
					return new(ec2.DescribeRouteTablesOutput), nil
				case *ec2.CreateRouteInput:
					if c.unknown--; c.unknown >= 0 {
						return nil, refused(errNoRoutes)
					}
					return new(ec2.CreateRouteOutput), nil
				case *ec2.AssociateRouteTableInput:
					associated[text(in.SubnetId)] = true
					return new(ec2.AssociateRouteTableOutput), nil
				}
				return nil, fmt.Errorf("%T is not expected", in)
			})
			n.facts = map[string]string{markSubnet(subnetPublic, 0): "subnet-1", markSubnet(subnetPublic, 1): "subnet-2", markGateway: "igw-1"}
			began := n.target.now()
			err := n.settleThing(t.Context(), n.routeTable(path{layout{}, subnetPublic, 0, 2}), "rtb-1")
			if (err != nil) != c.fails || !c.fails && len(associated) != 2 || coded(err, errNoRoutes) != c.fails {
				t.Errorf("got error %v, associated %v", err, associated)
			}
			if waited := n.target.now().Sub(began).Minutes(); waited > 3 {
				t.Errorf("waited for %.1f minutes", waited)
			}
		})
	}
}

// What needs a new subnet may not know it, and a new address that was seen once may not be seen again.
func TestWhatIsNeededMayNotBeKnownYet(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		unknown int // how often
		fails   bool
	}{{"known soon", 3, false}, {"never known", 1 << 30, true}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			made := 0
			left := map[string]int{"subnet": c.unknown, "address": c.unknown}
			known := func(what string) bool {
				left[what]--
				return left[what] < 0
			}
			n := scripted(t, func(in any) (any, error) {
				switch in.(type) {
				case *ec2.CreateNatGatewayInput:
					if !known("subnet") {
						return nil, refused("InvalidSubnetID.NotFound")
					}
					made++
					return &ec2.CreateNatGatewayOutput{NatGateway: &types.NatGateway{NatGatewayId: aws.String("nat-1")}}, nil
				case *ec2.DescribeNatGatewaysInput:
					if made == 0 {
						return new(ec2.DescribeNatGatewaysOutput), nil
					}
					return &ec2.DescribeNatGatewaysOutput{NatGateways: []types.NatGateway{{NatGatewayId: aws.String("nat-1"), State: available}}}, nil
				case *ec2.DescribeAddressesInput:
					if !known("address") {
						return new(ec2.DescribeAddressesOutput), nil
					}
					return &ec2.DescribeAddressesOutput{Addresses: []types.Address{{AllocationId: aws.String("eipalloc-1"), PublicIp: aws.String("192.0.2.1")}}}, nil
				}
				return nil, fmt.Errorf("%T is not expected", in)
			})
			want := map[bool]int{false: 1}[c.fails]
			if err := n.putThing(t.Context(), n.natGateway(0)); (err != nil) != c.fails || made != want {
				t.Errorf("got error %v, made %d gateways", err, made)
			}
			if err := n.settleThing(t.Context(), n.address(0), "eipalloc-1"); (err != nil) != c.fails || (n.fact(factAddress(0)) == "") != c.fails {
				t.Errorf("got error %v, saved %v", err, n.facts)
			}
		})
	}
}

// Where NAT gateways go, stacks reach AWS's services through them until there are endpoints.
func TestTheWayOutsideStaysUntilThereAreEndpoints(t *testing.T) {
	t.Parallel()
	l, closed := layout{zones: 1, endpoints: true}, 0
	n := scripted(t, func(in any) (any, error) {
		switch in := in.(type) {
		case *ec2.DescribeRouteTablesInput:
			var out ec2.DescribeRouteTablesOutput
			for _, kind := range subnetKinds {
				table := types.RouteTable{RouteTableId: aws.String("rtb-" + kind), Associations: []types.RouteTableAssociation{{SubnetId: aws.String("subnet-" + kind)}}}
				switch kind {
				case subnetPublic:
					table.Routes = []types.Route{{DestinationCidrBlock: aws.String(everywhere), GatewayId: aws.String("igw-1"), State: types.RouteStateActive}}
				case subnetPrivate:
					table.Routes = []types.Route{{DestinationCidrBlock: aws.String(everywhere), NatGatewayId: aws.String("nat-1"), State: types.RouteStateActive}}
				}
				out.RouteTables = append(out.RouteTables, table)
			}
			return &out, nil
		case *ec2.DeleteRouteInput:
			if closed++; text(in.RouteTableId) != "rtb-"+subnetPrivate {
				t.Errorf("the way outside of %s is closed", text(in.RouteTableId))
			}
			return nil, refused("InvalidRoute.NotFound") // by the call whose answer was lost
		}
		return nil, fmt.Errorf("%T is not expected", in)
	})
	n.facts[markGateway] = "igw-1"
	for _, kind := range subnetKinds {
		n.facts[markSubnet(kind, 0)], n.facts[markRoutes(kind, 0)] = "subnet-"+kind, "rtb-"+kind
	}
	for _, table := range n.routes(l) {
		if err := n.settleThing(t.Context(), table, n.fact(table.mark)); err != nil || closed > 0 {
			t.Fatalf("%s: got error %v, and %d ways outside are closed", table.mark, err, closed)
		}
	}
	retired := n.retiredPart(target.Environment{}, l)
	if err := retired.put(t.Context()); err != nil || closed != 1 || !slices.Contains(retired.needs, partEndpoints) {
		t.Errorf("got error %v, and %d ways outside are closed after %q", err, closed, retired.needs)
	}
}
