//go:build !windows

package platform

import (
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// repeated says whether a Put is one whose answer was lost, or changes nothing.
func repeated(old target.Meta, o target.PutOptions, same bool) bool {
	return same && old.Owner == o.Owner && (old.Generation == o.IfGeneration+1 || old.Generation == o.IfGeneration)
}

// next is the meta of an object after a Put that changes it.
func next(old target.Meta, o target.PutOptions, now time.Time, noun, id string) (target.Meta, error) {
	if old.Generation != o.IfGeneration {
		return old, target.Errorf(target.ErrConflict, "%s %q is at generation %d, not %d: somebody else changed it", noun, id, old.Generation, o.IfGeneration)
	}
	m := old
	m.Owner, m.ChangedAt = o.Owner, now
	if m.Generation == 0 {
		m.CreatedAt = now
	}
	if m.Generation == 0 || m.Ready {
		m.Generation++
	}
	return m, nil
}
