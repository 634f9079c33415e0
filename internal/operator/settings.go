package operator

import (
	"errors"
	"flag"
	"fmt"
	"path/filepath"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/targets"
)

// settings say where to look, by the names of the provider block.
type settings struct {
	targets.Settings
	// awsGiven is a flag of the aws target that was given.
	awsGiven string
}

func (s *settings) register(flags *flag.FlagSet) {
	flags.StringVar(&s.Target, "target", "", "where things are built: local or aws (default: $SLIPWAY_TARGET, else local)")
	flags.StringVar(&s.DataDir, "data-dir", "", "data directory of the local target (default: $SLIPWAY_DATA_DIR, else the provider's own default)")
}

// resolve fills in what no flag gave, and refuses what can't be.
func (s *settings) resolve(getenv func(string) string) error {
	if s.Target == "" {
		s.Target = getenv("SLIPWAY_TARGET")
	}
	if err := s.Check(); err != nil {
		return fmt.Errorf("--target: %w", err)
	}
	if s.Target == targets.AWS {
		return s.resolveAWS(getenv)
	}
	if s.awsGiven != "" {
		return fmt.Errorf("--%s is of the aws target: give --target aws too, or set SLIPWAY_TARGET", s.awsGiven)
	}
	if s.DataDir == "" {
		s.DataDir = getenv("SLIPWAY_DATA_DIR")
	}
	if s.DataDir == "" {
		return nil
	}
	var err error
	s.DataDir, err = filepath.Abs(s.DataDir)
	return err
}

func (s *settings) resolveAWS(getenv func(string) string) error {
	if s.DataDir != "" {
		return errors.New("--data-dir is of the local target: the aws target keeps everything in AWS")
	}
	s.AWS.KeepDefaultTags = true // they are the provider's matter, and no command changes them
	if s.AWS.DatabaseCABundle == "" {
		s.AWS.DatabaseCABundle = getenv("SLIPWAY_DATABASE_CA_BUNDLE")
	}
	var errs []error
	for _, f := range append(s.AWS.Validate(), s.AWS.ValidateFiles()...) {
		errs = append(errs, fmt.Errorf("--%s: %s", flagAt(f.Path), f.Message))
	}
	return errors.Join(errs...)
}

// Opener opens targets for this version of the program.
func Opener(version string) func(targets.Settings) (target.Driver, error) {
	return func(s targets.Settings) (target.Driver, error) {
		s.Version = version
		return targets.Open(s)
	}
}
