// Package operator is the commands with which people look at a platform and act on its
// deployment slots beside Terraform: status, watch, history, report, logs, promote and
// rollback. They go through the provisioning library, as the provider does, and so work on
// every target.
package operator
