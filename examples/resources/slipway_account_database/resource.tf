resource "slipway_region" "eu" {
  name         = "eu"
  location     = "eu-central-1"
  jurisdiction = "EU"
}

resource "slipway_environment" "production" {
  region_id = slipway_region.eu.id
  name      = "production"
  kind      = "production"
  tenancy   = "multi_tenant"
}

# Raise credential_version to get a new password.
resource "slipway_account_database" "acme" {
  environment_id     = slipway_environment.production.id
  account            = "acme"
  data_residency     = ["EU"]
  connection_limit   = 40
  credential_version = 1
}

# An account that asked for a PostgreSQL server of its own.
resource "slipway_account_database" "globex" {
  environment_id = slipway_environment.production.id
  account        = "globex"
  data_residency = ["EU"]
  isolation      = "cluster"
}
