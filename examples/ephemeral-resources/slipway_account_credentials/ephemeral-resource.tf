# From Terraform 1.10 and OpenTofu 1.11 on. Nothing of it is kept in state or in a plan.
ephemeral "slipway_account_credentials" "acme" {
  account_database_id = "eu/production/acme"
}

# Such as for a provider that looks after what is in the database.
provider "postgresql" {
  host     = ephemeral.slipway_account_credentials.acme.host
  port     = ephemeral.slipway_account_credentials.acme.port
  database = ephemeral.slipway_account_credentials.acme.database_name
  username = ephemeral.slipway_account_credentials.acme.role_name
  password = ephemeral.slipway_account_credentials.acme.password
  sslmode  = "verify-full"
}
