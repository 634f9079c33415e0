package awstarget_test

import (
	"context"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/smithy-go/middleware"
)

// ailing shows NAT gateways to a client as AWS shows those that have failed, and VPC endpoints as those that were
// rejected or are being deleted; it is where load balancers do not know the newest policy.
type ailing struct {
	mu sync.Mutex
	// next says that the NAT gateway fails that is made next.
	next bool
	// failed are the ids of what failed; ending how often something is still seen that is deleted.
	failed map[string]bool
	ending map[string]int
}

const (
	newPolicy, oldPolicy = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09", "ELBSecurityPolicy-TLS13-1-2-2021-06"

	cause  = "Resource.AlreadyAssociated"
	reason = "made by the test"
)

func (a *ailing) show(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("ShowAiling", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
		if l, ok := in.Parameters.(*elb.CreateListenerInput); ok && aws.ToString(l.SslPolicy) == newPolicy {
			return middleware.InitializeOutput{}, middleware.Metadata{}, &elbtypes.SSLPolicyNotFoundException{}
		}
		out, metadata, err := next.HandleInitialize(ctx, in)
		a.mu.Lock()
		defer a.mu.Unlock()
		switch seen := out.Result.(type) {
		case *ec2.CreateNatGatewayOutput:
			if seen != nil && a.next {
				a.next, a.failed[aws.ToString(seen.NatGateway.NatGatewayId)] = false, true
			}
		case *ec2.DescribeNatGatewaysOutput:
			for i := range seen.NatGateways {
				g := &seen.NatGateways[i]
				if id := aws.ToString(g.NatGatewayId); a.failed[id] {
					g.State, g.FailureCode, g.FailureMessage = types.NatGatewayStateFailed, aws.String(cause), aws.String(reason)
				}
			}
		case *ec2.DescribeVpcEndpointsOutput:
			for i := range seen.VpcEndpoints {
				e := &seen.VpcEndpoints[i]
				if id := aws.ToString(e.VpcEndpointId); a.failed[id] {
					e.State, e.LastError = types.StateRejected, &types.LastError{Code: aws.String(cause), Message: aws.String(reason)}
				} else if a.ending[id] > 0 {
					a.ending[id]--
					e.State = types.StateDeleting
				}
			}
		}
		return out, metadata, err
	}), middleware.Before)
}

// fails lets something have failed.
func (a *ailing) fails(id *string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.failed[aws.ToString(id)] = true
}

// lingers lets an endpoint be seen for a while that is deleted.
func (a *ailing) lingers(id *string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ending[aws.ToString(id)] = 3
}

// tells says whether people are told why AWS could not make something.
func (a *ailing) tells(text string) bool {
	return strings.Contains(text, cause) && strings.Contains(text, reason)
}

// gateway is the id of the NAT gateway of a zone.
func (s *spoiler) gateway(part string) *string {
	out, err := s.ec2().DescribeNatGateways(s.ctx, &ec2.DescribeNatGatewaysInput{Filter: append(filter("tag:slipway:part", part), filter("state", "available")...)})
	s.do(out, err)
	return out.NatGateways[0].NatGatewayId
}

// free lets go of addresses, as AWS does when a NAT gateway fails.
func (s *spoiler) free() {
	all, err := s.ec2().DescribeAddresses(s.ctx, nil)
	s.do(all, err)
	for _, of := range all.Addresses {
		if of.AssociationId != nil {
			s.do(s.ec2().DisassociateAddress(s.ctx, &ec2.DisassociateAddressInput{AssociationId: of.AssociationId}))
		}
	}
}
