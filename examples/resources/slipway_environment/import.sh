# The id is region/environment.
terraform import slipway_environment.production eu/production
