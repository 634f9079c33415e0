# The id is the name of the region.
terraform import slipway_region.eu eu
