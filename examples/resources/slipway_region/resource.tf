resource "slipway_region" "eu" {
  name         = "eu"
  location     = "eu-central-1"
  jurisdiction = "EU"
}
