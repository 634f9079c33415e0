// Package localtarget is the driver of the local target: a client of the agent of one data
// directory, which it starts when it is first needed.
package localtarget
