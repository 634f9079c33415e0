// Command testenv prints the environment that the acceptance tests need, one NAME=value a
// line: where Terraform is, which it installs if it must, and for OpenTofu how to name providers.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/slipway-platform/terraform-provider-slipway/internal/tools/terraform"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	binary, err := terraform.Find(ctx, func(format string, args ...any) {
		fmt.Fprintf(os.Stderr, format+"\n", args...)
	})
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "testenv:", err)
		os.Exit(1)
	}
	fmt.Fprintln(os.Stderr, "testing with", binary)
	fmt.Println("TF_ACC_TERRAFORM_PATH=" + binary.Path)
	if binary.Product == "OpenTofu" {
		fmt.Println("TF_ACC_PROVIDER_HOST=registry.opentofu.org")
		fmt.Println("TF_ACC_PROVIDER_NAMESPACE=hashicorp")
	}
}
