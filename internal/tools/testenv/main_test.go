package main

import (
	"slices"
	"testing"

	"github.com/slipway-platform/terraform-provider-slipway/internal/tools/terraform"
)

func TestEnvironment(t *testing.T) {
	t.Parallel()
	inherited := []string{"HOME=/home/me", "TF_LOG=TRACE", "TF_CLI_CONFIG_FILE=/mine", "SLIPWAY_DATA_DIR=/mine", "SLIPWAY_ACC_ROUNDS=3"}
	got := environment(inherited, terraform.Binary{Path: "/bin/tofu", Product: "OpenTofu"})
	want := []string{
		"HOME=/home/me", "SLIPWAY_ACC_ROUNDS=3", "TF_ACC=1", "TF_ACC_TERRAFORM_PATH=/bin/tofu", "CHECKPOINT_DISABLE=1",
		"TF_ACC_PROVIDER_HOST=registry.opentofu.org", "TF_ACC_PROVIDER_NAMESPACE=hashicorp",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
