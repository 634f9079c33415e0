// Terraform-provider-slipway is the Terraform provider of Slipway, the agent of its
// local target, and the commands of its operators.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // schedules name time zones, and a machine may know none

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"golang.org/x/term"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent"
	"github.com/slipway-platform/terraform-provider-slipway/internal/operator"
	"github.com/slipway-platform/terraform-provider-slipway/provider"
)

//go:generate make generate

// version is set by the linker at release.
var version = "dev"

func main() {
	if len(os.Args) > 1 {
		switch name := os.Args[1]; {
		case name == "agent":
			os.Exit(agent.Main(context.Background(), os.Args[2:], version, os.Stdout, os.Stderr))
		case operator.Has(name):
			os.Exit(operate(os.Args[1:]))
		case name == "help" || name == "--help" || name == "-h":
			operator.Usage(os.Stdout)
			return
		case name[0] != '-':
			fmt.Fprintf(os.Stderr, "Error: there is no command %q\n\n", name)
			operator.Usage(os.Stderr)
			os.Exit(2)
		}
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

// operate runs an operator's command until it ends or is interrupted.
func operate(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return operator.Main(ctx, args, operator.System{
		Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv,
		Terminal: term.IsTerminal(int(os.Stdout.Fd())), Open: operator.Opener(version),
	})
}
