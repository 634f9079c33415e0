package awstarget

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
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
