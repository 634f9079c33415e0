# The id is region/environment/account.
terraform import slipway_account_database.acme eu/production/acme
