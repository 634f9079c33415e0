// Package target holds the vocabulary that every part of Slipway shares — regions,
// environments, account databases, deployment slots, their identifiers and their
// validation — and [Driver], the interface a place to build things in must implement.
//
// A driver's verbs are Put, Get and Delete by natural key. Each one must be safe to
// repeat after a crash or after an answer that was lost on the way: a repeated call
// leads to the same end and never to a second object. Everything that the targets have
// in common (adoption, waiting, the swap) lives above this package, in provision and
// provision/swap; everything that differs lives below, in the drivers.
package target
