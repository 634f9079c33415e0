# An environment in a network that is there already, reached from inside only.

terraform {
  required_providers {
    slipway = {
      source = "slipway-platform/slipway"
    }
  }
}

provider "slipway" {
  target = "aws"
  aws    = { region = "eu-central-1" }
}

variable "network" {
  description = "The VPC, with its subnets in at least two availability zones. Private subnets have a way to AWS's services and to the images."
  type = object({
    vpc_id              = string
    private_subnet_ids  = list(string)
    database_subnet_ids = list(string)
  })
}

variable "domain_name" {
  description = "Name under which the environment answers, in a public hosted zone of Route 53 in the same AWS account."
  type        = string
}

resource "slipway_region" "eu" {
  name         = "eu"
  location     = "eu-central-1"
  jurisdiction = "EU"
}

resource "slipway_environment" "back_office" {
  region_id   = slipway_region.eu.id
  name        = "back-office"
  kind        = "sandbox"
  tenancy     = "multi_tenant"
  domain_name = var.domain_name

  aws = {
    internal = true
    vpc = {
      id                  = var.network.vpc_id
      private_subnet_ids  = var.network.private_subnet_ids
      database_subnet_ids = var.network.database_subnet_ids
    }
  }
}
