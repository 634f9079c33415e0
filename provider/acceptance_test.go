package provider_test

import (
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/memtarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/provider"
)

// TestMain stops before plugin-testing would end the whole binary: acceptance tests need
// terraform on PATH, and TF_ACC to say that they may run it.
func TestMain(m *testing.M) {
	if os.Getenv("TF_ACC") != "" && os.Getenv("TF_ACC_TERRAFORM_PATH") == "" {
		if _, err := exec.LookPath("terraform"); err != nil {
			fmt.Fprintln(os.Stderr, "TF_ACC is set and terraform is not on PATH: acceptance tests are skipped")
			if err := os.Unsetenv("TF_ACC"); err != nil {
				panic(err)
			}
		}
	}
	os.Exit(m.Run())
}

// serve makes the provider on the in-memory target for one test.
func serve(mem *memtarget.Target, options ...provider.Option) map[string]func() (tfprotov6.ProviderServer, error) {
	options = append([]provider.Option{
		provider.WithDriver(func(provider.Settings) (target.Driver, error) { return mem.Client(), nil }),
	}, options...)
	return map[string]func() (tfprotov6.ProviderServer, error){
		"slipway": providerserver.NewProtocol6WithError(provider.New("test", options...)()),
	}
}
