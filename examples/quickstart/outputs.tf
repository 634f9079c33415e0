output "addresses" {
  description = "Where each account finds the application, by environment."
  value = {
    for name, environment in local.environments : name => {
      for account in local.accounts : account => replace(environment.url, "https://", "https://${account}.")
    }
  }
}

output "certificate_authorities" {
  description = "What clients have to trust to reach these addresses, by environment (PEM)."
  value       = { for name, environment in local.environments : name => environment.certificate_authority }
}
