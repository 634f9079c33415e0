// Package judge says what speaks against a stack, a task or what a release answered. It
// knows nothing of swaps: each function looks at what was observed and returns nil, or "",
// where all is well, else what is wrong in words for people, with the figures.
//
// stack.go has the gates that a stack passes before it gets traffic and the limits of one
// that has it, task.go the verdict on a migration or a test suite, guardrails.go the limits
// of errors and latency.
package judge
