// Package hold is the tiny half of the local agent that owns the listening sockets, and how the other
// half talks to it.
//
// The agent is two processes of one binary. *hold* ([Main]) opens sockets, starts *serve* and starts it
// again when it dies; it does nothing else, so it has no reason to die itself. *serve* ([Connect]) does
// the work: proxy, supervision, control API. Both hold the sockets and the data directory's lock, so
// either may be killed at any moment:
//
//   - serve dies: hold starts another one. Meanwhile connections wait in the sockets' queues.
//   - hold dies: serve starts another one and leaves it its sockets.
//   - both die: the lock is free, and the next [Spawn] begins anew.
//
// They speak JSON lines over a socket pair, which carries descriptors too. serve asks:
//
//	listen    open a socket under a key, or return the one that is open; the reply carries it
//	unlisten  close it
//	list      send all of them
//	ready     let me supervise; the reply comes, after all sockets, when nobody else does
//	upgrade   start a serve of another executable beside me; the reply comes when it is ready
//	keep      forget the upgrade
//	release   I do not supervise any more; now let the other one
//	bye       the agent ends
//
// and hold says stop when a signal asked it to: what stopping means is for serve to decide.
//
// In an upgrade the new serve is started first and waits ([Client.Ready]) until the old one has let go
// ([Client.Release]), so that there are never two supervisors; last of all hold becomes the new
// executable in place, with the same process id. Whatever fails before the release leaves the old serve
// as it was.
//
// It all works on Linux and macOS. Elsewhere the package is empty.
package hold
