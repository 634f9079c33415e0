resource "slipway_region" "eu" {
  name         = "eu"
  location     = "eu-central-1"
  jurisdiction = "EU"
}

# Many accounts share this one. It is protected from deletion, like all of its kind.
resource "slipway_environment" "production" {
  region_id = slipway_region.eu.id
  name      = "production"
  kind      = "production"
  tenancy   = "multi_tenant"
}

# The place to try things in. It must run what production runs; a difference is warned about.
resource "slipway_environment" "sandbox" {
  region_id = slipway_region.eu.id
  name      = "sandbox"
  kind      = "sandbox"
  tenancy   = "multi_tenant"
  mirrors   = slipway_environment.production.id
}

# An installation for one account alone, with ports and sizes of its own.
resource "slipway_environment" "initech" {
  region_id   = slipway_region.eu.id
  name        = "initech"
  kind        = "production"
  tenancy     = "single_tenant"
  account     = "initech"
  domain_name = "initech.example.localhost"

  network = {
    https_port   = 8443
    preview_port = 9443
  }

  database = {
    max_connections = 400
  }
}
