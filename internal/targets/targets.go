// Package targets makes the driver of the target that settings name: for the provider, and for
// the commands of operators.
package targets

import (
	"fmt"
	"os"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agentapi"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/localtarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// Targets that settings can name.
const (
	Local = "local"
	AWS   = "aws"
)

// Settings say where things are built and how it is reached.
type Settings struct {
	// Target is [Local] or [AWS]; "" means [Local].
	Target string
	// Version is that of this program.
	Version string
	// DataDir and Postgres are of the local target. DataDir is absolute, or empty for the
	// target's own default.
	DataDir  string
	Postgres agentapi.Postgres
	// Attach says that the local target's agent is used if it runs, and not started.
	Attach bool
	// AWS is how the aws target reaches AWS.
	AWS awstarget.Settings
}

// Check refuses a target that there is not.
func (s Settings) Check() error {
	switch s.Target {
	case "", Local, AWS:
		return nil
	}
	return fmt.Errorf(`%q is not a target: expected %q or %q`, s.Target, Local, AWS)
}

// Open makes the driver. It touches nothing.
func Open(s Settings) (target.Driver, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	if s.Target == AWS {
		s.AWS.Version = s.Version
		return awstarget.New(s.AWS, awstarget.Options{}), nil
	}
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
	return localtarget.New(localtarget.Options{DataDir: dir, Executable: executable, Version: s.Version, Attach: s.Attach, Postgres: s.Postgres}), nil
}
