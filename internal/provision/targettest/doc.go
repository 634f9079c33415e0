// Package targettest is the conformance suite that every [target.Driver] passes: what the
// comments of the contract promise, tried on a real target. A driver's test gives [Run] a
// [Harness] that knows how to make a target and applications for it.
//
// Each group of tests has a target of its own and runs beside the other groups; the tests of
// one group run one after another, since the waiting of one moves the clock of all. Nothing
// is waited for but by polling under the target's clock, so that the suite takes seconds on
// a fake clock.
package targettest
