// Package agentapi is how the local target talks to its agent: HTTP with JSON over a unix
// socket in the data directory. It holds the wire types, the client and the translation of
// errors; what travels are the nouns of package target.
package agentapi
