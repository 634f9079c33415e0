// Package agent is the local target's background process: the roles of the binary that hold
// the listening sockets and serve, the control interface over them, and the operator's
// "agent" command. What it runs is in package platform.
//
// It works on Linux and macOS. Elsewhere [Main] says so.
package agent
