terraform {
  required_providers {
    slipway = {
      source = "slipway-platform/slipway"
    }
  }
}

# Everything on this machine, in the usual place: nothing needs to be configured.
provider "slipway" {}

# The same with a data folder of its own, and the PostgreSQL that is already installed.
provider "slipway" {
  alias = "elsewhere"

  local = {
    data_dir         = "/srv/slipway"
    postgres_bin_dir = "/usr/lib/postgresql/17/bin"
  }
}
