list "slipway_deployment_slot" "production" {
  provider         = slipway
  include_resource = true

  config {
    environment_id = "eu/production"
  }
}
