package operator

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agentapi"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/localtarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// Settings say where to look, by the names of the provider block.
type Settings struct {
	// Target is "local"; DataDir is absolute.
	Target, DataDir string
}

func (s *Settings) register(flags *flag.FlagSet) {
	flags.StringVar(&s.Target, "target", "", "where things are built (default: $SLIPWAY_TARGET, else local)")
	flags.StringVar(&s.DataDir, "data-dir", "", "data directory of the local target (default: $SLIPWAY_DATA_DIR, else the provider's own default)")
}

// resolve fills in what no flag gave.
func (s *Settings) resolve(getenv func(string) string) error {
	if s.Target == "" {
		s.Target = getenv("SLIPWAY_TARGET")
	}
	if s.Target == "" {
		s.Target = "local"
	}
	if s.Target != "local" {
		return fmt.Errorf("--target %q: expected \"local\", which is all that this version of the commands works on", s.Target)
	}
	if s.DataDir == "" {
		s.DataDir = getenv("SLIPWAY_DATA_DIR")
	}
	var err error
	if s.DataDir == "" {
		s.DataDir, err = agentapi.DefaultDataDir()
	} else {
		s.DataDir, err = filepath.Abs(s.DataDir)
	}
	return err
}

// Opener opens targets for this version of the program.
func Opener(version string) func(Settings) (target.Driver, error) {
	return func(s Settings) (target.Driver, error) {
		executable, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("find own executable, which the agent is started from: %w", err)
		}
		return localtarget.New(localtarget.Options{DataDir: s.DataDir, Executable: executable, Version: version}), nil
	}
}
