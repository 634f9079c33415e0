list "slipway_environment" "european" {
  provider = slipway

  config {
    region_id = "eu"
  }
}
