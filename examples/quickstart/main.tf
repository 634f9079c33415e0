# A platform for two customers on this machine: real PostgreSQL servers, the application as
# real processes, HTTPS in front. To roll out a new release, change var.release and apply.

terraform {
  required_providers {
    slipway = {
      source = "slipway-platform/slipway"
    }
  }
}

provider "slipway" {
  local = {
    data_dir = var.data_dir
  }
}

locals {
  accounts = toset(["acme", "globex"])
  app_dir  = abspath(var.app_dir)

  environments = {
    production = slipway_environment.production
    sandbox    = slipway_environment.sandbox
  }
}

resource "slipway_region" "eu" {
  name         = "eu"
  location     = "eu-central-1"
  jurisdiction = "EU"
}

# One installation of the platform that all accounts share, and one to try things in.

resource "slipway_environment" "production" {
  region_id           = slipway_region.eu.id
  name                = "production"
  kind                = "production"
  tenancy             = "multi_tenant"
  deletion_protection = var.deletion_protection
}

resource "slipway_environment" "sandbox" {
  region_id           = slipway_region.eu.id
  name                = "sandbox"
  kind                = "sandbox"
  tenancy             = "multi_tenant"
  mirrors             = slipway_environment.production.id
  deletion_protection = var.deletion_protection
}

# Each account has a database of its own in each environment. Nobody ever sees a password.

resource "slipway_account_database" "production" {
  for_each = local.accounts

  environment_id      = slipway_environment.production.id
  account             = each.key
  data_residency      = ["EU"]
  connection_limit    = 40
  deletion_protection = var.deletion_protection
}

resource "slipway_account_database" "sandbox" {
  for_each = local.accounts

  environment_id      = slipway_environment.sandbox.id
  account             = each.key
  data_residency      = ["EU"]
  connection_limit    = 40
  deletion_protection = var.deletion_protection
}

# Where the application runs. A changed release comes up beside the running one, is migrated
# to, checked and tested, and then takes all traffic at once.

resource "slipway_deployment_slot" "oms" {
  for_each = local.environments

  environment_id = each.value.id
  name           = "oms"
  release        = var.release

  components = {
    api = {
      command      = ["${local.app_dir}/app-{release}", "api"]
      scaling      = { min = 2, max = 4 }
      health_check = { path = "/healthz" }
      routes       = [{ path_prefix = "/api" }]
    }
    console = {
      command      = ["${local.app_dir}/app-{release}", "console"]
      health_check = { path = "/healthz" }
      routes       = [{ path_prefix = "/" }]
    }
  }

  migrate = {
    command = ["${local.app_dir}/app-{release}", "migrate"]
  }

  test_suite = {
    command = ["${local.app_dir}/app-{release}", "test"]
    account = "acme" # the suite is told where this account's database is, and no other's
  }

  deletion_protection = var.deletion_protection

  # The databases first: the migration prepares them, and the test suite uses one.
  depends_on = [slipway_account_database.production, slipway_account_database.sandbox]
}
