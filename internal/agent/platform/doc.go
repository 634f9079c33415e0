// Package platform is what the agent runs: environments with their database servers and
// front doors, account databases, and the stacks of deployment slots as real processes. A
// [Platform] implements target.Driver on this machine; the agent's control interface and
// the local target are only ways to reach it.
//
// Everything it must remember is in package store, one record per object. On start it finds
// again what ran before it, starts what does not run any more, and probes it before it
// serves. It exists on Linux and macOS.
package platform
