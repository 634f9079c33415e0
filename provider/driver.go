package provider

import (
	"fmt"
	"os"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agentapi"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/localtarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// newDriver makes the driver of the target. It touches nothing.
func newDriver(s Settings) (target.Driver, error) {
	if s.Target == targetAWS {
		aws := *s.AWS
		aws.Version = s.Version
		return awstarget.New(aws, awstarget.Options{}), nil
	}
	return localDriver(s)
}

// localDriver makes the driver of the local target. It touches nothing.
func localDriver(s Settings) (target.Driver, error) {
	dir := s.DataDir
	if dir == "" {
		var err error
		if dir, err = agentapi.DefaultDataDir(); err != nil {
			return nil, err
		}
	}
	executable, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find own executable, which the agent is started from: %w", err)
	}
	return localtarget.New(localtarget.Options{
		DataDir: dir, Executable: executable, Version: s.Version,
		Postgres: agentapi.Postgres{
			BinDir: s.PostgresBinDir, URL: s.PostgresURL, Password: s.PostgresPassword,
			Repository: os.Getenv("SLIPWAY_POSTGRES_REPOSITORY"),
		},
	}), nil
}
