data "slipway_deployment_slot" "example" {
  id = "eu/production/shop"
}

output "live_release" {
  value = data.slipway_deployment_slot.example.live.release
}
