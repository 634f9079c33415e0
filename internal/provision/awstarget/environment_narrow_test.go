package awstarget

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// A subnet without room for the load balancer is refused, and one that AWS only calls too small is warned of.
func TestSubnetsHaveRoomForTheLoadBalancer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		block         string
		free          *int32
		told, refused bool
	}{
		{"10.0.0.0/24", aws.Int32(8), false, false},
		{"10.0.0.0/24", nil, false, false},
		{"10.0.0.0/24", aws.Int32(7), true, true},
		{"10.0.0.0/28", aws.Int32(8), true, false},
		{"10.0.0.0/28", aws.Int32(7), true, true},
	} {
		faults := site{}.narrow("subnets", []types.Subnet{{
			SubnetId: aws.String("subnet-1"), AvailabilityZone: aws.String("a"), CidrBlock: &c.block, AvailableIpAddressCount: c.free,
		}})
		if told, refused := len(faults) > 0, faults.Err() != nil; told != c.told || refused != c.refused {
			t.Errorf("%s with %d free addresses: %v", c.block, aws.ToInt32(c.free), faults)
		}
	}
}
