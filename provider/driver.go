package provider

import (
	"fmt"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func localDriver(s Settings) (target.Driver, error) {
	return nil, fmt.Errorf("target %q is not built in", s.Target)
}
