// Package proxy is the front door of an environment on the local target: a TLS reverse
// proxy with two entrances. Production reaches the stack that serves in each slot, Preview
// the one that is to be tested, both by the very same routes.
//
// What is reached is one immutable table behind an atomic pointer. [Proxy.SetTraffic] swaps
// that pointer: the one commit point of a blue-green swap and of each of its steps, for all
// components of a slot at once. A request registers with the stack that it found before it looks whether the table
// is still the same, so that whoever swaps the table and then waits for the registered ones
// has seen them all.
//
// The way of a request through the files: entrance.go (listener and server), route.go and
// table.go (where to), split.go and side.go (on which side of a canary), exchange.go (one request and its answer), request.go and body.go
// (towards the instance), reply.go and answer.go (back), stream.go, events.go,
// upgrade.go and websocket.go (what outlives a switch), cross.go (to the other side, where one has
// no instance), measure.go, waiting.go and concurrency.go (what it took), component.go, instance.go, pool.go and conn.go (the upstream side).
package proxy
