// Package awstest gives tests an AWS account that does not exist: the emulator moto in a
// Python environment of the project's own, an [Overlay] in front of it for what moto lacks, a
// check of every request against AWS's own service models, and faults on demand.
//
// Tests that pass on it hold the library to our reading of AWS's documents, not to AWS.
package awstest
