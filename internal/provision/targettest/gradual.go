package targettest

import (
	"context"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// gradual is what a driver needs for gradual traffic and its watch.
type gradual interface {
	target.Driver
	target.Meters
	target.Journals
	target.Logs
	SetTraffic(ctx context.Context, id target.SlotID, t target.Traffic, drain time.Duration, l target.Lease) (target.Switched, error)
	CheckSlot(ctx context.Context, s target.Slot) error
}

// gradual is the driver, where it can divide traffic; else the test is skipped.
func (w *world) gradual() gradual {
	w.Helper()
	g, ok := w.driver.(gradual)
	if !ok {
		w.Skip("the driver can't divide traffic")
	}
	return g
}
