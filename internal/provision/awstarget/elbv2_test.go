package awstarget

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func TestALoadBalancerIsWaitedForWhileItMayAnswer(t *testing.T) {
	t.Parallel()
	const reason = "made by the test"
	for _, c := range []struct {
		state         types.LoadBalancerStateEnum
		answers, ends bool // it answers, and it never will
		told          bool
	}{
		{types.LoadBalancerStateEnumActive, true, false, false},
		{types.LoadBalancerStateEnumActiveImpaired, true, false, true},
		{types.LoadBalancerStateEnumProvisioning, false, false, false},
		{types.LoadBalancerStateEnumFailed, false, true, true},
	} {
		b := types.LoadBalancer{LoadBalancerName: aws.String("front"), State: &types.LoadBalancerState{Code: c.state, Reason: aws.String(reason)}}
		_, answers, err := answering(&b)
		if answers != c.answers || (err != nil) != c.ends {
			t.Errorf("%s: answers %t, error %v", c.state, answers, err)
		}
		if told := strings.Contains(ailment(&b), reason); told != c.told {
			t.Errorf("%s: told %t: %s", c.state, told, ailment(&b))
		}
	}
}

// What looks for a load balancer, and for its tags, may not see the one that was just made.
func TestANewLoadBalancerIsWaitedFor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		unseen int // how often it is not seen
		state  types.LoadBalancerStateEnum
		fails  bool
	}{
		{"seen soon", 5, types.LoadBalancerStateEnumActive, false},
		{"never seen", 1 << 30, types.LoadBalancerStateEnumActive, true},
		{"impaired", 0, types.LoadBalancerStateEnumActiveImpaired, false},
		{"failed", 0, types.LoadBalancerStateEnumFailed, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			made, set := 0, 0
			b := types.LoadBalancer{LoadBalancerArn: aws.String("arn"), State: &types.LoadBalancerState{Code: c.state}, SecurityGroups: []string{"sg-1"}}
			var tags []types.Tag
			n := scripted(t, func(in any) (any, error) {
				switch in := in.(type) {
				case *elb.CreateLoadBalancerInput:
					made, tags = made+1, in.Tags
					return &elb.CreateLoadBalancerOutput{LoadBalancers: []types.LoadBalancer{b}}, nil
				case *elb.DescribeLoadBalancersInput, *elb.DescribeTagsInput:
					if made > 0 {
						c.unseen--
					}
					if made == 0 || c.unseen >= 0 {
						return nil, refused(errNoBalancer)
					}
					if _, ok := in.(*elb.DescribeTagsInput); ok {
						return &elb.DescribeTagsOutput{TagDescriptions: []types.TagDescription{{ResourceArn: b.LoadBalancerArn, Tags: tags}}}, nil
					}
					return &elb.DescribeLoadBalancersOutput{LoadBalancers: []types.LoadBalancer{b}}, nil
				case *elb.DescribeLoadBalancerAttributesInput:
					return new(elb.DescribeLoadBalancerAttributesOutput), nil
				case *elb.ModifyLoadBalancerAttributesInput:
					set++
					return new(elb.ModifyLoadBalancerAttributesOutput), nil
				}
				return nil, fmt.Errorf("%T is not expected", in)
			})
			n.facts = map[string]string{markBalancerGroup: "sg-1"}
			began := n.target.now()
			err := n.putBalancer(t.Context(), partBalancer, target.Environment{}, layout{})
			if (err != nil) != c.fails || isAbsent(err) != (c.unseen > 0) || made != 1 || !c.fails && set != 1 {
				t.Errorf("got error %v; made %d, set %d", err, made, set)
			}
			if waited := n.target.now().Sub(began); waited > appearLag+time.Minute {
				t.Errorf("waited for %s", waited)
			}
			drift, err := n.checkBalancer(t.Context(), target.Environment{}, layout{})
			if told := strings.Contains(strings.Join(drift, "; "), "AWS gives no reason"); c.unseen < 0 && (err != nil || told != (c.state != types.LoadBalancerStateEnumActive)) {
				t.Errorf("a check tells of %q, error %v", drift, err)
			}
		})
	}
}
