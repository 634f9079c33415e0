package awstarget

import (
	"errors"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// A route table has one route to S3: where somebody else's endpoint has it, the error says what to do.
func TestAnEndpointOfSomebodyElseIsToldOf(t *testing.T) {
	t.Parallel()
	n := scripted(t, func(in any) (any, error) {
		switch in := in.(type) {
		case *ec2.CreateVpcEndpointInput, *ec2.ModifyVpcEndpointInput:
			return nil, refused("RouteAlreadyExists")
		case *ec2.DescribeVpcEndpointsInput:
			id := "vpce-1"
			return &ec2.DescribeVpcEndpointsOutput{VpcEndpoints: []types.VpcEndpoint{{VpcEndpointId: &id}}}, nil
		default:
			return nil, fmt.Errorf("%T is not expected", in)
		}
	})
	n.facts[markRoutes(subnetPrivate, 0)] = "rtb-1"
	own := n.endpoint(layout{zones: 1, gateways: 1}, gatewayService)
	if _, err := own.create(t.Context(), nil, ""); !errors.Is(err, errTaken) {
		t.Errorf("a new one: %v", err)
	}
	if err := own.settle(t.Context(), "vpce-1"); !errors.Is(err, errTaken) {
		t.Errorf("one that is there: %v", err)
	}
}
