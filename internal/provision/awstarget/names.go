package awstarget

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"
)

// name makes a name of at most limit characters from parts. It ends in a hash of them: "a-b"
// with "c" and "a" with "b-c" are different things, and what is too long is cut.
func name(limit int, parts ...string) string {
	return hashed(limit, strings.Join(parts, "-"), parts...)
}

// hashed makes a name that begins with what people can read and ends in a hash of what makes it
// the only one.
func hashed(limit int, readable string, parts ...string) string {
	hash := "-" + digest(4, parts...)
	return strings.TrimRight(readable[:min(len(readable), limit-len(hash))], "-") + hash
}

// identifier is a name for RDS, which takes no two hyphens in a row (CreateDBCluster).
func identifier(limit int, parts ...string) string {
	return hashed(limit, singly(strings.Join(parts, "-")), parts...)
}

// singly has one hyphen where a name has several in a row.
func singly(name string) string {
	return hyphens.ReplaceAllString(name, "-")
}

var hyphens = regexp.MustCompile(`-{2,}`)

// digest is a hash of parts in so many bytes, each of two characters.
func digest(bytes int, parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:bytes])
}
