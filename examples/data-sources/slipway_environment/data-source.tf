data "slipway_environment" "example" {
  id = "eu/production"
}

# The certificate that clients of its front door have to trust.
resource "local_file" "authority" {
  filename = "${path.module}/authority.pem"
  content  = data.slipway_environment.example.certificate_authority
}
