// Package memtarget is a [target.Driver] in memory: the reference for what the contract
// means, and the target of the tests of everything above the drivers.
//
// A [Target] is one client, that is one process, of an installation; [Target.Client] makes
// another client of the same one. Calls can be made to fail by number, with or without
// having been done, and a client can be killed (see [Target.FailCall]). What the
// applications do is scripted, by the name of the program in their command or by component
// and release (see [Behaviour] and [TaskBehaviour]); their life advances by one step with
// every Observe, and by the clock while nobody observes. Tests can look inside (Inventory,
// Log) and tamper (Vanish…, Plant…).
//
// Everything that goes in or comes out is copied by way of JSON, so that nothing is shared
// between the caller and the store and every record is known to survive being stored.
package memtarget
