data "slipway_account_database" "example" {
  id = "eu/production/acme"
}

output "secret_id" {
  value = data.slipway_account_database.example.secret_id # where the password is, not what it is
}
