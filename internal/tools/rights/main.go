// Rights writes the IAM policies that the aws target needs into a folder.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget/rights"
)

func main() {
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

func write(dir string) error {
	policies, err := rights.Policies()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the folder of policies: %w", err)
	}
	for _, p := range policies {
		if err := os.WriteFile(filepath.Join(dir, p.File), p.JSON, 0o644); err != nil {
			return fmt.Errorf("write a policy: %w", err)
		}
	}
	return nil
}
