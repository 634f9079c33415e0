# terraform apply -invoke=action.slipway_promote.shop
action "slipway_promote" "shop" {
  config {
    deployment_slot_id = slipway_deployment_slot.shop.id
    release            = slipway_deployment_slot.shop.release
  }
}
