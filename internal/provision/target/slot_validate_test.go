package target_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func TestAMissingHealthCheckIsToldOfOnce(t *testing.T) {
	t.Parallel()
	routed := []target.Route{{PathPrefix: "/"}}
	for _, c := range []struct {
		name       string
		components map[string]target.Component
		want       []string // the attributes at fault
	}{
		{"workers only", map[string]target.Component{"worker": {}}, []string{"components"}},
		{"what takes requests", map[string]target.Component{"api": {Routes: routed}, "worker": {}}, []string{"components.api.health_check"}},
		{"a worker with one", map[string]target.Component{"worker": {HealthCheck: &target.HealthCheck{}}}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, f := range (target.Slot{Definition: target.Definition{Components: c.components}}).Validate() {
				if strings.HasSuffix(f.Path, "health_check") || f.Path == "components" {
					got = append(got, f.Path)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
}
