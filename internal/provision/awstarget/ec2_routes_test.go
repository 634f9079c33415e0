package awstarget

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
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
			err := n.routeTable(path{layout{}, subnetPublic, 0, 2}).settle(t.Context(), "rtb-1")
			if (err != nil) != c.fails || !c.fails && len(associated) != 2 || coded(err, errNoRoutes) != c.fails {
				t.Errorf("got error %v, associated %v", err, associated)
			}
			if waited := n.target.now().Sub(began).Minutes(); waited > 3 {
				t.Errorf("waited for %.1f minutes", waited)
			}
		})
	}
}
