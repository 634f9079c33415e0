// Package accounts makes, reads and removes the accounts on one PostgreSQL
// server: for each a database, and a login role of the same name that owns it
// and can connect to nothing else.
//
// Every change works the same way: under a lock of the account's own, look at
// what is there, decide the next statement from that alone, carry it out, look
// again. So it can be repeated after a crash at any statement, by anybody, and
// ends only when the server itself shows the rights that were asked for.
//
// A database is created closed and opened in the transaction that sets its
// rights: PostgreSQL would let everybody into a new one. What belongs to an
// account carries its mark as a comment; what does not is never touched.
//
// The server may be one of package postgres or any other, version 15 or newer.
// An administrator who is no superuser needs CREATEDB and CREATEROLE. The lock
// belongs to a session, so a pooler in between must not share sessions.
package accounts
