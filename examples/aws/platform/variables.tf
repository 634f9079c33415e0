variable "domain_name" {
  description = "Domain in a public hosted zone of Route 53 in the same AWS account."
  type        = string
}

variable "office_cidr_blocks" {
  description = "IPv4 blocks from which the preview entrance and the sandbox are reached."
  type        = list(string)
  default     = ["203.0.113.0/24"]
}

# The provider protects production from deletion unless it is told not to. Leave it so as soon
# as there is data that you would miss.
variable "deletion_protection" {
  description = "Whether production is protected from deletion."
  type        = bool
  default     = true
}
