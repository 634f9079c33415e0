// Package authority is the local certificate authority of one installation: it signs the
// certificates of the environments' entrances and of their PostgreSQL servers.
//
// A user may well put the authority into the trust store of the machine, so what a thief
// of its key could do is kept small: name constraints (RFC 5280, section 4.2.1.10), marked
// critical, confine it to names under "localhost" and to loopback addresses, it may sign
// no further authority, and its certificates are good for TLS servers only. The key never
// leaves its file, which only the owner may read.
package authority
