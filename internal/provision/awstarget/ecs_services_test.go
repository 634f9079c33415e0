package awstarget

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// A service that was just made may not be known to what changes it.
func TestANewServiceIsWaitedFor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, code string
		refusals   int
		fails      bool
	}{
		{"known soon", errNoService, 3, false},
		{"one of its name is still known", errServiceEnds, 3, false},
		{"never known", errNoService, 1 << 30, true},
		{"a wrong number", lagOfNeeds.code, 1, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			changed := 0
			n := scripted(t, func(in any) (any, error) {
				if _, ok := in.(*ecs.UpdateServiceInput); !ok {
					return nil, fmt.Errorf("%T is not expected", in)
				}
				if c.refusals--; c.refusals >= 0 {
					return nil, refused(c.code)
				}
				changed++
				return new(ecs.UpdateServiceOutput), nil
			})
			began := n.target.now()
			err := (&slotWork{noun: n, lease: target.Lease{Token: heldToken}}).countService(t.Context(), "web", 2)
			if coded(err, c.code) != c.fails || (err != nil) != c.fails || !c.fails && changed != 1 {
				t.Errorf("got error %v, changed %d times", err, changed)
			}
			if waited := n.target.now().Sub(began); waited > 3*time.Minute {
				t.Errorf("waited for %s", waited)
			}
		})
	}
}
