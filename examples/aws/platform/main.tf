# A production environment and a sandbox on AWS, in a region of their own.

terraform {
  required_providers {
    slipway = {
      source = "slipway-platform/slipway"
    }
  }
}

# Credentials come from the environment, as for the AWS provider.
provider "slipway" {
  target = "aws"

  aws = {
    region      = "eu-central-1"  # the home of the installation, once and for all
    domain_name = var.domain_name # environments answer as <name>.<region>. before it

    default_tags = {
      tags = { cost-center = "platform" }
    }
  }
}

resource "slipway_region" "eu" {
  name         = "eu"
  location     = "eu-central-1"
  jurisdiction = "EU"
}

# Three zones with a NAT gateway in each, two database instances, two weeks of backups: the
# defaults of production. Testers reach the preview entrance from the office.
resource "slipway_environment" "production" {
  region_id           = slipway_region.eu.id
  name                = "production"
  kind                = "production"
  tenancy             = "multi_tenant"
  deletion_protection = var.deletion_protection

  aws = {
    preview_cidr_blocks = var.office_cidr_blocks
    database            = { max_capacity_units = 32 }
  }
}

# Two zones, one NAT gateway, one database instance that pauses when nobody uses it: the
# defaults of a sandbox. Nobody but the office reaches it.
resource "slipway_environment" "sandbox" {
  region_id = slipway_region.eu.id
  name      = "sandbox"
  kind      = "sandbox"
  tenancy   = "multi_tenant"
  mirrors   = slipway_environment.production.id

  aws = {
    cidr_blocks         = var.office_cidr_blocks
    preview_cidr_blocks = var.office_cidr_blocks
  }
}

# What a module needs that puts something of its own beside the stacks, such as a cache.
output "network" {
  value = {
    vpc_id         = slipway_environment.production.aws_resources.vpc_id
    subnet_ids     = slipway_environment.production.aws_resources.private_subnet_ids
    security_group = slipway_environment.production.aws_resources.stack_security_group_id
  }
}
