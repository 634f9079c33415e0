variable "incident" {
  type        = string
  description = "Why the release is taken back."
  default     = "orders were lost"
}

# terraform apply -invoke=action.slipway_rollback.shop -var 'incident=orders were lost'
action "slipway_rollback" "shop" {
  config {
    deployment_slot_id = "eu/production/shop"
    reason             = var.incident
  }
}
