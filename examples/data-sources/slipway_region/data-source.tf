data "slipway_region" "example" {
  id = "eu"
}

resource "slipway_environment" "staging" {
  region_id = data.slipway_region.example.id
  name      = "staging"
  kind      = "sandbox"
  tenancy   = "multi_tenant"
}
