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

resource "slipway_account_database" "acme" {
  environment_id = slipway_environment.production.id
  account        = "acme"
}

# Change release and apply: the new one comes up beside the old one, has to get healthy and
# to pass its test suite, and then takes all traffic in one switch.
resource "slipway_deployment_slot" "shop" {
  environment_id = slipway_environment.production.id
  name           = "shop"
  release        = "2026.11.3"

  components = {
    api = {
      command      = ["/opt/shop/{release}/shop", "api"]
      environment  = { LOG_LEVEL = "info" }
      secrets      = { API_KEY = "/etc/shop/api-key" } # a file of mode 0600; the variable holds its content
      scaling      = { min = 2, max = 4 }
      health_check = { path = "/healthz" }
      routes       = [{ path_prefix = "/api" }]
    }
    worker = {
      command = ["/opt/shop/{release}/shop", "worker"]
    }
  }

  migrate = {
    command = ["/opt/shop/{release}/shop", "migrate"]
  }

  test_suite = {
    command = ["/opt/shop/{release}/shop", "smoke-test"]
    account = slipway_account_database.acme.account
  }

  swap = {
    fallback_window_seconds = 3600 # how long the old release stays ready to take over again
  }
}
