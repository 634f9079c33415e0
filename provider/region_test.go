package provider_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/memtarget"
)

func TestAccRegion(t *testing.T) {
	mem := memtarget.New(memtarget.Options{})
	config := `resource "slipway_region" "test" {
  name = "eu"
  location = "eu-central-1"
  jurisdiction = "EU"
}`
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: serve(mem),
		Steps: []resource.TestStep{
			{Config: config},
			{Config: config, ResourceName: "slipway_region.test", ImportState: true, ImportStateVerify: true},
			{Config: config, PlanOnly: true},
			{Config: config, Taint: []string{"slipway_region.test"}},
		},
	})
}
