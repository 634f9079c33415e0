//go:build linux

package acceptance

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget/awstest"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/provider"
)

// serveHasty is the provider for the emulator, where things are made sooner than on AWS.
func serveHasty() int {
	open := func(s provider.Settings) (target.Driver, error) {
		return awstarget.New(*s.AWS, awstarget.Options{Pace: 250 * time.Millisecond, ScheduleLead: time.Second, MeterPeriod: awstest.MeterPeriod}), nil
	}
	err := providerserver.Serve(context.Background(), provider.New("test", provider.WithDriver(open)), providerserver.ServeOpts{
		Address: "registry.terraform.io/slipway-platform/slipway",
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		return 1
	}
	return 0
}
