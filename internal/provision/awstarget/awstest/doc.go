// Package awstest gives tests an AWS account that does not exist: the emulator moto in a
// Python environment of the project's own, an overlay in front of it for what moto lacks, a
// check of every request against AWS's own service models, and faults on demand.
//
// The overlay has an account's moving parts in this process. ECS services and tasks run images as
// a [Program] each, beside a scheduler; a running task is a target of its load balancer, which
// checks it, counts for CloudWatch and answers at [Account.Dial]; Application Auto Scaling does
// what is scheduled and what [Account.Scale] plays. What AWS does by itself goes [Speed] times
// faster. Before a container starts, its execution role must permit to get its secrets and to
// open its log.
//
// Tests that pass on it hold the library to our reading of AWS's documents, not to AWS. Where
// these say nothing it takes a side: the newest tasks are stopped first, a scheduled action in the
// past is refused, one that was done stays listed, and rules are in force as soon as they are set.
package awstest
