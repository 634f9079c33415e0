// Package accountdb knows what an account database is on a PostgreSQL server: for each account
// a database, and a login role of the same name that owns it and can connect to nothing else.
// It holds the statements that make, mend and remove them and the query that reads them;
// how these travel to a server is the business of each target.
//
// Every change works the same way: under a lock of the account's own, look at what is there,
// decide the next statement from that alone, carry it out, look again ([Converge]). So it can
// be repeated after a crash at any statement, by anybody, and ends only when the server itself
// shows the rights that were asked for.
//
// A database is created closed and opened in the transaction that sets its rights: PostgreSQL
// would let everybody into a new one. What belongs to an account carries its mark as a comment;
// what does not is never touched.
//
// An administrator who is no superuser needs CREATEDB and CREATEROLE. The server must be of
// version 15 or newer.
package accountdb
