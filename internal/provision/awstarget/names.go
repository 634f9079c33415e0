package awstarget

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// name makes a name of at most limit characters from parts. It ends in a hash of them: "a-b"
// with "c" and "a" with "b-c" are different things, and what is too long is cut.
func name(limit int, parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	hash := "-" + hex.EncodeToString(sum[:4])
	readable := strings.Join(parts, "-")
	return strings.TrimRight(readable[:min(len(readable), limit-len(hash))], "-") + hash
}
