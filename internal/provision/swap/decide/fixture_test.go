package decide_test

import (
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

var (
	noon       = time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)
	production = target.EnvironmentID{Region: "eu", Name: "production"}
	oms        = target.SlotID{Environment: production, Name: "oms"}
)

// slot is a slot with two components, one of them a worker, a migration and a test suite.
func slot(release string) target.Slot {
	return target.Slot{
		Environment: production, Name: "oms",
		Definition: target.Definition{
			Release: release,
			Components: map[string]target.Component{
				"api": {
					Scaling: target.Scaling{Min: 1, Max: 3}, Routes: []target.Route{{PathPrefix: "/"}},
					HealthCheck: &target.HealthCheck{HealthyThreshold: 2},
				},
				"mailer": {Scaling: target.Scaling{Min: 1, Max: 1}},
			},
			Migrate:   &target.Task{TimeoutSeconds: 60},
			TestSuite: &target.Task{TimeoutSeconds: 60},
		},
		Policy: target.Policy{StartTimeoutSeconds: 60, MinimumHealthySeconds: 1, DrainSeconds: 5, FallbackWindowSeconds: 600},
	}
}
