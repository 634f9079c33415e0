package awstarget

import (
	"errors"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func TestANameThatLeadsSomewhereIsRefused(t *testing.T) {
	t.Parallel()
	for kind, refuses := range map[types.RRType]bool{types.RRTypeA: true, types.RRTypeAaaa: true, types.RRTypeCname: true, types.RRTypeTxt: false} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			calls := 0
			n := scripted(t, func(any) (any, error) {
				calls++
				return &route53.ListResourceRecordSetsOutput{ResourceRecordSets: []types.ResourceRecordSet{{Name: aws.String(`\052.example.com.`), Type: kind}}}, nil
			})
			if err := unclaimed(t.Context(), n.clients, "Z1", "*.example.com"); errors.Is(err, target.ErrForeign) != refuses || !refuses && err != nil {
				t.Errorf("got error %v", err)
			}
			if err := unclaimed(t.Context(), n.clients, "Z1", "example.com"); err != nil || calls != 2 {
				t.Errorf("another name: got error %v, %d calls", err, calls)
			}
			// At plan it is doubted, with one call, until the environment has begun with it.
			s := site{clients: n.clients, of: target.Environment{DomainName: "example.com"}}
			faults, err := s.names(t.Context(), "Z1")
			if err != nil || calls != 3 || (len(faults) == 1) != refuses || refuses && (!faults[0].Doubtful || faults[0].Path != "domain_name") {
				t.Errorf("at plan: %v, %v, after %d calls", faults, err, calls)
			}
			s.stands = &noun{facts: map[string]string{factNames: "example.com@Z1"}}
			if faults, err := s.names(t.Context(), "Z1"); err != nil || calls != 3 || len(faults) > 0 {
				t.Errorf("of its own name at plan: %v, %v, after %d calls", faults, err, calls)
			}
		})
	}
}

// What is sent again after a lost answer is refused: that is no error where the record is gone.
func TestARecordIsRemovedOnce(t *testing.T) {
	t.Parallel()
	for _, there := range []bool{false, true} {
		t.Run(fmt.Sprintf("still there: %t", there), func(t *testing.T) {
			t.Parallel()
			sent := false
			n := scripted(t, func(in any) (any, error) {
				if _, ok := in.(*route53.ListResourceRecordSetsInput); !ok {
					sent = true
					return nil, refused("InvalidChangeBatch")
				}
				out := new(route53.ListResourceRecordSetsOutput)
				if there || !sent {
					out.ResourceRecordSets = []types.ResourceRecordSet{{Name: aws.String("example.com."), Type: types.RRTypeA}}
				}
				return out, nil
			})
			if err := n.removeRecord(t.Context(), "Z1", "example.com", "A"); (err != nil) != there {
				t.Errorf("got error %v", err)
			}
		})
	}
}
