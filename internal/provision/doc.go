// Package provision is Slipway's provisioning library. A [Provisioner] owns everything that
// the targets have in common: validation, adoption of what a lost machine left behind,
// waiting, ownership, and through package swap the change of releases. What differs between
// targets is behind the [target.Driver] that it is given.
//
// The package knows nothing of Terraform and nothing of any cloud.
package provision
