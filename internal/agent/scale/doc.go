// Package scale decides how many instances a component of the local target is to have. It is
// a function of what was seen and of the time, without clocks, processes or locks of its own.
//
// The need is absolute: the load of all instances together divided by what one of them is to
// carry. So it does not matter how many instances there were when the load was measured, and a
// decision can be made every second without overshooting.
package scale
