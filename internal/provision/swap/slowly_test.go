package swap

import (
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func TestASlowRemovalIsTold(t *testing.T) {
	t.Parallel()
	for took, told := range map[time.Duration]bool{time.Second: false, 10 * time.Second: true} {
		began := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
		w := &target.Swap{Steps: []target.Step{{Phase: target.PhaseAborting, At: began}, {Phase: target.PhaseFailed, At: began.Add(took)}}}
		if got := slowly(w); (got != "") != told {
			t.Errorf("after %s: got %q, want it told: %t", took, got, told)
		}
	}
}
