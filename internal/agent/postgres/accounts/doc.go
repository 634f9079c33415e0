// Package accounts keeps the accounts on one PostgreSQL server over connections of its own; what
// an account is there, and each statement, is in package accountdb. A lock is an advisory one.
//
// The server may be one of package postgres or any other, version 15 or newer.
// The lock belongs to a session, so a pooler in between must not share sessions.
package accounts
