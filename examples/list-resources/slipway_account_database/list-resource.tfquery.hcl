list "slipway_account_database" "production" {
  provider         = slipway
  include_resource = true

  config {
    environment_id = "eu/production"
  }
}
