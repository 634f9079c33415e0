package awstarget

import (
	"context"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// SlotFaults implements target.Rooms. It asks AWS for nothing but who we are and where the region
// is, which a plan knows already, and goes without where it can't.
func (t *Target) SlotFaults(ctx context.Context, s target.Slot, e target.Environment, r target.Region) target.Faults {
	in := named{location: r.Location, domain: e.DomainName, network: e.AWS}
	if s.Environment != (target.EnvironmentID{}) {
		in.prefix = secretsOf(s.Environment)
		if c, err := t.planned(ctx, s.Environment.Region, r); err == nil {
			in.location, in.account = c.region, c.account
		}
	}
	return append(slotFaults(s, in), target.TagsBeside(s.Tags, t.tags, e.Tags)...)
}

// CheckRoom implements target.Rooms.
func (t *Target) CheckRoom(ctx context.Context, s target.Slot, others []target.Slot, r target.Region) (target.Faults, error) {
	return room(s, others, func() (map[string]int, error) {
		c, err := t.planned(ctx, s.Environment.Region, r)
		if err != nil {
			return nil, err
		}
		return c.balancerLimits(ctx)
	})
}

// planned returns the clients of a region that need not be there yet.
func (t *Target) planned(ctx context.Context, region string, r target.Region) (*clients, error) {
	if r.Location != "" {
		return t.session.in(ctx, r.Location)
	}
	p, err := t.place(t.recently(ctx), region)
	return p.clients, err
}
