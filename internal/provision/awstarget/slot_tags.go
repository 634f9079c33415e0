package awstarget

import (
	"maps"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// Tags of what belongs to a slot, beside those of its environment.
const (
	tagSlot        = "slipway:slot"
	tagComponent   = "slipway:component"
	tagColor       = "slipway:color"
	tagRelease     = "slipway:release"
	tagFingerprint = "slipway:fingerprint"
)

// placeTags are the tags of what bears a mark: the environment's, the slot's, and which component
// of which stack it is; of none with a nil stack.
func (w *slotWork) placeTags(mark string, s *target.StackSpec, component string) map[string]string {
	all := map[string]string{}
	maps.Copy(all, w.tags(mark))
	maps.Copy(all, w.slotTags)
	maps.Copy(all, w.marks(mark))
	all[tagSlot] = w.id.Name
	if s != nil {
		all[tagComponent], all[tagColor], all[tagRelease], all[tagFingerprint] = component, string(s.Color), s.Definition.Release, s.Fingerprint
	}
	return all
}
