package target

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// Fingerprint digests the definition's components without scaling and routes, which change in
// place, "{release}" replaced: another fingerprint is a new stack and a swap.
// artifacts adds what a target knows of the programs themselves, by component.
func (d Definition) Fingerprint(artifacts map[string]string) (string, error) {
	expanded := d.Expand()
	for name, c := range expanded.Components {
		c.Scaling, c.Routes = Scaling{}, nil
		expanded.Components[name] = c
	}
	return digest(struct {
		Components map[string]Component
		Artifacts  map[string]string
	}{expanded.Components, artifacts})
}

// Digest identifies a test suite: another digest means that a stack must be tested again.
// A nil task has the digest "untested".
func (t *Task) Digest() (string, error) {
	if t == nil {
		return "untested", nil
	}
	return digest(t)
}

// Same compares two values by their JSON, for which a nil and an empty map are not told
// apart where the field is omitted when empty.
func Same(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// digest relies on encoding/json writing map keys in order.
func digest(v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("encode definition: %w", err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16]), nil
}
