package provision

import (
	"context"
	"fmt"
	"strings"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// Follow is a driver that tells, in words, of each phase of a swap that is run through it.
func Follow(d target.Driver, tell func(message string)) target.Driver {
	return &followed{Driver: d, tell: tell}
}

// followed tells of each phase when it is recorded: nobody has to look again and again.
type followed struct {
	target.Driver
	tell func(message string)
	last string
}

// PutSlot is called by one run at a time, since it takes the slot's lease.
func (d *followed) PutSlot(ctx context.Context, r target.SlotRecord, l target.Lease) (target.SlotRecord, error) {
	r, err := d.Driver.PutSlot(ctx, r, l)
	if w := r.Swap; err == nil && w != nil {
		if now := progress(*w); now != d.last {
			d.tell(now)
			d.last = now
		}
	}
	return r, err
}

// progress says in words where a swap is.
func progress(w target.Swap) string {
	words := fmt.Sprintf("Release %s: %s", w.Release, strings.ReplaceAll(string(w.Phase), "_", " "))
	if n := len(w.Steps); n > 0 && w.Steps[n-1].Phase == w.Phase && w.Steps[n-1].Percent > 0 {
		words += fmt.Sprintf(" with %d percent of the traffic", w.Steps[n-1].Percent)
	}
	if w.Phase == target.PhaseRollingBack && w.Reason != "" {
		words += " (" + w.Reason + ")"
	}
	return words
}
