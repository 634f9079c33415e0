# terraform apply -invoke=action.slipway_rotate_credentials.acme
action "slipway_rotate_credentials" "acme" {
  config {
    account_database_id = slipway_account_database.acme.id
  }
}
