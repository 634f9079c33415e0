// Package provider is the Terraform face of Slipway: schemas, models and the glue between
// Terraform's verbs and package provision. It is the only package that knows Terraform.
//
// Each resource has three files: <noun>.go with its verbs, <noun>_model.go with the
// conversions between Terraform's values and the library's (tested without Terraform), and
// <noun>_plan.go with everything that is refused or foretold at plan.
package provider
