package awstarget

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// A certificate that ACM has just issued may not be known to Elastic Load Balancing.
func TestANewCertificateIsWaitedFor(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"CertificateNotFound", "UnsupportedCertificate"} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			refusals, made := 2, 0
			n := scripted(t, func(in any) (any, error) {
				switch in := in.(type) {
				case *elb.DescribeLoadBalancersInput:
					return &elb.DescribeLoadBalancersOutput{LoadBalancers: []types.LoadBalancer{{LoadBalancerArn: aws.String("arn")}}}, nil
				case *elb.DescribeListenersInput:
					return new(elb.DescribeListenersOutput), nil
				case *elb.CreateListenerInput:
					if refusals--; len(in.Certificates) > 0 && refusals >= 0 {
						return nil, refused(code)
					}
					made++
					return new(elb.CreateListenerOutput), nil
				}
				return nil, fmt.Errorf("%T is not expected", in)
			})
			n.facts = map[string]string{factCertificate: "arn"}
			e := target.Environment{Network: target.Network{HTTPSPort: 443, PreviewPort: 8443}}
			if err := n.putListeners(t.Context(), partListeners, e); err != nil || made != len(listeners(e)) {
				t.Errorf("got error %v, %d listeners", err, made)
			}
		})
	}
}
