# The id is region/environment/slot.
terraform import slipway_deployment_slot.shop eu/production/shop
