# terraform query -generate-config-out=found.tf
list "slipway_region" "all" {
  provider = slipway
}
