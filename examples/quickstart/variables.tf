variable "release" {
  description = "The release that is to serve: the only line that changes from day to day."
  type        = string
  default     = "1"
}

variable "app_dir" {
  description = "The folder with the application's releases: app-1, app-2 and so on. On aws they are images, and it is not used."
  type        = string
  default     = "app"
}

variable "data_dir" {
  description = "Absolute path of the folder for everything that Slipway keeps on this machine. Null: the usual place."
  type        = string
  default     = null
}

# The provider protects production and every database from deletion unless it is told not to.
# This example tells it not to, because you will want to remove it again. Set it to true, or
# leave deletion_protection out, as soon as there is data that you would miss.
variable "deletion_protection" {
  description = "Whether what holds data or traffic is protected from deletion."
  type        = bool
  default     = false
}
