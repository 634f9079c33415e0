package provider

import (
	"os"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agentapi"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/targets"
)

// newDriver makes the driver of the target. It touches nothing.
func newDriver(s Settings) (target.Driver, error) {
	to := targets.Settings{
		Target: s.Target, Version: s.Version, DataDir: s.DataDir,
		Postgres: agentapi.Postgres{
			BinDir: s.PostgresBinDir, URL: s.PostgresURL, Password: s.PostgresPassword,
			Repository: os.Getenv("SLIPWAY_POSTGRES_REPOSITORY"),
		},
	}
	if s.AWS != nil {
		to.AWS = *s.AWS
	}
	return targets.Open(to)
}
