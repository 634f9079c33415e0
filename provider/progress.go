package provider

import "github.com/slipway-platform/terraform-provider-slipway/internal/provision"

// telling is the provisioner of a call that tells how a swap goes on, phase by phase.
func (c *client) telling(tell func(message string)) *provision.Provisioner {
	return provision.New(provision.Follow(c.driver, tell), c.settings.Owner, provision.Options{Clock: c.clock})
}
