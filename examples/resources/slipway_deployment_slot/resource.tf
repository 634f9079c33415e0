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
# to pass its test suite, and then takes the traffic: here in three steps, under watch.
resource "slipway_deployment_slot" "shop" {
  environment_id = slipway_environment.production.id
  name           = "shop"
  release        = "2026.11.3"

  components = {
    api = {
      command      = ["/opt/shop/{release}/shop", "api"]
      environment  = { LOG_LEVEL = "info" }
      secrets      = { API_KEY = "/etc/shop/api-key" } # a file of mode 0600; the variable holds its content
      health_check = { path = "/healthz" }
      routes       = [{ path_prefix = "/api" }]
      scaling = {
        min                        = 2
        max                        = 8
        target_concurrent_requests = 20
        schedules = [
          { days = ["mon", "tue", "wed", "thu", "fri"], from = "07:30", to = "18:00", time_zone = "Europe/Berlin", min = 4 },
        ]
      }
    }
    worker = {
      command              = ["/opt/shop/{release}/shop", "worker"]
      stop_timeout_seconds = 120 # to finish the jobs it has
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
    steps = [
      { percent = 1, hold_seconds = 60 },
      { percent = 25, hold_seconds = 300 },
    ]
    sticky_by    = "client"
    bake_seconds = 300
    guardrails = {
      max_error_percent = 1
      max_p99_ratio     = 1.5 # times as long as the old release over the same seconds
    }
    fallback_window_seconds = 3600 # how long the old release stays ready to take over again
  }
}
