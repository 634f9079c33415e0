variable "account" {
  type        = string
  description = "Customer to set up."
  default     = "acme"
}

# Allowed by law, then nearest.
data "slipway_placement" "account" {
  account        = var.account
  data_residency = ["EU", "CH"]
  tenancy        = "multi_tenant"
  near           = { location = "Paris" }
}

resource "slipway_account_database" "account" {
  environment_id = data.slipway_placement.account.environment_id
  account        = var.account
  data_residency = data.slipway_placement.account.data_residency
}

output "placed" {
  description = "Where the account is, and how far the environments are that it could be in."
  value = {
    environment = data.slipway_placement.account.environment_id
    distances   = { for e in data.slipway_placement.account.environments : e.id => e.distance_km }
    excluded    = data.slipway_placement.account.excluded
  }
}
