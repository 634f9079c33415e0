// Command testenv runs a command with the environment that acceptance tests need: it finds
// Terraform, or installs it, and keeps away what the user has set for other work.
//
//	testenv [-C folder] command [argument …]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"

	"github.com/slipway-platform/terraform-provider-slipway/internal/tools/terraform"
)

func main() {
	dir := flag.String("C", ".", "the folder to run the command in")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *dir, flag.Args())
	stop()
	var ended *exec.ExitError
	switch {
	case errors.As(err, &ended) && ended.Exited():
		os.Exit(ended.ExitCode())
	case err != nil:
		fmt.Fprintln(os.Stderr, "testenv:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, dir string, args []string) error {
	if len(args) == 0 {
		return errors.New("there is no command to run")
	}
	binary, err := terraform.Find(ctx, func(format string, args ...any) {
		fmt.Fprintf(os.Stderr, format+"\n", args...)
	})
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "with", binary)
	// The terminal interrupts the command too; from elsewhere it is told here. Either way its
	// end is awaited: it has things to clean up.
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.Dir = dir
	cmd.Env = environment(os.Environ(), binary)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	return cmd.Run()
}

// environment drops what steers Terraform and Slipway but not the tests themselves, and sets
// what they need.
func environment(inherited []string, binary terraform.Binary) []string {
	var env []string
	for _, v := range inherited {
		if strings.HasPrefix(v, "SLIPWAY_ACC_") || !strings.HasPrefix(v, "TF_") && !strings.HasPrefix(v, "SLIPWAY_") {
			env = append(env, v)
		}
	}
	env = append(env, "TF_ACC=1", "TF_ACC_TERRAFORM_PATH="+binary.Path, "CHECKPOINT_DISABLE=1")
	if binary.Product == "OpenTofu" {
		env = append(env, "TF_ACC_PROVIDER_HOST=registry.opentofu.org", "TF_ACC_PROVIDER_NAMESPACE=hashicorp")
	}
	return env
}
