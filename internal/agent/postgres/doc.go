// Package postgres runs real PostgreSQL servers for the agent: it finds the
// server's programs on this machine (or downloads them once), makes a data
// directory, starts the server in a session of its own, keeps it running, and
// finds it again when the agent itself was killed or the machine rebooted.
//
// The server outlives the process that started it. It listens on 127.0.0.1
// only, speaks TLS 1.3 only and authenticates with SCRAM-SHA-256 only. The
// databases and roles on it are the business of the package accounts.
//
// Nothing but [Server.Remove] ever deletes a data directory.
package postgres
