// Terraform-provider-slipway is the Terraform provider of Slipway, and the agent of its
// local target.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	_ "time/tzdata" // schedules name time zones, and a machine may know none

	"github.com/hashicorp/terraform-plugin-framework/providerserver"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent"
	"github.com/slipway-platform/terraform-provider-slipway/provider"
)

//go:generate make generate

// version is set by the linker at release.
var version = "dev"

func main() {
	if len(os.Args) > 1 && os.Args[1] == "agent" {
		os.Exit(agent.Main(context.Background(), os.Args[2:], version, os.Stdout, os.Stderr))
	}
	debug := flag.Bool("debug", false, "wait for a debugger and print how Terraform can attach to it")
	flag.Parse()
	err := providerserver.Serve(context.Background(), provider.New(version), providerserver.ServeOpts{
		Address: "registry.terraform.io/slipway-platform/slipway",
		Debug:   *debug,
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}
